"""Digests of generated secrets, each with a label that says what the secret is.

The label keeps name spaces apart: a code can never be found as a session, even if
somebody presents it as one (decision D13).
"""

import hashlib
import hmac


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
    message = b"idp:%s\x00%s" % (kind.encode(), value.encode("utf-8", "surrogatepass"))
    return hmac.digest(key, message, "sha256")


def constant_time_equal(left: bytes, right: bytes) -> bool:
    """Compare without telling by time how much of the value was right."""
    return hmac.compare_digest(left, right)
