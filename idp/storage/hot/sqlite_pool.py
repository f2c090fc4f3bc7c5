"""The connections of the hot paths on SQLite: a handful of kept ones, opened lazily.

One pool serves every hot store of the process. A statement writes its parameters as ``?1``, ``?2``;
a row is a tuple.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from idp.errors import Unavailable
from idp.fibers import assert_may_block
from idp.storage.connections import BUSY_TIMEOUT, prepare_sqlite_connection
from idp.storage.hot.interface import StatementObserver


class SqlitePool:
    """Short transactions on connections that wait for each other at most ``BUSY_TIMEOUT`` seconds."""

    def __init__(self, *, path: str, observer: StatementObserver) -> None:
        self._path = path
        self._observer = observer
        # A deque's append and pop are atomic: a lock-free pool as large as the thread count.
        self._idle: deque[sqlite3.Connection] = deque()
        self._turn = WritersTurn()

    def fetch_row(self, sql: str, parameters: tuple[object, ...]) -> tuple[Any, ...] | None:
        """Run a statement that changes nothing; its first row, or ``None``.

        Raises:
            Unavailable: the file cannot be used.
        """
        self._observer.statement(sql)
        connection = self._take()
        try:
            # All rows: a statement that was not run to its end would keep its snapshot.
            rows = connection.execute(sql, parameters).fetchall()
        except BaseException as error:
            _throw_away(connection, error)
            raise
        self._idle.append(connection)
        return rows[0] if rows else None

    def transaction(self) -> "SqliteTransaction":
        """One ``BEGIN IMMEDIATE`` … ``COMMIT`` around a ``with`` block.

        Rolled back when nothing changed or anything failed.

        Raises:
            Unavailable: the file cannot be used, or another one's transaction took too long.
            MustBlock: in a fiber; see :class:`SqliteLane` for those.
        """
        assert_may_block()
        return SqliteTransaction(self._take, self._idle, self._observer, self._turn)

    def close(self) -> None:
        """Close every connection; the pool is not used afterwards."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            pass
        try:
            connection = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT
            )
        except sqlite3.OperationalError as error:
            raise Unavailable(detail=f"{type(error).__name__}: {error}") from error
        try:
            prepare_sqlite_connection(connection)
        except BaseException as error:
            _throw_away(connection, error)
            raise
        return connection


class WritersTurn:
    """One writer of this process at a time; the others wait without asking.

    SQLite knows no queue: who finds the file locked sleeps and looks again, longer each time, until somebody
    who came later was luckier too often. Writers of other processes are still met that way.

    Args:
        patience: seconds that one writer waits at most.
        monotonic: seconds that never go back.
    """

    def __init__(
        self, patience: float = BUSY_TIMEOUT, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._patience = patience
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._locked_out_at = float("-inf")

    def take(self) -> None:
        """Wait for the turn; whoever takes it gives it back.

        Raises:
            Unavailable: it did not come in time, or who had it found the file locked all the time.
        """
        began = self._monotonic()
        if not self._lock.acquire(timeout=self._patience):
            raise Unavailable(detail="no turn to write in time")
        if self._locked_out_at > began:
            self._lock.release()
            raise Unavailable(detail="the database could not be written lately")

    def give_back(self) -> None:
        """Let the next one write."""
        self._lock.release()

    def note_locked_out(self) -> None:
        """Another process did not let go in time: who has waited meanwhile does not wait as long again."""
        self._locked_out_at = self._monotonic()


class SqliteTransaction:
    """A write transaction; its statements are one commit.

    A class, as a generator with ``@contextmanager`` costs more than the statements between.
    """

    __slots__ = ("_before", "_connection", "_idle", "_observer", "_take", "_turn")

    def __init__(
        self,
        take: Callable[[], sqlite3.Connection],
        idle: deque[sqlite3.Connection],
        observer: StatementObserver,
        turn: WritersTurn,
    ) -> None:
        self._take = take
        self._idle = idle
        self._observer = observer
        self._turn = turn

    def __enter__(self) -> Self:
        self._turn.take()
        try:
            self._connection = self._take()
            self._before = self._connection.total_changes
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except BaseException as error:
                self._turn.note_locked_out()
                _throw_away(self._connection, error)
                raise
        except BaseException:
            self._turn.give_back()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._end(error)
        finally:
            self._turn.give_back()

    def _end(self, error: BaseException | None) -> None:
        if error is not None:
            _throw_away(self._connection, error)
            return
        try:
            if self._connection.total_changes == self._before:
                self._connection.execute("ROLLBACK")
            else:
                self._connection.execute("COMMIT")
                self._observer.commit()
        except BaseException as failure:
            _throw_away(self._connection, failure)
            raise
        self._idle.append(self._connection)

    def run(self, sql: str, parameters: tuple[object, ...]) -> None:
        """Run a statement that gives no rows."""
        self._observer.statement(sql)
        self._connection.execute(sql, parameters)

    def change(self, sql: str, parameters: tuple[object, ...]) -> int:
        """Run a statement that gives no rows; how many it changed."""
        self._observer.statement(sql)
        return self._connection.execute(sql, parameters).rowcount

    def fetch_row(self, sql: str, parameters: tuple[object, ...]) -> tuple[Any, ...] | None:
        """Run a statement to its end; its first row, or ``None``."""
        self._observer.statement(sql)
        rows = self._connection.execute(sql, parameters).fetchall()
        return rows[0] if rows else None


def _throw_away(connection: sqlite3.Connection, error: BaseException) -> None:
    """Close a connection on which something failed, with what it has open.

    Raises:
        Unavailable: the error was one of the file or of a lock; otherwise the caller lets it go on.
    """
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    connection.close()
    if isinstance(error, sqlite3.OperationalError):
        raise Unavailable(detail=f"{type(error).__name__}: {error}") from error
