"""The counters of a limit, and where they are kept."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from idp.settings import Rate
from idp.storage import Tally, Window

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Counters(Protocol):
    """What is needed of the ephemeral store."""

    def count(self, window: Window, now: datetime, *, unless_full: Window | None = None) -> Tally:
        """Add one to a sliding window, unless it or the other one is full."""
        ...


def window_of(rate: Rate, name: str, now: datetime) -> Window:
    """The two counters of a limit at one moment.

    Windows are counted from 1970 on, so that every worker means the same ones.
    """
    length = rate.window
    number, past = divmod(now - _EPOCH, length)
    key = f"{name}/{rate.name}"
    return Window(
        previous=f"{key}/{number - 1}",
        current=f"{key}/{number}",
        remaining=(length - past) // _MICROSECOND,
        length=length // _MICROSECOND,
        limit=rate.count,
        expires_at=now + 2 * length,
    )


class MemoryCounters:
    """Counters of this process, while the shared store does not answer.

    At most ``capacity`` live ones; beyond it the whole table is emptied, because a full
    table must not stop honest sign-ins.
    """

    def __init__(self, capacity: int = 20_000) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[int, datetime]] = {}

    def count(self, window: Window, now: datetime, *, unless_full: Window | None = None) -> Tally:
        """Add one to a sliding window, unless it or the other one is full."""
        other = unless_full or window
        with self._lock:
            keys = (other.previous, other.current, window.previous, window.current)
            seen = Tally._make((*(self._live(key, now) for key in keys), None))
            if not other.has_room(seen.other_previous, seen.other_current):
                return seen
            if not window.has_room(seen.previous, seen.current):
                return seen
            return seen._replace(total=self._add(window, now))

    def _add(self, window: Window, now: datetime) -> int:
        value, expiry = self._entries.get(window.current, (0, window.expires_at))
        if expiry <= now:
            value, expiry = 0, window.expires_at
        if window.current not in self._entries and len(self._entries) >= self._capacity:
            self._make_room(now)
        self._entries[window.current] = (value + 1, expiry)
        return value + 1

    def _live(self, key: str, now: datetime) -> int:
        value, expiry = self._entries.get(key, (0, now))
        return value if expiry > now else 0

    def _make_room(self, now: datetime) -> None:
        self._entries = {key: entry for key, entry in self._entries.items() if entry[1] > now}
        if len(self._entries) >= self._capacity:
            self._entries.clear()
