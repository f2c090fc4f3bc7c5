"""Authenticated encryption of what must be stored but never read from a stolen database."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_SIZE = 12
_VERSION = b"\x01"


class Unsealable(Exception):
    """The sealed value was made with another key, belongs elsewhere, or was changed."""


class Sealer:
    """AES-256-GCM under one derived key.

    ``context`` names the row the value belongs to and is authenticated with it, so sealed
    values cannot be swapped between rows (decision D5). A random 96-bit nonce is safe for the
    2^32 messages NIST SP 800-38D §8.3 allows; keep one sealer per purpose.
    """

    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Encrypt and authenticate; the result carries version and nonce."""
        nonce = secrets.token_bytes(_NONCE_SIZE)
        return _VERSION + nonce + self._aead.encrypt(nonce, plaintext, _VERSION + context)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """The plaintext of :meth:`seal` with the same context.

        Raises:
            Unsealable: wrong key, wrong context, or a changed value.
        """
        if sealed[:1] != _VERSION or len(sealed) < 1 + _NONCE_SIZE:
            raise Unsealable("unknown format")
        nonce, body = sealed[1 : 1 + _NONCE_SIZE], sealed[1 + _NONCE_SIZE :]
        try:
            return self._aead.decrypt(nonce, body, _VERSION + context)
        except InvalidTag as error:
            raise Unsealable("wrong key, wrong place, or changed") from error
