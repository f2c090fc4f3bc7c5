"""What a password may be, and its one normal form."""

import unicodedata
from typing import Final

from idp.errors import Invalid

SHORTEST: Final = 8
"""Code points of any password; people who choose their own need more, see ``Settings.new_password_length``.
Source: NIST SP 800-63B-4 §3.1.1.2."""


def normalized_password(password: str, *, max_bytes: int) -> str:
    """The password in NFC, the same when it is set and when it is checked (row P3).

    The cap comes before normalisation and hashing, so that long input costs nothing (row P4).

    Raises:
        Invalid: longer than ``max_bytes`` of UTF-8, or not valid Unicode.

    Source: NIST SP 800-63B-4 §3.1.1.2.
    """
    try:
        size = len(password.encode())
    except UnicodeEncodeError as error:
        raise Invalid("The password is not valid text.", field="password") from error
    if size > max_bytes:
        raise Invalid(f"The password is too long: at most {max_bytes} bytes are possible.", field="password")
    return unicodedata.normalize("NFC", password)


def validate_new_password(password: str, *, min_length: int, max_bytes: int) -> str:
    """Accept a new password in its normal form; no rule but length (rows P1, P2, P4).

    Args:
        password: as typed; every character counts, spaces included.
        min_length: Unicode code points after normalisation.
        max_bytes: UTF-8 bytes as typed.

    Raises:
        Invalid: too short or too long.
    """
    normal = normalized_password(password, max_bytes=max_bytes)
    if len(normal) < min_length:
        raise Invalid(f"The password is too short: use at least {min_length} characters.", field="password")
    return normal
