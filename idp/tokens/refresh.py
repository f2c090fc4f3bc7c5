"""Refresh tokens: derived from their family and generation, never stored (decision D12).

``idp_rt_`` + base64url(family id 16 bytes, generation 4 bytes, HMAC-SHA-256 32 bytes). The
database keeps one row per family with the present generation; a token of an older one is
recognised as reuse for as long as the family lives (row T8).
"""

from typing import NamedTuple

from idp.crypto import b64url_decode, b64url_encode, constant_time_equal, hmac_sha256
from idp.keys import InvalidToken
from idp.tokens.families import FAMILY_BYTES

REFRESH_TOKEN_PREFIX = "idp_rt_"
"""Lets secret scanners find leaked tokens (row T18)."""

_LABEL = b"idp:refresh_token:1\x00"
_GENERATION_BYTES = 4
_MAC_BYTES = 32
_BODY_BYTES = FAMILY_BYTES + _GENERATION_BYTES
_ENCODED_LENGTH = len(REFRESH_TOKEN_PREFIX) + ((_BODY_BYTES + _MAC_BYTES) * 4 + 2) // 3
_SMALLEST_KEY = 32


class RefreshTokenParts(NamedTuple):
    """What an authentic refresh token says. Whether it is still good, the family's row says."""

    family_id: str
    generation: int


class RefreshTokens:
    """Makes and reads refresh tokens.

    Args:
        key: at least 32 bytes, derived from the root key for this purpose alone.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < _SMALLEST_KEY:
            raise ValueError(f"the refresh token key needs {_SMALLEST_KEY} bytes")
        self._key = key

    def encode(self, family_id: str, generation: int) -> str:
        """The token of one generation; the same arguments always give the same token.

        Args:
            family_id: from :func:`idp.tokens.new_family_id`.
            generation: 0 to 2^32 - 1.

        Raises:
            ValueError: not a family id.
            OverflowError: a generation out of range.
        """
        family = b64url_decode(family_id)
        if len(family) != FAMILY_BYTES:
            raise ValueError(f"a family id is {FAMILY_BYTES} bytes")
        body = family + generation.to_bytes(_GENERATION_BYTES, "big")
        return REFRESH_TOKEN_PREFIX + b64url_encode(body + hmac_sha256(self._key, _LABEL + body))

    def decode(self, text: str) -> RefreshTokenParts:
        """The family and generation of an authentic token.

        Raises:
            InvalidToken: anything that :meth:`encode` did not make with this key.
        """
        # The length first: it bounds the work, whatever is sent (row T3).
        if len(text) != _ENCODED_LENGTH or not text.startswith(REFRESH_TOKEN_PREFIX):
            raise InvalidToken("not a refresh token")
        try:
            raw = b64url_decode(text[len(REFRESH_TOKEN_PREFIX) :])
        except ValueError as error:
            raise InvalidToken("refresh token is not canonical base64url") from error
        body, mac = raw[:_BODY_BYTES], raw[_BODY_BYTES:]
        if not constant_time_equal(mac, hmac_sha256(self._key, _LABEL + body)):
            raise InvalidToken("refresh token is not authentic")
        family = b64url_encode(body[:FAMILY_BYTES])
        return RefreshTokenParts(family, int.from_bytes(body[FAMILY_BYTES:], "big"))
