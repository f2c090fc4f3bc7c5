"""The public keys of providers: each with the algorithms that its kind can have, found by ``kid``.

Source: RFC 7517 §4, §5; OpenID Connect Core §10.1 (a key set with several keys needs ``kid`` in the header).
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from idp.clock import Clock
from idp.crypto import b64url_decode
from idp.federation.egress_session import EgressSession
from idp.federation.errors import UpstreamUnavailable
from idp.federation.kept import Kept
from idp.federation.provider import Provider
from idp.http import HttpClient

ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
"""Signature algorithms that can be allowed at all, with the ``kty`` and ``crv`` of their keys."""

_MOST_KEYS = 100
_SMALLEST_MODULUS = 256  # bytes
_PUBLIC = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}


@dataclass(frozen=True, slots=True)
class UpstreamKey:
    """A public key of a provider."""

    key: Key
    kid: str | None
    kty: str
    crv: str | None
    alg: str | None
    """The one algorithm, if the provider binds the key to one."""
    issuer: str | None
    """Whose tokens it signs, if the key set serves several issuers (Entra)."""

    def fits(self, alg: str) -> bool:
        """Whether a signature of this algorithm can be of this key."""
        kty, crv = ALGORITHMS[alg]
        return self.kty == kty and (crv is None or self.crv == crv) and self.alg in (None, alg)


KeySet = tuple[UpstreamKey, ...]


class KeySetCache:
    """Each provider's keys; asked for again when a token names one that is not among them, once a minute.

    Args:
        http: the one egress.
        clock: tells durations.
    """

    def __init__(self, http: HttpClient, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._lock = threading.Lock()
        self._sets: dict[str, tuple[str, Kept[KeySet]]] = {}

    def find(self, provider: Provider, jwks_uri: str | None, kid: str | None, alg: str) -> UpstreamKey | None:
        """The one key that a token can have been signed with; ``None`` if there is none, or more than one.

        Args:
            provider: whose keys.
            jwks_uri: where they are.
            kid: as the token's header says it; an opaque name.
            alg: an algorithm of :data:`ALGORITHMS` that the provider is allowed.

        Raises:
            UpstreamUnavailable: the keys could never be had so far.
        """
        if jwks_uri is None:
            raise UpstreamUnavailable("jwks_uri_missing")
        kept = self._kept(provider.id, jwks_uri)
        keys = kept.get()
        return _pick(keys, kid, alg) or _pick(kept.newer_than(keys), kid, alg)

    def _kept(self, provider_id: str, jwks_uri: str) -> Kept[KeySet]:
        with self._lock:
            known = self._sets.get(provider_id)
            if known is None or known[0] != jwks_uri:
                known = (jwks_uri, Kept(lambda: self._fetch(jwks_uri), self._clock))
                self._sets[provider_id] = known
            return known[1]

    def _fetch(self, jwks_uri: str) -> KeySet:
        answer = EgressSession(self._http, "jwks").get(jwks_uri)
        answer.raise_for_status()
        listed = answer.json_object().get("keys")
        if not isinstance(listed, list):
            raise UpstreamUnavailable("jwks_malformed")
        found = (_read(entry) for entry in listed[:_MOST_KEYS])
        return tuple(key for key in found if key is not None)


def _pick(keys: KeySet, kid: str | None, alg: str) -> UpstreamKey | None:
    fitting = [key for key in keys if key.fits(alg) and (kid is None or key.kid == kid)]
    return fitting[0] if len(fitting) == 1 else None


def _read(entry: object) -> UpstreamKey | None:
    """One key of the set; ``None`` for what is no public signature key we know (RFC 7517 §5)."""
    if not isinstance(entry, dict) or not _is_for_signatures(entry):
        return None
    kty = entry.get("kty")
    members = _PUBLIC.get(kty) if isinstance(kty, str) else None
    if members is None or not all(isinstance(entry.get(name), str) for name in members):
        return None
    # Only the public members: what else a provider writes there, a private part included, is not looked at.
    public = {"kty": kty, **{name: entry[name] for name in members}}
    try:
        if kty == "RSA" and len(b64url_decode(entry["n"])) < _SMALLEST_MODULUS:
            return None
        key = import_key(public)
    except (JoseError, ValueError, TypeError):
        return None
    return UpstreamKey(
        key=key,
        kid=_text(entry.get("kid")),
        kty=str(kty),
        crv=_text(entry.get("crv")),
        alg=_text(entry.get("alg")),
        issuer=_text(entry.get("issuer")),
    )


def _is_for_signatures(entry: Mapping[str, Any]) -> bool:
    operations = entry.get("key_ops")
    return entry.get("use") in (None, "sig") and (
        operations is None or (isinstance(operations, list) and "verify" in operations)
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
