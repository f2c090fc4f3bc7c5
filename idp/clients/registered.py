"""RegisteredClient: everything the protocol asks about a client, computed once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Self

from idp.clients.metadata import FIELDS, split_scope
from idp.clients.redirect_uris import without_loopback_port
from idp.clients.secrets import secret_digest
from idp.crypto import Secret, constant_time_equal

_SHARED = 1024
"""Sets kept for the next client that has the same; more different ones cost memory, nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class RegisteredClient:
    """An application, frozen; a change makes a new instance.

    Members carry the names of RFC 7591 where it has one. ``None`` in a lifetime means the
    server's setting. ``secrets`` are the digests of the live secrets with their end, two while
    one is being replaced. What no request asks for stays in the stored metadata.
    """

    client_id: str
    name: str
    auth_method: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    grant_types: frozenset[str]
    response_types: frozenset[str]
    response_modes: frozenset[str]
    scopes: frozenset[str]
    first_party: bool
    application_type: str
    access_token_format: str | None
    require_pkce: bool
    id_token_signed_response_alg: str
    access_token_signing_alg: str
    access_token_lifetime: timedelta | None
    refresh_token_lifetime: timedelta | None
    refresh_token_idle_lifetime: timedelta | None
    refresh_token_grace: timedelta | None
    rotate_refresh_tokens: bool
    resource_servers: frozenset[str]
    """Identifiers of the resource servers this client is: it may introspect tokens for them."""
    default_max_age: int | None
    default_acr_values: tuple[str, ...]
    """What it wishes for when a request says nothing, in order of preference."""
    minimum_acr: str | None
    """The level below which nobody is signed in to it."""
    allows_registration: bool
    """Whether people may make an account on the way to it, where people may at all."""
    identity_providers: frozenset[str] | None
    """Ids of the providers through which its people may sign in; ``None`` for all."""
    required_identity_provider: str | None
    """The one through which they sign in."""
    accent_color: str | None
    """``#rrggbb``: the colour of buttons and links on the way to it."""
    logo_uri: str | None
    client_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    disabled: bool
    not_before: datetime | None
    created_at: datetime
    updated_at: datetime
    secrets: tuple[tuple[bytes, datetime | None], ...] = field(repr=False)
    secret_key: Secret[bytes] = field(repr=False, compare=False)

    is_public: bool = field(init=False, repr=False, compare=False)
    """Whether the client cannot keep a secret (RFC 6749 §2.1)."""
    may_refresh: bool = field(init=False, repr=False, compare=False)
    """Whether it is registered for refresh tokens."""
    _redirects: frozenset[str] = field(init=False, repr=False, compare=False)
    _post_logout_redirects: frozenset[str] = field(init=False, repr=False, compare=False)
    _portless: frozenset[str] = field(init=False, repr=False, compare=False)
    _portless_post_logout: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        native = self.application_type == "native"
        computed = {
            "is_public": self.auth_method == "none",
            "may_refresh": self.allows_grant("refresh_token"),
            "_redirects": frozenset(self.redirect_uris),
            "_post_logout_redirects": frozenset(self.post_logout_redirect_uris),
            "_portless": _portless(self.redirect_uris) if native else _shared(),
            "_portless_post_logout": _portless(self.post_logout_redirect_uris) if native else _shared(),
        }
        for name, value in computed.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_metadata(
        cls,
        client_id: str,
        metadata: Mapping[str, Any],
        *,
        secrets: Iterable[tuple[bytes, datetime | None]],
        secret_key: Secret[bytes],
        disabled: bool,
        not_before: datetime | None,
        created_at: datetime,
        updated_at: datetime,
    ) -> Self:
        """The client with this metadata, which must be a result of ``validate_metadata``.

        Members that an older release did not know yet take their defaults.
        """
        metadata = {name: metadata.get(name, default) for name, (_, default) in FIELDS.items()}
        return cls(
            client_id=client_id,
            name=metadata["client_name"],
            auth_method=metadata["token_endpoint_auth_method"],
            redirect_uris=tuple(metadata["redirect_uris"]),
            post_logout_redirect_uris=tuple(metadata["post_logout_redirect_uris"]),
            grant_types=_shared(*metadata["grant_types"]),
            response_types=_shared(*metadata["response_types"]),
            response_modes=_shared(*metadata["response_modes"]),
            scopes=_scopes(metadata["scope"]),
            first_party=metadata["first_party"],
            application_type=metadata["application_type"],
            access_token_format=metadata["access_token_format"],
            require_pkce=metadata["require_pkce"],
            id_token_signed_response_alg=metadata["id_token_signed_response_alg"],
            access_token_signing_alg=metadata["access_token_signing_alg"],
            resource_servers=_shared(*metadata["resource_servers"]),
            access_token_lifetime=_duration(metadata["access_token_lifetime"]),
            refresh_token_lifetime=_duration(metadata["refresh_token_lifetime"]),
            refresh_token_idle_lifetime=_duration(metadata["refresh_token_idle_lifetime"]),
            refresh_token_grace=_duration(metadata["refresh_token_grace"]),
            rotate_refresh_tokens=metadata["rotate_refresh_tokens"],
            default_max_age=metadata["default_max_age"],
            default_acr_values=tuple(metadata["default_acr_values"]),
            minimum_acr=metadata["minimum_acr"],
            allows_registration=metadata["allow_registration"],
            identity_providers=None
            if metadata["identity_providers"] is None
            else _shared(*metadata["identity_providers"]),
            required_identity_provider=metadata["required_identity_provider"],
            accent_color=metadata["accent_color"],
            logo_uri=metadata["logo_uri"],
            client_uri=metadata["client_uri"],
            policy_uri=metadata["policy_uri"],
            tos_uri=metadata["tos_uri"],
            disabled=disabled,
            not_before=not_before,
            created_at=created_at,
            updated_at=updated_at,
            secrets=tuple(secrets),
            secret_key=secret_key,
        )

    def __hash__(self) -> int:
        return hash(self.client_id)

    def allows_redirect_uri(self, uri: str) -> bool:
        """Whether an authorization response may be sent there.

        Exact comparison; for native clients the port of a loopback IP address is free.

        Source: RFC 9700 §2.1, RFC 8252 §7.3; security row R1.
        """
        return uri in self._redirects or (
            bool(self._portless) and without_loopback_port(uri) in self._portless
        )

    def allows_post_logout_redirect_uri(self, uri: str) -> bool:
        """Whether a person may be sent there after logout; compared as redirect URIs are.

        Source: OpenID Connect RP-Initiated Logout §3.1; security row S14.
        """
        return uri in self._post_logout_redirects or (
            bool(self._portless_post_logout) and without_loopback_port(uri) in self._portless_post_logout
        )

    def allows_grant(self, grant_type: str) -> bool:
        """Whether the client may use this grant type (row R11)."""
        return grant_type in self.grant_types

    def allows_provider(self, provider_id: str) -> bool:
        """Whether its people may sign in through this provider."""
        if self.required_identity_provider is not None:
            return provider_id == self.required_identity_provider
        return self.identity_providers is None or provider_id in self.identity_providers

    def check_secret(self, secret: object, now: datetime) -> bool:
        """Whether this is one of the client's live secrets; constant time, never raises (row K5).

        A public client has no right secret, whatever its row holds.
        """
        if self.is_public or not isinstance(secret, str):
            return False
        presented = secret_digest(self.secret_key.reveal(), secret)
        matched = False
        for digest, expires_at in self.secrets:
            alive = expires_at is None or now < expires_at
            matched |= constant_time_equal(digest, presented) and alive
        return matched

    def next_secret_end(self, now: datetime) -> datetime | None:
        """When :meth:`check_secret` may begin to answer otherwise; ``None``: no secret ends by itself."""
        ends = [end for _, end in self.secrets if end is not None and end > now]
        return min(ends, default=None)


@lru_cache(_SHARED)
def _shared(*values: str) -> frozenset[str]:
    """One set for all clients that say the same: thousands of clients know few different ones."""
    return frozenset(values)


@lru_cache(_SHARED)
def _scopes(text: str) -> frozenset[str]:
    return frozenset(split_scope(text))


def _portless(uris: Iterable[str]) -> frozenset[str]:
    return frozenset(portless for uri in uris if (portless := without_loopback_port(uri)) is not None)


def _duration(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
