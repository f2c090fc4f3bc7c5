"""The connections of the hot paths on PostgreSQL.

One pool serves every hot store of the process. A statement writes its parameters as ``$1``, ``$2``
and casts them where the server cannot tell their type; a row is a tuple. ``jsonb`` is given as text
(str or bytes) and comes as bytes: whoever needs the content parses it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from idp.errors import Unavailable
from idp.fibers import assert_may_block
from idp.settings import DatabaseSettings
from idp.storage.connections import Unanswered
from idp.storage.hot.interface import StatementObserver
from idp.storage.hot.postgresql_connection import HotConnection

_LONGEST_IDLE = 600.0
"""Seconds. A connection that nobody used for so long may have been dropped by something on its way."""
_LONGEST_LIFE = 3600.0
"""Seconds. A backend's memory grows with its age, and a new connection finds a new primary."""

_WATCH_INTERVAL = 0.2
"""Seconds between two looks at who waits for the server; added to the patience of each, at most."""

_UNAVAILABLE = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,  # a standby answers, or the cluster was switched to read-only
)


class PostgresPool:
    """Runs one statement at a time, each a transaction of its own; connects lazily.

    A slot holds a connection, or ``None`` where none is open; as many as there are slots can work at
    once. Taking and returning one is an operation of a deque, which is atomic, so that the usual case
    takes no lock. The last one returned is taken first.

    Args:
        conninfo: of libpq, without ``options``.
        extra_options: server options from the URL.
        settings: time-outs and the number of connections.
        observer: is told of every statement and commit.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        *,
        conninfo: str,
        extra_options: str,
        settings: DatabaseSettings,
        observer: StatementObserver,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._conninfo = conninfo
        self._extra_options = extra_options
        self._settings = settings
        self.observer = observer
        self._monotonic = monotonic
        self.timeout = settings.pool_timeout.total_seconds()
        """Seconds to wait for a connection."""
        self._slots: deque[HotConnection | None] = deque([None] * settings.pool_size)
        self._returned = threading.Condition()
        self._waiting = 0
        self._silent_at = float("-inf")
        self._is_closed = False
        self._open: set[HotConnection] = set()
        self._watching = threading.Lock()
        self._watcher: threading.Thread | None = None
        self._ended = threading.Event()

    def fetch_row(self, sql: str, parameters: tuple[object, ...]) -> tuple[Any, ...] | None:
        """Run a statement that changes nothing; its first row, or ``None``.

        Raises:
            Unavailable: no connection or no answer in time.
        """
        self.observer.statement(sql)
        connection = self._take()
        try:
            row = connection.fetch_row(sql, parameters)
        except BaseException as error:
            self._fail(error, connection)
            raise
        self._return(connection)
        return row

    def change_row(self, sql: str, parameters: tuple[object, ...]) -> tuple[Any, ...] | None:
        """Run a statement that may change something; it gives a row if and only if it did.

        Raises:
            Unavailable: no connection or no answer in time; nobody knows then whether it took effect.
        """
        row = self.fetch_row(sql, parameters)
        if row is not None:
            self.observer.commit()
        return row

    def take_idle(self) -> HotConnection | None:
        """An open connection that nobody uses, without waiting for one; it has to be given back."""
        try:
            connection = self._slots.pop()
        except IndexError:
            return None
        now = self._monotonic()
        if connection is None or self._is_closed or self._is_too_old(connection, now):
            self._return(connection)
            return None
        connection.used_at = now
        return connection

    def give_back(self, connection: HotConnection, error: BaseException | None = None) -> None:
        """What :meth:`take_idle` gave, and what went wrong with it.

        Raises:
            Unavailable: in place of an error that says so.
        """
        if error is None:
            self._return(connection)
        else:
            self._fail(error, connection)

    @contextmanager
    def transaction(self) -> Iterator["PostgresTransaction"]:
        """Several statements as one transaction, each of which sees what was committed before it began.

        For what one statement cannot decide; committed if any of them gave a row, else rolled back.

        Raises:
            Unavailable: as :meth:`change_row`.
        """
        connection = self._take()
        try:
            connection.frame(b"BEGIN")
            transaction = PostgresTransaction(connection, self.observer)
            yield transaction
            connection.frame(b"COMMIT" if transaction.has_changed else b"ROLLBACK")
        except BaseException as error:
            self._fail(error, connection)
            raise
        self._return(connection)
        if transaction.has_changed:
            self.observer.commit()

    def close(self) -> None:
        """Close every connection, those at work when they return; the pool is not used afterwards."""
        self._is_closed = True
        self._ended.set()
        self._close_idle()

    def _take(self) -> HotConnection:
        assert_may_block()
        if self._is_closed:
            raise Unavailable(detail="the connections are closed")
        began = self._monotonic()
        try:
            connection = self._slots.pop()
        except IndexError:
            connection = self._wait(began)
        if connection is not None and self._is_too_old(connection, began):
            self._discard(connection)
            connection = None
        if connection is None:
            connection = self._connect(began)
            connection.opened_at = began
        connection.used_at = began
        return connection

    @staticmethod
    def _is_too_old(connection: HotConnection, now: float) -> bool:
        return now - connection.used_at > _LONGEST_IDLE or now - connection.opened_at > _LONGEST_LIFE

    def _wait(self, began: float) -> HotConnection | None:
        """A slot, as soon as somebody returns one."""
        with self._returned:
            # Counted before looking again: who returns a slot after this look sees that somebody waits.
            self._waiting += 1
            try:
                while True:
                    with suppress(IndexError):
                        return self._slots.pop()
                    left = began + self.timeout - self._monotonic()
                    if left <= 0:
                        raise Unavailable(detail="no database connection in time")
                    self._returned.wait(left)
            finally:
                self._waiting -= 1

    def _connect(self, began: float) -> HotConnection:
        if self._silent_at > began:
            # Somebody waited in vain for this server while this thread waited for somebody's slot: two
            # such times, one after the other, are longer than a request may take.
            self._return(None)
            raise Unavailable(detail="the database does not answer")
        try:
            connection = HotConnection(self._conninfo, self._extra_options, self._settings)
        except BaseException as error:
            if isinstance(error, psycopg.errors.ConnectionTimeout):
                self._silent_at = self._monotonic()
            self._return(None)
            if isinstance(error, _UNAVAILABLE):
                raise Unavailable(detail=f"{type(error).__name__}: {error}") from error
            raise
        with self._watching:
            self._open.add(connection)
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="hot-pool", daemon=True)
                self._watcher.start()
        return connection

    def _watch(self) -> None:
        """End the wait for a server that neither answers nor breaks off."""
        while not self._ended.wait(_WATCH_INTERVAL):
            with self._watching:
                connections = tuple(self._open)
            now = time.monotonic()
            for connection in connections:
                since = connection.waits_since
                if since is not None and now - since > connection.patience:
                    connection.give_up(since)

    def _discard(self, connection: HotConnection) -> None:
        connection.close()
        with self._watching:
            self._open.discard(connection)

    def _return(self, connection: HotConnection | None) -> None:
        if connection is None:
            # On the far side: open connections are taken first.
            self._slots.appendleft(None)
        else:
            self._slots.append(connection)
            if self._is_closed:
                self._close_idle()
        if self._waiting:
            with self._returned:
                self._returned.notify()

    def _fail(self, error: BaseException, connection: HotConnection) -> None:
        """Let go of a connection after an error; the caller lets the error go on if this returns."""
        self._return_after(error, connection)
        if isinstance(error, _UNAVAILABLE):
            raise Unavailable(detail=f"{type(error).__name__}: {error}") from error

    def _return_after(self, error: BaseException, connection: HotConnection) -> None:
        """Keep a connection on which only the statement failed; after a restart keep none."""
        if isinstance(error, psycopg.OperationalError) and connection.is_usable:
            # A time-out, a lock that was not to be had: the server is well.
            self._return(connection)
            return
        if isinstance(error, Unanswered):
            self._silent_at = self._monotonic()
        elif connection.is_lost:
            # The others are as dead: without this, each would cost another request.
            self._close_idle()
        self._discard(connection)
        self._return(None)

    def _close_idle(self) -> None:
        for _ in range(len(self._slots)):
            try:
                connection = self._slots.pop()
            except IndexError:
                return
            if connection is not None:
                self._discard(connection)
            self._return(None)


class PostgresTransaction:
    """The statements of one transaction; see :meth:`PostgresPool.transaction`."""

    def __init__(self, connection: HotConnection, observer: StatementObserver) -> None:
        self._connection = connection
        self._observer = observer
        self.has_changed = False

    def fetch_row(self, sql: str, parameters: tuple[object, ...]) -> tuple[Any, ...] | None:
        """Run a statement that gives a row if and only if it changed something; that row or ``None``."""
        self._observer.statement(sql)
        row = self._connection.fetch_row(sql, parameters)
        self.has_changed = self.has_changed or row is not None
        return row
