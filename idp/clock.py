"""The only place that asks the machine what time it is.

Rules take ``now`` as an argument; entrances and flows ask the injected :class:`Clock`.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where the current time comes from."""

    def now(self) -> datetime:
        """The current moment as an aware UTC time."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back. For durations inside one process."""
        ...


class SystemClock:
    """The machine's clock, corrected by the measured distance to the database's clock.

    Several nodes decide about the same expiry, so they must agree on the time. The change
    feed measures the difference to the database once a second and stores it here; on SQLite
    it stays zero.
    """

    def __init__(self) -> None:
        self._offset = timedelta(0)

    def now(self) -> datetime:
        """The current moment in the database's time, aware UTC."""
        return datetime.now(UTC) + self._offset

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""
        return time.monotonic()

    def correct(self, *, database_now: datetime, local_now: datetime) -> None:
        """Take over the database's time.

        Args:
            database_now: the database's clock at the middle of the round trip.
            local_now: this machine's uncorrected clock at the same moment.
        """
        self._offset = database_now - local_now

    @staticmethod
    def uncorrected() -> datetime:
        """This machine's own clock, aware UTC; only for measuring the offset."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved. For tests and for replaying a moment."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._elapsed = 0.0

    def now(self) -> datetime:
        """The moment the clock was set to."""
        return self._now

    def monotonic(self) -> float:
        """Seconds the clock has been moved forward since it was made."""
        return self._elapsed

    def advance(self, step: timedelta) -> None:
        """Move the clock forward by ``step``."""
        self._now += step
        self._elapsed += step.total_seconds()
