"""Names of token families.

A family is everything that came from one code exchange: its access tokens, and the line of
refresh tokens. It is opened for every exchange, with or without a refresh token, so that
revoking it reaches all of them (rows C2, T7).
"""

from idp.crypto import b64url_encode
from idp.ids import NAME_BYTES, fresh_bytes

FAMILY_BYTES = NAME_BYTES
"""128 random bits (row C9)."""


def new_family_id() -> str:
    """A fresh family id: 16 random bytes as 22 characters of base64url."""
    return b64url_encode(fresh_bytes())
