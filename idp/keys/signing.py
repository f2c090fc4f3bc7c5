"""One active key, ready to sign compact tokens."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from idp.crypto import b64url_bytes


class SigningKey:
    """Signs claims; the protected header is encoded once per type, not per token."""

    __slots__ = ("_headers", "_sign", "alg", "kid")

    def __init__(self, kid: str, alg: str, sign: Callable[[bytes], bytes]) -> None:
        self.kid = kid
        """Identifier of the key in the published key set."""
        self.alg = alg
        """Its one signature algorithm."""
        self._sign = sign
        self._headers: dict[str | None, bytes] = {}

    def sign(self, claims: Mapping[str, Any], *, typ: str | None) -> str:
        """The compact serialization. Source: RFC 7515 §7.1."""
        return self.sign_payload(orjson.dumps(claims), typ=typ).decode("ascii")

    def sign_payload(self, payload: bytes, *, typ: str | None) -> bytes:
        """As :meth:`sign`, for claims that are JSON already. ASCII."""
        signing_input = (self._headers.get(typ) or self._header(typ)) + b64url_bytes(payload)
        return signing_input + b"." + b64url_bytes(self._sign(signing_input))

    def _header(self, typ: str | None) -> bytes:
        members = {"alg": self.alg, "kid": self.kid} | ({"typ": typ} if typ else {})
        prepared = self._headers[typ] = b64url_bytes(orjson.dumps(members)) + b"."
        return prepared

    def __repr__(self) -> str:
        """Name the key, hide its private part."""
        return f"SigningKey({self.alg}, {self.kid})"
