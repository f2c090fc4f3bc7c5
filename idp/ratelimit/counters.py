"""Counting in the ephemeral store, in the shape the ``limits`` library asks for."""

import math
import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol

from limits.storage import SlidingWindowCounterSupport, Storage
from limits.storage.base import TimestampedSlidingWindow

from idp.errors import Unavailable


class Counters(Protocol):
    """What is needed of the ephemeral store."""

    def increment(self, key: str, amount: int, *, expires_at: datetime, now: datetime) -> int:
        """Add and return the new value; the first addition sets the expiry."""
        ...

    def counter(self, key: str, now: datetime) -> tuple[int, datetime | None]:
        """The value, 0 when there is none, and its expiry."""
        ...


class MemoryCounters:
    """Counters of this process, while the shared store does not answer.

    At most ``capacity`` live ones; beyond it the whole table is emptied, because a full
    table must not stop honest sign-ins.
    """

    def __init__(self, capacity: int = 20_000) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._entries: dict[str, tuple[int, datetime]] = {}

    def increment(self, key: str, amount: int, *, expires_at: datetime, now: datetime) -> int:
        """Add and return the new value; the first addition sets the expiry."""
        with self._lock:
            value, expiry = self._entries.get(key, (0, expires_at))
            if expiry <= now:
                value, expiry = 0, expires_at
            if key not in self._entries and len(self._entries) >= self._capacity:
                self._make_room(now)
            self._entries[key] = (value + amount, expiry)
            return value + amount

    def counter(self, key: str, now: datetime) -> tuple[int, datetime | None]:
        """The value, 0 when there is none, and its expiry."""
        value, expiry = self._entries.get(key, (0, now))
        return (value, expiry) if expiry > now else (0, None)

    def _make_room(self, now: datetime) -> None:
        self._entries = {key: entry for key, entry in self._entries.items() if entry[1] > now}
        if len(self._entries) >= self._capacity:
            self._entries.clear()


class CounterStorage(Storage, SlidingWindowCounterSupport, TimestampedSlidingWindow):
    """``limits`` storage over our counters at one moment: time is an argument, not the machine's.

    Two windows of one length share the work: the count of the previous one fades linearly
    while the present one fills. When several requests meet at the last free place, the
    losers' attempts stay counted, because the store only adds; it errs against a flood.
    """

    STORAGE_SCHEME = None

    def __init__(self, counters: Counters, now: datetime) -> None:
        super().__init__()
        self._counters = counters
        self._now = now

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the store raises when it does not answer; passed on unwrapped."""
        return Unavailable

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count ``amount`` if the faded sum of both windows allows it."""
        previous, previous_ttl, current, _ = self.get_sliding_window(key, expiry)
        faded = previous * previous_ttl / expiry
        if math.floor(faded + current) + amount > limit:
            return False
        _, current_key = self._window_keys(key, expiry)
        total = self.incr(current_key, 2 * expiry, amount)
        return math.floor(faded + total) <= limit

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Previous count and its remaining weight in seconds, present count and seconds to its expiry."""
        previous_key, current_key = self._window_keys(key, expiry)
        remaining = expiry - self._now.timestamp() % expiry
        return self.get(previous_key), remaining, self.get(current_key), remaining + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Counters end by themselves."""
        raise NotImplementedError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter that lives ``expiry`` seconds from its first addition."""
        return self._counters.increment(
            key, amount, expires_at=self._now + timedelta(seconds=expiry), now=self._now
        )

    def get(self, key: str) -> int:
        """The value of a counter."""
        return self._counters.counter(key, self._now)[0]

    def get_expiry(self, key: str) -> float:
        """When the counter ends, in seconds since 1970."""
        return (self._counters.counter(key, self._now)[1] or self._now).astimezone(UTC).timestamp()

    def check(self) -> bool:
        """Whether the store can be used; asked by nobody here, readiness has its own ways."""
        return True

    def reset(self) -> int | None:
        """Counters end by themselves."""
        raise NotImplementedError

    def clear(self, key: str) -> None:
        """Counters end by themselves."""
        raise NotImplementedError

    def _window_keys(self, key: str, expiry: int) -> tuple[str, str]:
        return self.sliding_window_keys(key, expiry, self._now.timestamp())
