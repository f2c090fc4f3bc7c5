"""Recovery codes: ten that a person keeps for the loss of everything else."""

import secrets
from datetime import datetime
from typing import Final

from idp.crypto import Secret, keyed_digest
from idp.onetime import without_separators
from idp.storage import Repositories

RECOVERY_CODES: Final = 10
"""How many there are in a set."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O and U, which are read as other characters, or as words."""
_READ_AS: Final = str.maketrans({"I": "1", "L": "1", "O": "0"})
_LENGTH: Final = 24
_GROUP: Final = 4


class RecoveryCodes:
    """The set of each account; the caller holds the transaction.

    120 random bits each: more than the 112 from which on a fast hash is enough (row M2). It is
    keyed all the same, and holds the account, so that a digest moved to another account is none.

    Args:
        repos: repositories on the caller's session.
        key: for the digests.
    """

    def __init__(self, repos: Repositories, key: Secret[bytes]) -> None:
        self._rows = repos.recovery_codes
        self._key = key

    def create(self, account_id: str, now: datetime) -> list[str]:
        """A new set in the place of the former; this is the only time that the codes are seen."""
        codes = [_new_code() for _ in range(RECOVERY_CODES)]
        self._rows.replace(account_id, [self._digest(account_id, code) for code in codes], now)
        return codes

    def claim(self, account_id: str, code: str, now: datetime) -> bool:
        """Use a code up; at most one caller ever succeeds.

        Failures are not counted here: whoever asks has a counter (row L4).

        Args:
            account_id: whose code.
            code: as typed: case, spaces and dashes do not matter, nor O for 0 and I or L for 1.
            now: aware UTC time.
        """
        bare = without_separators(code).upper().translate(_READ_AS)
        if len(bare) != _LENGTH or not set(bare) <= set(_ALPHABET):
            return False
        return self._rows.claim(account_id, self._digest(account_id, bare), now)

    def left(self, account_id: str) -> int:
        """How many can still be used."""
        return self._rows.count_left(account_id)

    def remove(self, account_id: str, now: datetime) -> None:
        """Forget the whole set."""
        self._rows.replace(account_id, (), now)

    def _digest(self, account_id: str, code: str) -> bytes:
        return keyed_digest(self._key.reveal(), "recovery-code", f"{account_id}\0{without_separators(code)}")


def _new_code() -> str:
    characters = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return "-".join(characters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))
