"""The published key set, as bytes."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import orjson

from idp.crypto import b64url_encode
from idp.keys.states import KeyRecord

_PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e", "kid", "use", "alg")


@dataclass(frozen=True, slots=True)
class Jwks:
    """A JWK Set, ready to be sent."""

    body: bytes
    """JSON of RFC 7517 §5."""
    etag: str
    """Strong validator in quotes; changes exactly when ``body`` does."""
    max_age: int
    """Seconds a relying party may keep it."""


def render(records: Iterable[KeyRecord], max_age: timedelta) -> Jwks:
    """The key set of these records, in their order.

    Members are copied by an allow-list, so that a private one cannot slip out even if a row
    held it (row X18).
    """
    keys = [
        {name: record.public_jwk[name] for name in _PUBLIC_MEMBERS if name in record.public_jwk}
        for record in records
    ]
    body = orjson.dumps({"keys": keys})
    etag = f'"{b64url_encode(hashlib.sha256(body).digest()[:16])}"'
    return Jwks(body, etag, int(max_age.total_seconds()))
