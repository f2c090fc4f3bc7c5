"""One active key, ready to sign compact tokens."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from idp.crypto import b64url_encode


class SigningKey:
    """Signs claims; the protected header is encoded once per type, not per token."""

    __slots__ = ("_headers", "_sign", "alg", "kid")

    def __init__(self, kid: str, alg: str, sign: Callable[[bytes], bytes]) -> None:
        self.kid = kid
        """Identifier of the key in the published key set."""
        self.alg = alg
        """Its one signature algorithm."""
        self._sign = sign
        self._headers: dict[str | None, str] = {}

    def sign(self, claims: Mapping[str, Any], *, typ: str | None) -> str:
        """The compact serialization. Source: RFC 7515 §7.1."""
        header = self._headers.get(typ) or self._header(typ)
        signing_input = f"{header}.{b64url_encode(orjson.dumps(claims))}"
        return f"{signing_input}.{b64url_encode(self._sign(signing_input.encode()))}"

    def _header(self, typ: str | None) -> str:
        members = {"alg": self.alg, "kid": self.kid} | ({"typ": typ} if typ else {})
        prepared = self._headers[typ] = b64url_encode(orjson.dumps(members))
        return prepared

    def __repr__(self) -> str:
        """Name the key, hide its private part."""
        return f"SigningKey({self.alg}, {self.kid})"
