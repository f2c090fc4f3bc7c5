"""Counting in sliding windows: one statement on PostgreSQL, on SQLite a read and, with room, a write."""

from datetime import datetime
from typing import Final, Protocol

from idp.storage.hot.postgresql_pool import PostgresPool
from idp.storage.hot.sqlite_pool import SqlitePool
from idp.storage.records import Tally, Window
from idp.storage.types import to_microseconds

_SEEN: Final = """
    SELECT COALESCE((SELECT counter FROM ephemeral WHERE key = {0}2 AND expires_at > {0}1), 0) AS before,
           COALESCE((SELECT counter FROM ephemeral WHERE key = {0}3 AND expires_at > {0}1), 0) AS other,
           COALESCE((SELECT counter FROM ephemeral WHERE key = {0}4 AND expires_at > {0}1), 0) AS previous,
           COALESCE((SELECT counter FROM ephemeral WHERE key = {0}5 AND expires_at > {0}1), 0) AS current"""

_ADD: Final = """
    ON CONFLICT (key) DO UPDATE
    SET value = NULL,
        counter = 1 + CASE WHEN ephemeral.expires_at > {0}1 THEN ephemeral.counter ELSE 0 END,
        expires_at = CASE WHEN ephemeral.expires_at > {0}1 THEN ephemeral.expires_at
                          ELSE excluded.expires_at END
    RETURNING counter"""

_COUNT: Final = f"""
WITH seen AS ({_SEEN.format("$")}
), added AS (
    INSERT INTO ephemeral (key, value, counter, expires_at)
    SELECT $5, NULL, 1, $6::timestamptz FROM seen
    WHERE before * $7::bigint + other * $8::bigint < $9::bigint
      AND previous * $10::bigint + current * $11::bigint < $12::bigint{_ADD.format("$")}
)
SELECT before, other, previous, current, (SELECT counter FROM added) FROM seen
"""  # noqa: S608 - composed of constants above

_LOOK: Final = _SEEN.format("?")

_ADD_ONE: Final = f"""
INSERT INTO ephemeral (key, value, counter, expires_at) VALUES (?2, NULL, 1, ?3){_ADD.format("?")}
"""  # noqa: S608 - composed of constants above


class WindowStore(Protocol):
    """Sliding windows in the table ``ephemeral``; raises ``Unavailable`` when the database is."""

    def count(self, window: Window, now: datetime, *, unless_full: Window | None = None) -> Tally:
        """Add one to a window, unless it or the other one is full."""
        ...


class PostgresWindowStore:
    """See :class:`WindowStore`."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    def count(self, window: Window, now: datetime, *, unless_full: Window | None = None) -> Tally:
        """See :class:`WindowStore`."""
        other = unless_full or window
        row = self._pool.fetch_row(
            _COUNT,
            (
                now,
                other.previous,
                other.current,
                window.previous,
                window.current,
                window.expires_at,
                other.remaining,
                other.length,
                other.limit * other.length,
                window.remaining,
                window.length,
                window.limit * window.length,
            ),
        )
        tally = Tally._make(row or (0, 0, 0, 0, None))
        if tally.total is not None:
            self._pool.observer.commit()
        return tally


class SqliteWindowStore:
    """See :class:`WindowStore`. Who is refused does not ask for the only right to write."""

    def __init__(self, pool: SqlitePool) -> None:
        self._pool = pool

    def count(self, window: Window, now: datetime, *, unless_full: Window | None = None) -> Tally:
        """See :class:`WindowStore`."""
        other, moment = unless_full or window, to_microseconds(now)
        keys = (other.previous, other.current, window.previous, window.current)
        row = self._pool.fetch_row(_LOOK, (moment, *keys))
        other_previous, other_current, previous, current = row or (0, 0, 0, 0)
        seen = Tally(other_previous, other_current, previous, current, None)
        if not (other.has_room(other_previous, other_current) and window.has_room(previous, current)):
            return seen
        with self._pool.transaction() as transaction:
            added = transaction.fetch_row(
                _ADD_ONE, (moment, window.current, to_microseconds(window.expires_at))
            )
        return seen._replace(total=None if added is None else added[0])
