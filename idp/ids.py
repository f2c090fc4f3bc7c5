"""Identifiers that sort by the time they were made and say what they name.

``acc_01JD8M...`` is an account, ``ses_...`` a browser session. They are names, not secrets:
80 random bits keep two apart, nothing is authorized by knowing one.
"""

import os
from collections import deque
from datetime import datetime
from functools import lru_cache

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
# Two characters at a time: half as many steps for something every audit event needs.
_PAIRS = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)
# Five bits of each of the sixteen random bytes become its character in one call.
_RANDOM = _CROCKFORD.encode() * 8


NAME_BYTES = 16
"""Size of :func:`fresh_bytes`: 128 random bits."""

_BLOCK = 256 * NAME_BYTES


def fresh_bytes() -> bytes:
    """``NAME_BYTES`` random bytes for a name that has to be unlike every other, and is no secret.

    They come from the operating system's generator, 256 names at a time. Each call of that generator lets
    go of the interpreter's lock; with other requests waiting for it, four calls in a token request were
    four chances to be put aside in the middle and go on with cold caches. What must not be guessed is
    never made of this: such bytes would lie in memory before they are needed.
    """
    try:
        return _kept.pop()
    except IndexError:
        block = os.urandom(_BLOCK)
        _kept.extend(block[start : start + NAME_BYTES] for start in range(NAME_BYTES, _BLOCK, NAME_BYTES))
        return block[:NAME_BYTES]


_kept: deque[bytes] = deque()  # its pop and extend are atomic
# Workers are forked from a process that may have some left: they would all give the same names.
os.register_at_fork(after_in_child=_kept.clear)


def new_id(prefix: str, now: datetime) -> str:
    """A fresh identifier ``<prefix>_<26 characters>``.

    Args:
        prefix: short lower-case name of the kind, for example ``acc``.
        now: aware UTC time; its milliseconds become the sortable first part.

    Source: the layout of ULID (48 bits of time, 80 random bits, Crockford's base 32).
    """
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    random = fresh_bytes().translate(_RANDOM).decode()
    return f"{prefix}_{_seconds(milliseconds >> 10)}{_PAIRS[milliseconds & 1023]}{random}"


@lru_cache(maxsize=16)  # many names are made in one second
def _seconds(count: int) -> str:
    """The first eight characters: units of 1024 milliseconds."""
    pairs = _PAIRS
    return f"{pairs[count >> 30]}{pairs[count >> 20 & 1023]}{pairs[count >> 10 & 1023]}{pairs[count & 1023]}"
