"""Digests of generated secrets, each with a label that says what the secret is.

The label keeps name spaces apart: a code can never be found as a session, even if
somebody presents it as one (decision D13).
"""

import hashlib
import hmac
from functools import lru_cache
from typing import Any


def token_digest(kind: str, value: str) -> bytes:
    """SHA-256 over the label and the value; 32 bytes.

    For values of 256 random bits, which need no slow hash (decision D5).
    """
    return hashlib.sha256(b"idp:%s\x00%s" % (kind.encode(), value.encode("utf-8", "surrogatepass"))).digest()


def keyed_digest(key: bytes, kind: str, value: str) -> bytes:
    """HMAC-SHA-256 over the label and the value; 32 bytes.

    For values a person chose (a client secret typed by an operator): without the key a
    stolen database cannot be searched for weak ones.
    """
    return hmac_sha256(key, b"idp:%s\x00%s" % (kind.encode(), value.encode("utf-8", "surrogatepass")))


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256, 32 bytes. Source: RFC 2104 §2.

    The same as ``hmac.digest``, at a third of its cost: that one has OpenSSL look up and set up an
    HMAC anew for each call, which on the token path costs as much as a fifth of a signature. Here
    the hash of the padded key is computed once and copied.
    """
    keyed_inner, keyed_outer = _keyed(key)
    inner, outer = keyed_inner.copy(), keyed_outer.copy()
    inner.update(message)
    outer.update(inner.digest())
    digest: bytes = outer.digest()
    return digest


@lru_cache(maxsize=64)  # one entry for each purpose a key was derived for, and a few more while tests run
def _keyed(key: bytes) -> tuple[Any, Any]:
    """The states of the inner and the outer hash after the key."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return hashlib.sha256(block.translate(_INNER_PAD)), hashlib.sha256(block.translate(_OUTER_PAD))


_BLOCK = 64
_INNER_PAD = bytes(octet ^ 0x36 for octet in range(256))
_OUTER_PAD = bytes(octet ^ 0x5C for octet in range(256))


def constant_time_equal(left: bytes, right: bytes) -> bool:
    """Compare without telling by time how much of the value was right."""
    return hmac.compare_digest(left, right)
