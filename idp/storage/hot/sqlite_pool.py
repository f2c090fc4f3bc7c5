"""The connections of the hot paths on SQLite: a handful of kept ones, opened lazily.

One pool serves every hot store of the process. A statement writes its parameters as ``?1``, ``?2``;
a row is a tuple.
"""

import sqlite3
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from idp.errors import Unavailable
from idp.storage.connections import BUSY_TIMEOUT, prepare_sqlite_connection
from idp.storage.hot.interface import StatementObserver


class SqliteTransaction:
    """A write transaction that is open; its statements are one commit."""

    def __init__(self, connection: sqlite3.Connection, observer: StatementObserver) -> None:
        self._connection = connection
        self._observer = observer

    def run(self, sql: str, parameters: tuple[object, ...]) -> None:
        """Run a statement that gives no rows."""
        self._observer.statement(sql)
        self._connection.execute(sql, parameters)

    def fetch_row(self, sql: str, parameters: tuple[object, ...]) -> tuple[Any, ...] | None:
        """Run a statement to its end; its first row, or ``None``."""
        self._observer.statement(sql)
        rows = self._connection.execute(sql, parameters).fetchall()
        return rows[0] if rows else None


class SqlitePool:
    """Short transactions on connections that wait for each other at most ``BUSY_TIMEOUT`` seconds."""

    def __init__(self, *, path: str, observer: StatementObserver) -> None:
        self._path = path
        self._observer = observer
        # A deque's append and pop are atomic: a lock-free pool as large as the thread count.
        self._idle: deque[sqlite3.Connection] = deque()

    def fetch_row(self, sql: str, parameters: tuple[object, ...]) -> tuple[Any, ...] | None:
        """Run a statement that changes nothing; its first row, or ``None``.

        Raises:
            Unavailable: the file cannot be used.
        """
        with self._connection() as connection:
            return SqliteTransaction(connection, self._observer).fetch_row(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """One ``BEGIN IMMEDIATE`` … ``COMMIT``; rolled back when nothing changed or anything failed.

        Raises:
            Unavailable: the file cannot be used, or another one's transaction took too long.
        """
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            before = connection.total_changes
            try:
                yield SqliteTransaction(connection, self._observer)
                if connection.total_changes == before:
                    connection.execute("ROLLBACK")
                else:
                    connection.execute("COMMIT")
                    self._observer.commit()
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close every connection; the pool is not used afterwards."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        except sqlite3.OperationalError as error:
            connection.close()
            raise Unavailable(detail=f"{type(error).__name__}: {error}") from error
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT
            )
            prepare_sqlite_connection(connection)
        except sqlite3.OperationalError as error:
            raise Unavailable(detail=f"{type(error).__name__}: {error}") from error
        return connection
