"""Durable counters of tries with codes that are short enough to guess."""

from datetime import datetime
from typing import Final

from idp.authenticators.devices import KnownDevice
from idp.authenticators.throttle import MEMORY, PasswordThrottle, blocked_for
from idp.storage import Repositories

GUESSABLE: Final = ("totp", "recovery", "sms", "email")
"""Kinds of proofs that have a counter of their own for each account: exhausting one leaves the others."""


class FactorThrottle:
    """Counts tries with codes by account and kind of code, like wrong passwords (rows L1, L4).

    A try is counted before it is looked at and forgotten when it was right. Others on the same counter
    wait meanwhile, so that guesses in parallel gain nothing over the same guesses one by one. A known device
    has counters of its own: a stranger who exhausts the account's does not lock its owner out (row L3).

    All methods run in the caller's transaction.
    """

    def __init__(self, repos: Repositories, throttle: PasswordThrottle) -> None:
        self._throttles = repos.throttles
        self._throttle = throttle

    def counter(self, account_id: str, device: KnownDevice | None, kind: str) -> bytes:
        """The key of the counter that a try runs under; ``kind`` is one of `GUESSABLE`."""
        of_password = (
            self._throttle.account_key(account_id)
            if device is None
            else self._throttle.device_key(device.digest)
        )
        return of_password + f"#{kind}".encode()

    def count(self, counter: bytes, now: datetime) -> int:
        """Count a try; how many there were in a row, with this one.

        Raises:
            Refused: the counter is paused; ``retry_after`` says for how long. The caller's transaction must
                not go on, so that waiting costs nothing.
        """
        failures, blocked_until = self._throttles.count(counter, now, now + MEMORY)
        self._throttle.assert_open(blocked_until, now)
        return failures

    def fail(self, counter: bytes, failures: int, now: datetime) -> datetime | None:
        """The try was wrong: pause for as long as so many failures cost; until when, if at all."""
        pause = blocked_for(failures)
        until = now + pause if pause else None
        self._throttles.pause(counter, until)
        return until

    def forget(self, account_id: str, device: KnownDevice | None, *kinds: str) -> None:
        """Forget the failures of these kinds, which were proved right, here."""
        if kinds:
            self._throttles.clear(*(self.counter(account_id, device, kind) for kind in kinds))
