"""Durable counters of consecutive password failures, with a delay that grows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from idp.crypto import Secret, keyed_digest
from idp.errors import Refused
from idp.storage import Repositories, ThrottleRow

FREE_FAILURES: Final = 4
"""Failures in a row that cost nothing: people mistype."""

LONGEST_DELAY: Final = timedelta(minutes=15)

HARD_STOP: Final = 100
"""Failures in a row after which nothing but time or a known device helps (row L1)."""

MEMORY: Final = timedelta(days=30)
"""How long after the last failure the count is kept; the length of a hard stop."""

_FIRST_DELAY: Final = timedelta(seconds=1)
_CAPPED_AFTER: Final = 10  # 2^10 s is above the cap; keeps the power small


def blocked_for(failures: int) -> timedelta:
    """How long sign-in pauses after this many failures in a row.

    Nothing for the first four, then 1, 2, 4 … seconds up to 15 minutes; from the 100th on until
    the count is forgotten.

    Source: NIST SP 800-63B-4 §3.2.2 (at most 100 consecutive failures); row L1.
    """
    if failures >= HARD_STOP:
        return MEMORY
    if failures <= FREE_FAILURES:
        return timedelta(0)
    doublings = min(failures - FREE_FAILURES - 1, _CAPPED_AFTER)
    return min(_FIRST_DELAY * (1 << doublings), LONGEST_DELAY)


class PasswordThrottle:
    """Counts failures in the database, so that no restart, worker or flush forgets them (row L2).

    A count runs under one key: an account, a name nobody has (so that both behave alike, row
    L6), or a device that signed in to the account before. The flow asks under the device's key
    instead of the account's when the browser is a known one, so a stranger who exhausts the
    account's attempts does not lock its owner out (row L3).

    Callers hold the transaction. Two guesses that run at the same time both pass ``before``;
    the flow therefore asks ``before`` again in the transaction in which it accepts a password,
    so that a burst of parallel guesses gains nothing over the same guesses one by one.

    Args:
        repos: repositories on the caller's session.
        key: for the digests of the counters' names: what people type as their name is at times
            their password, and must not be found in a stolen database.
    """

    def __init__(self, repos: Repositories, key: Secret[bytes]) -> None:
        self._throttles = repos.throttles
        self._key = key

    def account_key(self, account_id: str) -> bytes:
        """The key of an account."""
        return keyed_digest(self._key.reveal(), "throttle-account", account_id)

    def name_key(self, canonical: str) -> bytes:
        """The key of a name that no account has, or of text that can be no name."""
        return keyed_digest(self._key.reveal(), "throttle-name", canonical)

    def device_key(self, device_digest: bytes) -> bytes:
        """The key of a known device and its account."""
        return keyed_digest(self._key.reveal(), "throttle-device", device_digest.hex())

    def before(self, keys: Sequence[bytes], now: datetime) -> None:
        """Let an attempt pass, or refuse it before any hashing.

        Raises:
            Refused: one of the keys is paused; ``retry_after`` says for how long.
        """
        pauses = [row.blocked_until - now for row in self._rows(keys, now) if row.blocked_until]
        longest = max(pauses, default=timedelta(0))
        if longest > timedelta(0):
            raise Refused(
                "Too many failed attempts. Please wait before you try again.",
                detail="password attempts are paused",
                retry_after=longest,
            )

    def failed(self, keys: Sequence[bytes], now: datetime) -> int:
        """Count a failure under every key; the highest count of failures in a row.

        One atomic statement per key counts; parallel failures are all counted.
        """
        return max((self._record(key, now) for key in keys), default=0)

    def succeeded(self, keys: Sequence[bytes]) -> None:
        """Forget the failures under these keys."""
        for key in keys:
            self._throttles.clear(key)

    def _record(self, key: bytes, now: datetime) -> int:
        def blocked_until(failures: int) -> datetime | None:
            pause = blocked_for(failures)
            return now + pause if pause else None

        row = self._throttles.record_failure(key, now, expires_at=now + MEMORY, blocked_until=blocked_until)
        return row.failures

    def _rows(self, keys: Sequence[bytes], now: datetime) -> list[ThrottleRow]:
        found = (self._throttles.get(key) for key in keys)
        return [row for row in found if row is not None and row.expires_at > now]
