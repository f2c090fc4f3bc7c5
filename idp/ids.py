"""Identifiers that sort by the time they were made and say what they name.

``acc_01JD8M...`` is an account, ``ses_...`` a browser session. They are names, not secrets:
80 random bits keep two apart, nothing is authorized by knowing one.
"""

import os
from datetime import datetime

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_CHARACTERS = 16
# Two characters at a time: half as many steps for something every audit event needs.
_PAIRS = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)
# Five bits of each random byte become its character in one call.
_RANDOM = _CROCKFORD.encode() * 8


def new_id(prefix: str, now: datetime) -> str:
    """A fresh identifier ``<prefix>_<26 characters>``.

    Args:
        prefix: short lower-case name of the kind, for example ``acc``.
        now: aware UTC time; its milliseconds become the sortable first part.

    Source: the layout of ULID (48 bits of time, 80 random bits, Crockford's base 32).
    """
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    pairs = _PAIRS
    return (
        f"{prefix}_{pairs[milliseconds >> 40]}{pairs[milliseconds >> 30 & 1023]}"
        f"{pairs[milliseconds >> 20 & 1023]}{pairs[milliseconds >> 10 & 1023]}{pairs[milliseconds & 1023]}"
        f"{os.urandom(_RANDOM_CHARACTERS).translate(_RANDOM).decode()}"
    )
