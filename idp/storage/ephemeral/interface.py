"""What every ephemeral store can do."""

from datetime import datetime
from typing import Protocol

from idp.storage.records import Tally, Window


class EphemeralStore(Protocol):
    """Records under a key until they expire; each call is atomic and stands alone.

    A record is gone from the moment ``now`` reaches its ``expires_at``, whether or not the
    store has removed it yet. A key holds either a value or a counter, never both in turn.
    Every method raises ``Unavailable`` when the store cannot be reached.

    Do not call it inside a write transaction: the SQL back-end opens one of its own, and
    SQLite has only one writer.
    """

    def put(self, key: str, value: bytes, *, expires_at: datetime, now: datetime) -> None:
        """Keep a value, replacing what was there."""
        ...

    def get(self, key: str, now: datetime) -> bytes | None:
        """The value, if there is one."""
        ...

    def take(self, key: str, now: datetime) -> bytes | None:
        """The value, removing it: of several callers one gets it."""
        ...

    def add_if_absent(self, key: str, value: bytes, *, expires_at: datetime, now: datetime) -> bool:
        """Keep a value unless there is one; True for the one caller that did."""
        ...

    def increment(self, key: str, amount: int, *, expires_at: datetime, now: datetime) -> int:
        """Add to a counter and return the sum; the first addition sets the expiry, later ones keep it."""
        ...

    def counter(self, key: str, now: datetime) -> tuple[int, datetime | None]:
        """A counter's sum and expiry; ``(0, None)`` if there is none."""
        ...

    def count(self, window: Window, now: datetime, *, unless_full: Window | None = None) -> Tally:
        """Add one to a sliding window, unless it or the other one is full.

        Of several callers at the last place all may be refused: the store only adds.
        """
        ...
