"""Scopes and the ``claims`` parameter -> claims about a person.

Owns which claim belongs to which scope. What the person allowed was decided before: the
grant holds only consented scopes and claims.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from idp.storage import GROUPS, GROUPS_ELSEWHERE, groups_in
from idp.storage.hot import AccountState

SCOPE_CLAIMS: Mapping[str, tuple[str, ...]] = {
    "profile": (
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
    GROUPS: (GROUPS,),
}
"""Source: OpenID Connect Core §5.4; ``groups`` is ours, as many servers have it."""

Vocabulary = Mapping[str, tuple[str, ...]]
"""The claims of each scope."""

_PROTOCOL = (
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "sid",
)


def vocabulary(custom: Mapping[str, str]) -> Vocabulary:
    """The claims of each scope with the operator's own; ``custom``: the scope of each of those."""
    return {
        scope: (*names, *(name for name, opener in custom.items() if opener == scope))
        for scope, names in SCOPE_CLAIMS.items()
    }


def claims_supported(known: Vocabulary) -> list[str]:
    """For the metadata. Source: OpenID Connect Discovery §3."""
    return [*_PROTOCOL, *(name for names in known.values() for name in names)]


def account_claims(account: AccountState) -> dict[str, Any]:
    """Every claim the account can give, with the types of Core §5.1; unknown ones are left out.

    ``updated_at`` is a number of seconds, ``address`` an object, ``*_verified`` booleans; ``groups`` are
    the account's own and those of its linked identities.
    """
    claims = account.claims  # parsed anew: ours to change
    claims[GROUPS] = groups_in(claims)
    claims.pop(GROUPS_ELSEWHERE, None)
    claims["preferred_username"] = account.username
    claims["updated_at"] = int(account.updated_at.timestamp())
    claims.pop("email_verified", None)
    claims["email"] = account.email
    if account.email:
        claims["email_verified"] = account.email_verified
    if not claims.get("phone_number"):
        claims.pop("phone_number_verified", None)
    # Core §5.3.2: a claim without a value is omitted, never null or empty.
    return {name: value for name, value in claims.items() if value not in (None, "", {}, [])}


def scope_claims(scopes: Iterable[str], known: Vocabulary) -> set[str]:
    """Names of the claims these scopes ask for. Source: OpenID Connect Core §5.4."""
    return {name for scope in scopes for name in known.get(scope, ())}


def requested_claims(claims_request: Mapping[str, Any] | None, section: str) -> set[str]:
    """Names that the ``claims`` parameter asks for in ``userinfo`` or ``id_token``.

    Essential and voluntary ones alike: what is known and allowed is given.

    Source: OpenID Connect Core §5.5.
    """
    asked = (claims_request or {}).get(section)
    return set(asked) if isinstance(asked, dict) else set()


def userinfo_claims(
    account: AccountState, scopes: Iterable[str], claims_request: Mapping[str, Any] | None, known: Vocabulary
) -> dict[str, Any]:
    """The content of a userinfo answer; ``sub`` is always in it. Source: OpenID Connect Core §5.3.2."""
    wanted = scope_claims(scopes, known) | requested_claims(claims_request, "userinfo")
    return {"sub": account.id, **_chosen(account, wanted, known)}


def id_token_claims(
    account: AccountState, claims_request: Mapping[str, Any] | None, known: Vocabulary
) -> dict[str, Any]:
    """Claims about the person for the ID token: only those asked for there by name.

    Claims of scopes stay out, because the code flow always has an access token for userinfo.

    Source: OpenID Connect Core §5.4, §5.5.
    """
    return _chosen(account, requested_claims(claims_request, "id_token"), known)


def _chosen(account: AccountState, wanted: set[str], known: Vocabulary) -> dict[str, Any]:
    if not wanted:
        return {}
    held = account_claims(account)
    given = wanted & held.keys()
    # Security: only names of this vocabulary can be asked for, whatever else is stored.
    return {name: held[name] for names in known.values() for name in names if name in given}
