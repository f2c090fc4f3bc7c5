"""Who somebody is elsewhere: as a provider just said it, and as it is linked to an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idp.crypto import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamTokens:
    """What a provider gave us for a person; kept only if the operator asked for it."""

    access_token: Secret[str]
    refresh_token: Secret[str] | None
    expires_at: datetime | None
    """End of the access token; ``None``: the provider did not say."""
    scope: str
    """What was granted, separated by spaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamIdentity:
    """What a provider said about a person, verified.

    The key is (``provider_id``, ``issuer``, ``subject``) and nothing else (row V9).
    """

    provider_id: str
    issuer: str
    """The ID token's issuer; of a provider without ID tokens, its own name for itself."""
    subject: str
    """Not empty, at most 255 characters."""
    claims: Mapping[str, Any]
    """By our names; only those that are well formed."""
    email: str | None
    email_verified: bool
    """Only when it is literally true there (row V8)."""
    groups: tuple[str, ...]
    """Ours, after the mapping."""
    auth_time: datetime | None
    acr: str | None
    """As the provider says it; the same for ``amr``."""
    amr: tuple[str, ...]
    upstream_sid: str | None
    """``sid`` of its ID token: which session there."""
    id_token: Secret[str] | None
    """As received, for ``id_token_hint`` at its logout."""
    tokens: UpstreamTokens | None
    """Only when the provider's tokens are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalIdentity:
    """A stored link: this identity there is this account here."""

    id: str
    """``xid_…``"""
    provider_id: str
    issuer: str
    subject: str
    account_id: str
    label: str
    """E-mail address or name there, shown to the person."""
    profile: Mapping[str, Any]
    """The claims of the last sign-in, by our names."""
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedSession:
    """Where a browser session came from."""

    session_id: str
    provider_id: str
    issuer: str
    subject: str
    upstream_sid: str | None
    id_token: Secret[str] | None
    created_at: datetime
