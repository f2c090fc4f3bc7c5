"""Configurations and identities with sensible values; keyword arguments change them."""

from typing import Any

from idp.crypto import Secret
from idp.federation import UpstreamIdentity, UpstreamTokens

ISSUER = "https://elsewhere.example"


def openid(**changes: Any) -> dict[str, Any]:
    """A generic OpenID Connect provider."""
    members = {"preset": "oidc", "name": "Elsewhere", "client_id": "idp", "issuer": ISSUER}
    return {**members, **changes}


def oauth2(**changes: Any) -> dict[str, Any]:
    """A generic OAuth 2.0 provider."""
    return {
        "preset": "oauth2",
        "name": "Elsewhere",
        "client_id": "idp",
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "userinfo_endpoint": f"{ISSUER}/me",
        "claims": {"sub": "id"},
        **changes,
    }


def upstream(**changes: Any) -> UpstreamIdentity:
    """What a provider said about somebody."""
    values: dict[str, Any] = {
        "provider_id": "elsewhere",
        "issuer": ISSUER,
        "subject": "248289761001",
        "claims": {"name": "Alice"},
        "email": "alice@elsewhere.example",
        "email_verified": True,
        "groups": (),
        "auth_time": None,
        "acr": None,
        "amr": (),
        "upstream_sid": "there-1",
        "id_token": Secret("header.claims.signature"),
        "tokens": None,
    }
    return UpstreamIdentity(**values | changes)


def tokens(access: str = "access-1", refresh: str | None = "refresh-1") -> UpstreamTokens:
    """Tokens to keep."""
    return UpstreamTokens(
        access_token=Secret(access),
        refresh_token=None if refresh is None else Secret(refresh),
        expires_at=None,
        scope="openid",
    )
