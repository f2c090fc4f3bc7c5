"""Durable counters of consecutive password failures, with a delay that grows."""

from datetime import datetime, timedelta
from typing import Final

import orjson

from idp.crypto import Secret, keyed_digest
from idp.errors import Refused
from idp.storage import Repositories
from idp.storage.hot import ACCOUNT_COUNTER

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


PAUSES: Final = orjson.dumps(
    [blocked_for(failures).total_seconds() for failures in range(1, HARD_STOP + 1)]
).decode()
"""The same as a table, for the statement that counts: seconds by failures in a row, from the first."""


class PasswordThrottle:
    """Names the durable failure counters and says what they mean; ``LoginStore`` counts.

    They are in the database, so that no restart, worker or flush forgets them (row L2). A count
    runs under one key: an account, a name nobody has (so that both behave alike, row L6), or a
    device that signed in to the account before. An attempt runs under the device's key instead of
    the account's when the browser is a known one, so a stranger who exhausts the account's attempts
    does not lock its owner out (row L3).

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
        return f"{ACCOUNT_COUNTER}{account_id}".encode()

    def name_key(self, canonical: str) -> bytes:
        """The key of a name that no account has, or of text that can be no name."""
        return keyed_digest(self._key.reveal(), "throttle-name", canonical)

    def device_key(self, device_digest: bytes) -> bytes:
        """The key of a known device and its account."""
        return keyed_digest(self._key.reveal(), "throttle-device", device_digest.hex())

    def assert_open(self, blocked_until: datetime | None, now: datetime) -> None:
        """Let an attempt pass, or refuse it before any hashing.

        Two guesses that run at the same time both pass; the statement that accepts a password
        therefore asks again, so that a burst of parallel guesses gains nothing over the same
        guesses one by one.

        Args:
            blocked_until: of the counter that the attempt runs under.
            now: aware UTC time.

        Raises:
            Refused: the counter is paused; ``retry_after`` says for how long.
        """
        if blocked_until is not None and blocked_until > now:
            raise Refused(
                "Too many failed attempts. Please wait before you try again.",
                detail="password attempts are paused",
                retry_after=blocked_until - now,
            )

    def forget(self, account_id: str, *, device_digest: bytes | None = None) -> None:
        """Forget the failures of an account, or of a device of it. In the caller's transaction."""
        self._throttles.clear(
            self.account_key(account_id) if device_digest is None else self.device_key(device_digest)
        )
