"""Identifiers that sort by the time they were made and say what they name.

``acc_01JD8M...`` is an account, ``ses_...`` a browser session. They are names, not secrets:
80 random bits keep two apart, nothing is authorized by knowing one.
"""

import secrets
from datetime import datetime

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 80


def new_id(prefix: str, now: datetime) -> str:
    """A fresh identifier ``<prefix>_<26 characters>``.

    Args:
        prefix: short lower-case name of the kind, for example ``acc``.
        now: aware UTC time; its milliseconds become the sortable first part.

    Source: the layout of ULID (48 bits of time, 80 random bits, Crockford's base 32).
    """
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    number = (milliseconds << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    characters = [_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(characters)}"
