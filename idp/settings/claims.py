"""The section about claims of the operator's own."""

import re
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator

from idp.settings.values import Names, Section

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MOST: Final = 50
_SCOPES: Final = ("profile", "email", "address", "phone", "groups")

_TAKEN: Final = frozenset(
    {
        # OpenID Connect Core §5.1, §5.6.2
        "sub", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username",
        "profile", "picture", "website", "email", "email_verified", "gender", "birthdate", "zoneinfo",
        "locale", "phone_number", "phone_number_verified", "address", "updated_at",
        # about the token: RFC 7519 §4.1, Core §2, RFC 9068 §2.2, RFC 8693 §4, RFC 7800, RFC 7662
        "iss", "aud", "exp", "nbf", "iat", "jti", "azp", "nonce", "auth_time", "at_hash", "c_hash", "s_hash",
        "acr", "amr", "sid", "events", "sub_jwk", "client_id", "scope", "act", "may_act", "cnf", "active",
        "token_type", "username", "authorization_details", "roles", "entitlements", "vot", "vtm", "txn",
        "toe",
        # ours
        "groups", "groups_elsewhere",
    }
)  # fmt: skip


def _check_custom(entries: tuple[str, ...]) -> tuple[str, ...]:
    names = []
    for entry in entries:
        name, mark, scope = entry.partition("=")
        if not mark or not _NAME.fullmatch(name):
            raise ValueError(f"{entry[:80]!r} is not a claim and its scope, such as department=profile")
        if name in _TAKEN:
            raise ValueError(f"{name} is a claim already: choose another name")
        if scope not in _SCOPES:
            raise ValueError(f"{entry[:80]!r} names none of the scopes {', '.join(_SCOPES)}")
        names.append(name)
    if len(set(names)) < len(names):
        raise ValueError("a claim is named twice")
    if len(names) > _MOST:
        raise ValueError(f"there may be {_MOST} claims at most")
    return entries


class ClaimSettings(Section):
    """Claims about people beside those of OpenID Connect."""

    custom: Annotated[Names, AfterValidator(_check_custom)] = ()
    """Claims of your own that accounts may have, each with the scope that opens it (`profile`, `email`,
    `address`, `phone` or `groups`): `department=profile`. Names are small letters, digits and underscores.
    Operators and mappings of other providers set them, people do not. A name that is taken away here is told
    to nobody any more."""

    @property
    def scopes(self) -> Mapping[str, str]:
        """The scope of each claim."""
        return dict(entry.split("=", 1) for entry in self.custom)
