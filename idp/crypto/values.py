"""Random values, their text form, and a wrapper that keeps secrets out of logs."""

import binascii
import os
from typing import Generic, TypeVar

T = TypeVar("T")

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_FROM_URL_SAFE = bytes.maketrans(
    b"-_+/=", b"+/!!!"
)  # what the other alphabet has, and padding, are junk here
_PADDING = (b"", b"", b"==", b"=")
# Last characters whose bits beyond the last byte are zero, by the number of characters in the last group.
_LAST = ("", "", "AQgw", "AEIMQUYcgkosw048")


class Secret(Generic[T]):
    """A value that must not be printed; ``reveal()`` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """The wrapped value. Call it as late as possible."""
        return self._value

    def __repr__(self) -> str:
        """Hide the value in logs and tracebacks."""
        return "Secret(**********)"

    __str__ = __repr__


def random_token(size: int = 32) -> str:
    """``size`` bytes from the operating system's generator, as unpadded base64url.

    The default of 256 bits is above the 128 that RFC 6749 §10.10 asks for.
    """
    return b64url_encode(os.urandom(size))


def b64url_encode(data: bytes) -> str:
    """Base64url without padding. Source: RFC 7515 §2."""
    # Not by way of the other one: a token request comes here a dozen times.
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=").decode("ascii")


def b64url_bytes(data: bytes) -> bytes:
    """As :func:`b64url_encode`, for text that is put together as bytes."""
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=")


def b64url_decode(text: str) -> bytes:
    """The inverse of :func:`b64url_encode`; accepts the canonical form only.

    Raises:
        ValueError: a character outside the alphabet, padding, or stray trailing bits, so
            that one value has exactly one spelling.
    """
    rest = len(text) % 4
    if rest and text[-1] not in _LAST[rest]:  # with a single character left over, whatever it is
        raise ValueError("not canonical base64url")
    try:
        return binascii.a2b_base64(
            text.encode("ascii").translate(_FROM_URL_SAFE) + _PADDING[rest], strict_mode=True
        )
    except ValueError as error:
        raise ValueError("not base64url") from error
