"""The ephemeral store in the database: one short transaction, one statement per call.

Windows, which every sign-in counts in, have statements of their own (``hot/``).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Engine, RowMapping, TextClause, TextualSelect, bindparam, text
from sqlalchemy.types import TypeEngine

from idp.storage.database import begin_read, begin_write
from idp.storage.hot import WindowStore
from idp.storage.records import Tally, Window
from idp.storage.types import Bytes, Count, Instant, Text

_TYPES: dict[str, TypeEngine[Any]] = {
    "key": Text(),
    "value": Bytes(),
    "amount": Count(),
    "expires_at": Instant(),
    "now": Instant(),
}


def _statement(sql: str) -> TextClause:
    """SQL that both databases understand, with typed parameters and results."""
    parameters: list[BindParameter[Any]] = [
        bindparam(name, type_=kind) for name, kind in _TYPES.items() if f":{name}" in sql
    ]
    return text(sql).bindparams(*parameters)


_PUT = _statement("""
    INSERT INTO ephemeral (key, value, counter, expires_at) VALUES (:key, :value, 0, :expires_at)
    ON CONFLICT (key) DO UPDATE
    SET value = excluded.value, counter = 0, expires_at = excluded.expires_at""")

_GET = _statement("SELECT value FROM ephemeral WHERE key = :key AND expires_at > :now")

_TAKE = _statement("DELETE FROM ephemeral WHERE key = :key AND expires_at > :now RETURNING value")

_ADD = _statement("""
    INSERT INTO ephemeral (key, value, counter, expires_at) VALUES (:key, :value, 0, :expires_at)
    ON CONFLICT (key) DO UPDATE
    SET value = excluded.value, counter = 0, expires_at = excluded.expires_at
    WHERE ephemeral.expires_at <= :now
    RETURNING key""")

_INCREMENT = _statement("""
    INSERT INTO ephemeral (key, value, counter, expires_at) VALUES (:key, NULL, :amount, :expires_at)
    ON CONFLICT (key) DO UPDATE
    SET value = NULL,
        counter = excluded.counter + CASE WHEN ephemeral.expires_at > :now THEN ephemeral.counter ELSE 0 END,
        expires_at = CASE WHEN ephemeral.expires_at > :now THEN ephemeral.expires_at
                          ELSE excluded.expires_at END
    RETURNING counter""")

_COUNTER = _statement(
    "SELECT counter, expires_at FROM ephemeral WHERE key = :key AND expires_at > :now"
).columns(counter=Count(), expires_at=Instant())


class SqlEphemeral:
    """An :class:`EphemeralStore` in the table ``ephemeral``; expired rows are left to the purge job."""

    def __init__(self, engine: Engine, windows: WindowStore) -> None:
        self._engine = engine
        self._windows = windows

    def put(self, key: str, value: bytes, *, expires_at: datetime, now: datetime) -> None:  # noqa: ARG002 - others need it
        """Keep a value, replacing what was there."""
        self._write(_PUT, key=key, value=value, expires_at=expires_at)

    def get(self, key: str, now: datetime) -> bytes | None:
        """The value, if there is one."""
        return _value(self._read(_GET, key=key, now=now))

    def take(self, key: str, now: datetime) -> bytes | None:
        """The value, removing it: of several callers one gets it."""
        return _value(self._write(_TAKE, key=key, now=now))

    def add_if_absent(self, key: str, value: bytes, *, expires_at: datetime, now: datetime) -> bool:
        """Keep a value unless there is one; True for the one caller that did."""
        return self._write(_ADD, key=key, value=value, expires_at=expires_at, now=now) is not None

    def increment(self, key: str, amount: int, *, expires_at: datetime, now: datetime) -> int:
        """Add to a counter and return the sum."""
        row = self._write(_INCREMENT, key=key, amount=amount, expires_at=expires_at, now=now)
        return int(row["counter"]) if row is not None else 0

    def counter(self, key: str, now: datetime) -> tuple[int, datetime | None]:
        """A counter's sum and expiry."""
        row = self._read(_COUNTER, key=key, now=now)
        return (int(row["counter"]), row["expires_at"]) if row is not None else (0, None)

    def count(self, window: Window, now: datetime, *, unless_full: Window | None = None) -> Tally:
        """Add one to a sliding window with room."""
        return self._windows.count(window, now, unless_full=unless_full)

    def _write(self, statement: TextClause, **parameters: object) -> RowMapping | None:
        with begin_write(self._engine) as connection:
            result = connection.execute(statement, parameters)
            return result.mappings().one_or_none() if result.returns_rows else None

    def _read(self, statement: TextClause | TextualSelect, **parameters: object) -> RowMapping | None:
        with begin_read(self._engine) as connection:
            return connection.execute(statement, parameters).mappings().one_or_none()


def _value(row: RowMapping | None) -> bytes | None:
    return bytes(row["value"]) if row is not None and row["value"] is not None else None
