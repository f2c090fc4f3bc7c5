"""What ID tokens and logout tokens have in common: signature, issuer, audience, times.

The header is read to find the key and to be compared with what the provider is allowed; it never chooses an
algorithm and never brings a key. Source: RFC 8725 §3; OpenID Connect Core §3.1.3.7.
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from joserfc.errors import JoseError
from joserfc.jws import deserialize_compact

from idp.crypto import b64url_decode
from idp.federation.errors import UpstreamRefused
from idp.federation.key_sets import ALGORITHMS, KeySetCache, UpstreamKey
from idp.federation.metadata import Endpoints
from idp.federation.provider import Provider
from idp.keys import OneAlgorithm

SKEW = timedelta(seconds=60)
"""How far a provider's clock may be away from ours."""
LONGEST_NAME = 255
"""Characters of ``sub``, ``sid`` and ``jti`` (OpenID Connect Core §2)."""

_LONGEST_TOKEN = 65536
_LONGEST_HEADER = 4096
_SEGMENTS = 3
_TENANT = "{tenantid}"
_TENANT_NAME = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedToken:
    """A token of the provider for us, in force now."""

    claims: dict[str, Any]
    alg: str
    issuer: str
    """The token's own issuer; where one provider has several, the one of this person's tenant."""


def _registry(alg: str) -> OneAlgorithm:
    """Other providers' headers and tokens are larger than ours."""
    return OneAlgorithm(alg, longest_header=_LONGEST_HEADER, longest_payload=_LONGEST_TOKEN)


def verify_token(
    token: str,
    provider: Provider,
    endpoints: Endpoints,
    keys: KeySetCache,
    *,
    types: Collection[str | None],
    now: datetime,
) -> VerifiedToken:
    """Check everything that ID tokens and logout tokens have in common.

    Args:
        token: compact serialization, as received.
        provider: who must have signed it, and with which algorithms.
        endpoints: its issuer, and where its keys are.
        keys: the key sets.
        types: accepted ``typ`` in lower case; ``None`` is a header without one.
        now: aware UTC.

    Raises:
        UpstreamRefused: for every token that does not stand.
        UpstreamUnavailable: the keys cannot be had.
    """
    header = _read_header(token)
    if "crit" in header:
        raise UpstreamRefused("token_critical_extension")
    if _type_of(header) not in types:
        raise UpstreamRefused("token_type_mismatch")
    alg, kid = header.get("alg"), header.get("kid")
    if not isinstance(alg, str) or alg not in provider.id_token_algs or alg not in ALGORITHMS:
        raise UpstreamRefused("algorithm_not_allowed")
    if kid is not None and not isinstance(kid, str):
        raise UpstreamRefused("key_unknown")
    key = keys.find(provider, endpoints.jwks_uri, kid, alg)
    if key is None:
        raise UpstreamRefused("key_unknown")
    claims = _open(token, key, alg)
    issuer = _assert_issuer(claims, provider, endpoints, key)
    _assert_audience(claims, provider.client_id)
    _assert_times(claims, now)
    return VerifiedToken(claims=claims, alg=alg, issuer=issuer)


def moment(value: object) -> datetime | None:
    """A NumericDate (RFC 7519 §2) as a time; ``None`` for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not math.isfinite(value) or not 0 <= value < _LATEST:
        return None
    return datetime.fromtimestamp(value, UTC)


def name_of(value: object) -> str | None:
    """A ``sub``, ``sid`` or ``jti`` that may be stored; ``None`` for all else, numbers included (row V9)."""
    if (
        not isinstance(value, str)
        or not value.strip()
        or len(value) > LONGEST_NAME
        or not value.isprintable()
    ):
        return None
    return value


def fill_tenant(template: str, claims: dict[str, Any], allowed: Collection[str]) -> str | None:
    """The issuer of the tenant that a token names; ``None`` if it names none, or one that may not come.

    Source: Microsoft identity platform, "Access tokens", section "Multitenant applications".
    """
    if _TENANT not in template:
        return template
    tenant = claims.get("tid")
    if not isinstance(tenant, str) or not _TENANT_NAME.fullmatch(tenant):
        return None
    if allowed and tenant not in allowed:
        return None
    return template.replace(_TENANT, tenant)


def _read_header(token: str) -> dict[str, Any]:
    segments = token.split(".") if len(token) <= _LONGEST_TOKEN else []
    if len(segments) != _SEGMENTS:
        raise UpstreamRefused("token_malformed")
    try:
        header, _, _ = (b64url_decode(segment) for segment in segments)
        content = orjson.loads(header)
    except ValueError as error:
        raise UpstreamRefused("token_malformed") from error
    if not isinstance(content, dict):
        raise UpstreamRefused("token_malformed")
    return content


def _type_of(header: dict[str, Any]) -> str | None:
    typ = header.get("typ")
    if typ is None:
        return None
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else ""


def _open(token: str, key: UpstreamKey, alg: str) -> dict[str, Any]:
    try:
        payload = deserialize_compact(token, key.key, registry=_registry(alg)).payload
    except (JoseError, ValueError) as error:
        raise UpstreamRefused("signature_invalid") from error
    try:
        claims = orjson.loads(payload)
    except ValueError as error:
        raise UpstreamRefused("token_malformed") from error
    if not isinstance(claims, dict):
        raise UpstreamRefused("token_malformed")
    return claims


def _assert_issuer(claims: dict[str, Any], provider: Provider, endpoints: Endpoints, key: UpstreamKey) -> str:
    expected = fill_tenant(endpoints.issuer, claims, provider.allowed_tenants)
    if expected is None:
        raise UpstreamRefused("tenant_not_allowed")
    if claims.get("iss") != expected:
        raise UpstreamRefused("issuer_mismatch")
    # A key set that serves several issuers says for whom each key signs; one tenant's key proves nothing of
    # another.
    if key.issuer is not None and fill_tenant(key.issuer, claims, ()) != expected:
        raise UpstreamRefused("key_of_other_issuer")
    return expected


def _assert_audience(claims: dict[str, Any], client_id: str) -> None:
    audience, azp = claims.get("aud"), claims.get("azp")
    values = audience if isinstance(audience, list) else [audience]
    if client_id not in values or not all(isinstance(value, str) for value in values):
        raise UpstreamRefused("audience_mismatch")
    # OpenID Connect Core §3.1.3.7 (4), (5).
    if (len(values) > 1 or azp is not None) and azp != client_id:
        raise UpstreamRefused("authorized_party_mismatch")


def _assert_times(claims: dict[str, Any], now: datetime) -> None:
    expires, issued = moment(claims.get("exp")), moment(claims.get("iat"))
    if expires is None or issued is None:
        raise UpstreamRefused("token_times_missing")
    if now >= expires + SKEW:
        raise UpstreamRefused("token_expired")
    not_before = moment(claims["nbf"]) if "nbf" in claims else issued
    if not_before is None or max(issued, not_before) > now + SKEW:
        raise UpstreamRefused("token_from_the_future")
