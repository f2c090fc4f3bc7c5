"""Where a provider's endpoints are: published by it, or entered by the operator.

Source: OpenID Connect Discovery 1.0 §4; RFC 8414 §3.3 (the issuer must be the one that was asked for).
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from idp.clock import Clock
from idp.federation.egress_session import EgressSession
from idp.federation.errors import UpstreamUnavailable
from idp.federation.kept import Kept
from idp.federation.provider import Provider, ProviderKind
from idp.http import HttpClient

_WELL_KNOWN = "/.well-known/openid-configuration"
_LONGEST = 2048
_NAMED = (
    ("authorization_endpoint", "authorization_endpoint"),
    ("token_endpoint", "token_endpoint"),
    ("userinfo_endpoint", "userinfo_endpoint"),
    ("jwks_uri", "jwks_uri"),
    ("end_session_endpoint", "end_session_endpoint"),
    ("par_endpoint", "pushed_authorization_request_endpoint"),
)  # ours, and the member of the metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """What we need to know of a provider to speak with it."""

    issuer: str
    """As its ID tokens say it, ``{tenantid}`` included; of a provider without ID tokens, its own name for
    itself."""
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str | None
    jwks_uri: str | None
    end_session_endpoint: str | None
    par_endpoint: str | None
    requires_par: bool = False
    sends_iss: bool = False
    """It promises ``iss`` in every answer (RFC 9207 §3)."""

    @property
    def authorization_origins(self) -> tuple[str, ...]:
        """Origins that a form which leads to the provider must be allowed to reach."""
        return (_origin(self.authorization_endpoint),)


class MetadataCache:
    """Each provider's endpoints; fetched when first needed, an hour old at most, older when it is down.

    Args:
        http: the one egress.
        clock: tells how old they are.
    """

    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._lock = threading.Lock()
        self._documents: dict[str, tuple[str, Kept[dict[str, Any]]]] = {}

    def endpoints(self, provider: Provider) -> Endpoints:
        """The provider's endpoints; what the operator entered wins over what it publishes.

        Raises:
            UpstreamUnavailable: it cannot be asked, or its metadata are of no use.
        """
        published: Mapping[str, Any] = {}
        if provider.kind is ProviderKind.OIDC and provider.discovery:
            published = self._published(provider)
        return _endpoints(provider, published)

    def _published(self, provider: Provider) -> dict[str, Any]:
        address = discovery_address(provider)
        with self._lock:
            known = self._documents.get(provider.id)
            if known is None or known[0] != address:
                known = (address, Kept(lambda: self._fetch(address), self._clock))
                self._documents[provider.id] = known
        return known[1].get()

    def _fetch(self, address: str) -> dict[str, Any]:
        answer = EgressSession(self._http, "discovery").get(address)
        answer.raise_for_status()
        return answer.json_object()


def discovery_address(provider: Provider) -> str:
    """Where the metadata are.

    Raises:
        UpstreamUnavailable: the provider has neither an issuer nor an address of its metadata.
    """
    if provider.discovery_url:
        return provider.discovery_url
    if not provider.issuer:
        raise UpstreamUnavailable("issuer_not_configured")
    return provider.issuer.rstrip("/") + _WELL_KNOWN


def _endpoints(provider: Provider, published: Mapping[str, Any]) -> Endpoints:
    if published and published.get("issuer") != provider.issuer:
        raise UpstreamUnavailable("discovery_issuer_mismatch")
    found: dict[str, Any] = {
        ours: getattr(provider, ours) or published.get(theirs) for ours, theirs in _NAMED
    }
    for name, address in found.items():
        if address is not None and not _is_address(address, published.get("issuer")):
            raise UpstreamUnavailable(f"{name}_malformed")
    if not found["authorization_endpoint"] or not found["token_endpoint"]:
        raise UpstreamUnavailable("endpoints_missing")
    return Endpoints(
        issuer=provider.issuer or _origin(found["authorization_endpoint"]),
        requires_par=published.get("require_pushed_authorization_requests") is True,
        sends_iss=published.get("authorization_response_iss_parameter_supported") is True,
        **found,
    )


def _is_address(value: object, issuer: object) -> bool:
    """An https address; plain http only of a provider that is itself plain http, as on one machine."""
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isascii() or not value.isprintable():
        return False
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return False
    plain = issuer is None or (isinstance(issuer, str) and issuer.startswith("http://"))
    schemes = ("https", "http") if plain else ("https",)
    return parts.scheme in schemes and bool(host) and not parts.fragment and "@" not in parts.netloc


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
