"""Redis while it answers, the database when it does not."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from idp.errors import Unavailable
from idp.storage.ephemeral.interface import EphemeralStore
from idp.storage.records import Tally, Window

T = TypeVar("T")


class FallbackEphemeral:
    """An :class:`EphemeralStore` that asks ``secondary`` whenever ``primary`` is unavailable.

    The two do not share records: what was kept in one while the other was away is not found
    later, so limits may start anew at that moment. That is why nothing of consequence is kept
    here. Raises ``Unavailable`` only when both fail.
    """

    def __init__(self, primary: EphemeralStore, secondary: EphemeralStore) -> None:
        self._primary = primary
        self._secondary = secondary

    def put(self, key: str, value: bytes, *, expires_at: datetime, now: datetime) -> None:
        """Keep a value, replacing what was there."""
        self._first(lambda store: store.put(key, value, expires_at=expires_at, now=now))

    def get(self, key: str, now: datetime) -> bytes | None:
        """The value, if there is one."""
        return self._first(lambda store: store.get(key, now))

    def take(self, key: str, now: datetime) -> bytes | None:
        """The value, removing it."""
        return self._first(lambda store: store.take(key, now))

    def add_if_absent(self, key: str, value: bytes, *, expires_at: datetime, now: datetime) -> bool:
        """Keep a value unless there is one."""
        return self._first(lambda store: store.add_if_absent(key, value, expires_at=expires_at, now=now))

    def increment(self, key: str, amount: int, *, expires_at: datetime, now: datetime) -> int:
        """Add to a counter and return the sum."""
        return self._first(lambda store: store.increment(key, amount, expires_at=expires_at, now=now))

    def counter(self, key: str, now: datetime) -> tuple[int, datetime | None]:
        """A counter's sum and expiry."""
        return self._first(lambda store: store.counter(key, now))

    def count(self, window: Window, now: datetime, *, unless_full: Window | None = None) -> Tally:
        """Add one to a sliding window with room."""
        return self._first(lambda store: store.count(window, now, unless_full=unless_full))

    def _first(self, call: Callable[[EphemeralStore], T]) -> T:
        try:
            return call(self._primary)
        except Unavailable:
            return call(self._secondary)
