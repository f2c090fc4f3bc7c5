"""Client secrets: made here, stored only as keyed digests."""

import re
from typing import Final

from idp.crypto import Secret, keyed_digest, random_token
from idp.errors import Invalid

PREFIX: Final = "idp_cs_"
"""Start of every secret we make, so that secret scanners find leaks (row T18)."""

_KIND: Final = "client-secret"
# RFC 6749 appendix A.2 (VSCHAR).
_ACCEPTABLE = re.compile(r"[\x20-\x7e]{1,512}")


def new_client_secret() -> Secret[str]:
    """A fresh secret of 256 random bits."""
    return Secret(PREFIX + random_token())


def accept_client_secret(secret: str) -> Secret[str]:
    """A secret that the operator brings along.

    Raises:
        Invalid: empty, longer than 512 characters, or not visible ASCII (RFC 6749 appendix A.2).
    """
    if not _ACCEPTABLE.fullmatch(secret):
        raise Invalid("A client secret has 1 to 512 visible ASCII characters.", field="client_secret")
    return Secret(secret)


def secret_digest(key: bytes, secret: str) -> bytes:
    """HMAC-SHA-256 of a secret; operators may bring weak ones, so the digest is keyed (row K5)."""
    return keyed_digest(key, _KIND, secret)
