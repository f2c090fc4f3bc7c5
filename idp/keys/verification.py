"""Checking a signed token against one explicit key of ours.

The header is read only to find the key and to be compared with what the key allows; it
never chooses an algorithm and never brings a key (rows T1 to T4).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry, deserialize_compact

from idp.crypto import b64url_decode
from idp.keys.errors import InvalidToken

MAX_TOKEN_SIZE = 8192
"""Characters; larger tokens are refused before anything is decoded (row T3)."""

_SEGMENTS = 3


class OneAlgorithm(JWSRegistry):
    """Knows exactly one algorithm: the one its key was made for.

    Also passes over joserfc's warning about the name ``EdDSA``: RFC 9864 retires it because
    it leaves the curve open, and here the key fixes the curve.

    Args:
        alg: its registered name.
        longest_payload: in bytes.
        longest_header: in bytes; ``None`` for joserfc's own limit.
    """

    def __init__(
        self, alg: str, *, longest_payload: int = MAX_TOKEN_SIZE, longest_header: int | None = None
    ) -> None:
        super().__init__(algorithms=[alg], strict_check_header=False)
        self.max_payload_length = longest_payload
        if longest_header is not None:
            self.max_header_length = longest_header
        self._alg = alg

    def get_alg(self, name: str) -> Any:
        """The one algorithm.

        Raises:
            UnsupportedAlgorithmError: any other name.
        """
        if name != self._alg:
            raise UnsupportedAlgorithmError(f"Algorithm of '{name}' is not allowed")
        return self.algorithms[self._alg]


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key of ours, with the one algorithm it verifies."""

    kid: str
    alg: str
    key: Key
    """Parsed once; importing a key in a request costs as much as many requests."""
    registry: JWSRegistry

    @classmethod
    def of(cls, kid: str, alg: str, key: Key) -> "VerificationKey":
        """Bind a parsed public key to its algorithm."""
        return cls(kid, alg, key, OneAlgorithm(alg))


def verify(
    token: str,
    *,
    find: Callable[[str], VerificationKey | None],
    typ: Collection[str | None],
    algs: Collection[str],
) -> dict[str, Any]:
    """The claims of a token that one of our keys signed.

    Checks size, form, type, key and signature. Times, issuer and audience are the caller's,
    because they differ by use: an expired ID token is a fine ``id_token_hint``.

    Args:
        token: compact serialization, as received.
        find: our own key set; the ``kid`` is nothing but an opaque name in it.
        typ: accepted types in lower case; ``None`` stands for a header without ``typ``.
        algs: accepted algorithms, a subset of the supported ones.

    Raises:
        InvalidToken: for every other input.

    Source: RFC 7515 §5.2, §4.1.11 (``crit``), RFC 8725 §3.1 to §3.11.
    """
    header = _read_header(token)
    if "crit" in header:
        raise InvalidToken("critical header extension")
    if _normalised_type(header.get("typ")) not in typ:
        raise InvalidToken("wrong type")
    kid = header.get("kid")
    key = find(kid) if isinstance(kid, str) else None
    if key is None:
        raise InvalidToken("unknown key")
    if key.alg not in algs or header.get("alg") != key.alg:
        raise InvalidToken("algorithm does not fit the key")
    try:
        payload = deserialize_compact(token, key.key, registry=key.registry).payload
        claims = orjson.loads(payload)
    except (JoseError, ValueError) as error:
        raise InvalidToken(f"not verified: {type(error).__name__}") from error
    if not isinstance(claims, dict):
        raise InvalidToken("claims are not an object")
    return claims


def _read_header(token: str) -> dict[str, Any]:
    if len(token) > MAX_TOKEN_SIZE:
        raise InvalidToken("too large")
    segments = token.split(".")
    if len(segments) != _SEGMENTS:
        raise InvalidToken("not a compact JWS")
    try:
        # All three, so that one token has exactly one spelling.
        header, _, _ = (b64url_decode(segment) for segment in segments)
        content = orjson.loads(header)
    except ValueError as error:
        raise InvalidToken("not canonical base64url or JSON") from error
    if not isinstance(content, dict):
        raise InvalidToken("header is not an object")
    return content


def _normalised_type(value: object) -> str | None:
    """Media types compare without case, and ``application/`` may be left out. Source: RFC 7515 §4.1.9."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidToken("type is not text")
    return value.lower().removeprefix("application/")
