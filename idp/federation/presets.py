"""What is known about well-known providers: members of :class:`Provider` that an operator need not enter.

Where a provider departs from the standard, a named member says so, and docs/federation.md says why. Facts
are from
the providers' public documentation; the recorded answers in ``tests/unit/federation/answers`` name each page.
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from idp.errors import Invalid

Members = dict[str, Any]

_OPENID = ("openid", "profile", "email")
_ENTRA = "https://login.microsoftonline.com"
_ENTRA_PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of all personal Microsoft accounts."""
_TENANT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_FIXED: Mapping[str, Members] = MappingProxyType(
    {
        "oidc": {"kind": "oidc", "scopes": [*_OPENID]},
        "oauth2": {
            "kind": "oauth2",
            "discovery": False,
            "wishes": [],
        },
        "google": {
            "kind": "oidc",
            "name": "Google",
            "issuer": "https://accounts.google.com",
            "scopes": [*_OPENID],
            "id_token_algs": ["RS256"],
            # prompt=login is an error there, and max_age is not known.
            "wishes": ["select_account", "login_hint"],
        },
        "apple": {
            "kind": "oidc",
            "name": "Apple",
            "issuer": "https://appleid.apple.com",
            "auth_method": "apple",
            "scopes": ["openid", "name", "email"],
            # Required there as soon as a name or an address is asked for.
            "response_mode": "form_post",
            "id_token_algs": ["RS256"],
            "userinfo": "never",
            "email_verified_as_text": True,
            "name_in_answer": True,
            "wishes": [],
        },
        "facebook": {
            "kind": "oauth2",
            "name": "Facebook",
            "issuer": "https://www.facebook.com",
            "discovery": False,
            "authorization_endpoint": "https://www.facebook.com/dialog/oauth",
            "token_endpoint": "https://graph.facebook.com/oauth/access_token",
            "userinfo_endpoint": "https://graph.facebook.com/me?fields=id,name,first_name,last_name,email,picture",
            "auth_method": "client_secret_post",
            "scopes": ["public_profile", "email"],
            # Nothing there says whether the address is verified, so it never is.
            "claims": {
                "sub": "id",
                "given_name": "first_name",
                "family_name": "last_name",
                "picture": "picture.data.url",
            },
            "wishes": [],
        },
        "linkedin": {
            "kind": "oidc",
            "name": "LinkedIn",
            "issuer": "https://www.linkedin.com/oauth",
            "auth_method": "client_secret_post",
            "scopes": [*_OPENID],
            "id_token_algs": ["RS256"],
            # A verifier beside the client secret is answered with invalid_client, and the nonce is not sent
            # back.
            "pkce": False,
            "echoes_nonce": False,
            "wishes": [],
        },
        "discord": {
            "kind": "oauth2",
            "name": "Discord",
            "issuer": "https://discord.com",
            "discovery": False,
            "authorization_endpoint": "https://discord.com/oauth2/authorize",
            "token_endpoint": "https://discord.com/api/oauth2/token",
            "userinfo_endpoint": "https://discord.com/api/users/@me",
            "scopes": ["identify", "email"],
            "claims": {
                "sub": "id",
                "name": "global_name",
                "preferred_username": "username",
                "email_verified": "verified",
            },
            "wishes": [],
        },
        "slack": {
            "kind": "oidc",
            "name": "Slack",
            "issuer": "https://slack.com",
            "auth_method": "client_secret_post",
            "scopes": [*_OPENID],
            "id_token_algs": ["RS256"],
            # PKCE there turns an application into a public client.
            "pkce": False,
            "wishes": [],
        },
        "x": {
            "kind": "oauth2",
            "name": "X",
            "issuer": "https://x.com",
            "discovery": False,
            "authorization_endpoint": "https://x.com/i/oauth2/authorize",
            "token_endpoint": "https://api.x.com/2/oauth2/token",
            "userinfo_endpoint": "https://api.x.com/2/users/me?user.fields=profile_image_url",
            "scopes": ["users.read", "tweet.read"],
            # Everything stands below "data"; there is no e-mail address.
            "claims": {
                "sub": "data.id",
                "name": "data.name",
                "preferred_username": "data.username",
                "picture": "data.profile_image_url",
            },
            "wishes": [],
        },
    }
)


def preset(name: str, **options: str | None) -> Members:
    """What a preset fills in of a configuration, as JSON types; what an operator gives besides wins.

    Args:
        name: one of :func:`preset_names`.
        options: ``issuer`` (``gitlab``: an installation of one's own; ``github``: GitHub Enterprise Server)
        and ``tenant`` (``microsoft``: ``common``, ``organizations``, ``consumers`` or the id of one tenant).

    Raises:
        Invalid: no such preset, an option that it does not have, or a value that cannot be.
    """
    given = {option: value for option, value in options.items() if value is not None}
    if name in _FIXED:
        _assert_known(name, given, ())
        return deepcopy(_FIXED[name])
    if name not in _MADE:
        known = ", ".join(preset_names())
        raise Invalid(f"There is no preset of this name; there are {known}.", field="preset")
    option, make = _MADE[name]
    _assert_known(name, given, (option,))
    return make(given.get(option))


def preset_names() -> tuple[str, ...]:
    """All presets, the two general ones first."""
    return (*list(_FIXED)[:2], *sorted([*list(_FIXED)[2:], *_MADE]))


def preset_options(name: str) -> tuple[str, ...]:
    """Names of the options that a preset has."""
    return (_MADE[name][0],) if name in _MADE else ()


def _assert_known(name: str, given: Mapping[str, str], known: tuple[str, ...]) -> None:
    for option in given:
        if option not in known:
            raise Invalid(f"The preset {name} has no option {option}.", field=option)


def _microsoft(tenant: str | None) -> Members:
    """Source: "OpenID Connect on the Microsoft identity platform"; "Optional claims reference"."""
    tenant = (tenant or "common").lower()
    members: Members = {
        "kind": "oidc",
        "name": "Microsoft",
        "scopes": [*_OPENID],
        "auth_method": "client_secret_post",
        "id_token_algs": ["RS256"],
        # Everything is in the ID token. Whether the owner of the address's domain is verified is an
        # optional claim.
        "userinfo": "never",
        "claims": {"email_verified": "xms_edov"},
        "wishes": ["login", "select_account", "login_hint"],
    }
    if tenant == "consumers":
        tenant = _ENTRA_PERSONAL
    if tenant in {"common", "organizations"}:
        return {
            **members,
            "issuer": f"{_ENTRA}/{{tenantid}}/v2.0",
            "discovery_url": f"{_ENTRA}/{tenant}/v2.0/.well-known/openid-configuration",
        }
    if not _TENANT.fullmatch(tenant):
        raise Invalid(
            f"The tenant {tenant} is neither common, organizations nor consumers, nor a directory's UUID.",
            field="tenant",
        )
    return {**members, "issuer": f"{_ENTRA}/{tenant}/v2.0"}


def _github(base: str | None) -> Members:
    """Source: GitHub, "Authorizing OAuth apps"; REST API, "Users" and "Emails"."""
    web = "https://github.com" if base is None else _base(base)
    api = "https://api.github.com" if base is None else f"{web}/api/v3"
    return {
        "kind": "oauth2",
        "name": "GitHub",
        # As it names itself in "iss" of its answers.
        "issuer": f"{web}/login/oauth",
        "discovery": False,
        "authorization_endpoint": f"{web}/login/oauth/authorize",
        "token_endpoint": f"{web}/login/oauth/access_token",
        "userinfo_endpoint": f"{api}/user",
        "emails_endpoint": f"{api}/user/emails",
        "auth_method": "client_secret_post",
        "scopes": ["read:user", "user:email"],
        "numeric_subject": True,
        "claims": {
            "sub": "id",
            "preferred_username": "login",
            "picture": "avatar_url",
            "profile": "html_url",
            "website": "blog",
        },
        "wishes": ["select_account"],
    }


def _gitlab(issuer: str | None) -> Members:
    """Source: GitLab, "GitLab as OpenID Connect identity provider"."""
    return {
        "kind": "oidc",
        "name": "GitLab",
        "issuer": "https://gitlab.com" if issuer is None else _base(issuer),
        "scopes": [*_OPENID],
        "id_token_algs": ["RS256"],
        "wishes": ["login", "max_age"],
    }


def _base(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
        raise Invalid(f"{address} is not the address of an installation.", field="issuer")
    return address.rstrip("/")


_MADE: Mapping[str, tuple[str, Callable[[str | None], Members]]] = MappingProxyType(
    {
        "microsoft": ("tenant", _microsoft),
        "github": ("issuer", _github),
        "gitlab": ("issuer", _gitlab),
    }
)
