"""The connections of the hot paths on PostgreSQL: autocommitted, prepared, binary.

One pool serves every hot store of the process. A statement writes its parameters as ``$1``, ``$2``
and casts them where the server cannot tell their type; a row is a tuple. ``jsonb`` is given as text
(``$1::jsonb``) and comes as bytes: whoever needs the content parses it.
"""

from typing import Any

import psycopg
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool, PoolTimeout

from idp.errors import Unavailable
from idp.observability import get_logger
from idp.settings import DatabaseSettings
from idp.storage.connections import PatientConnection, Unanswered, patience, postgresql_arguments
from idp.storage.hot.interface import StatementObserver

_log = get_logger(__name__)

_Connection = PatientConnection[TupleRow]


class PostgresPool:
    """Runs one statement at a time, each a transaction of its own; connects lazily.

    Args:
        conninfo: of libpq, without ``options``.
        extra_options: server options from the URL.
        settings: time-outs and the number of connections.
        observer: is told of every statement and commit.
    """

    def __init__(
        self, *, conninfo: str, extra_options: str, settings: DatabaseSettings, observer: StatementObserver
    ) -> None:
        self._observer = observer
        self._timeout = settings.pool_timeout.total_seconds()
        self._patience = patience(settings)
        self._pool: ConnectionPool[_Connection] = ConnectionPool(
            conninfo,
            connection_class=PatientConnection[TupleRow],
            kwargs={
                "autocommit": True,
                "prepare_threshold": 1,
                "cursor_factory": psycopg.RawCursor,
                **postgresql_arguments(settings, extra_options=extra_options),
            },
            min_size=0,
            max_size=settings.pool_size,
            # A short life-time for failed attempts: the next request tries again at once, so
            # the service is back as soon as the database is.
            reconnect_timeout=1.0,
            timeout=self._timeout,
            configure=self._configure,
            open=True,
            name="hot",
        )

    def fetch_row(self, sql: str, parameters: tuple[object, ...]) -> tuple[Any, ...] | None:
        """Run a statement that changes nothing; its first row, or ``None``.

        Raises:
            Unavailable: no connection or no answer in time.
        """
        self._observer.statement(sql)
        try:
            with self._pool.connection(timeout=self._timeout) as connection:
                return connection.execute(sql, parameters, binary=True).fetchone()
        except PoolTimeout as error:
            raise Unavailable(detail="no database connection in time") from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            # After a restart of the database every pooled connection is dead; check them all
            # now, so that not each of them costs one request.
            # A server that is silent would let every check wait as long again.
            if not isinstance(error, Unanswered):
                self._check_pool()
            raise Unavailable(detail=f"{type(error).__name__}: {error}") from error

    def change_row(self, sql: str, parameters: tuple[object, ...]) -> tuple[Any, ...] | None:
        """Run a statement that may change something; it gives a row if and only if it did.

        Raises:
            Unavailable: no connection or no answer in time; nobody knows then whether it took effect.
        """
        row = self.fetch_row(sql, parameters)
        if row is not None:
            self._observer.commit()
        return row

    def close(self) -> None:
        """Close every connection; the pool is not used afterwards."""
        self._pool.close()

    def _configure(self, connection: _Connection) -> None:
        connection.patience = self._patience
        set_json_loads(_unparsed, connection)

    def _check_pool(self) -> None:
        try:
            self._pool.check()
        except psycopg.Error as error:
            _log.warning("hot.pool_check_failed", extra={"fields": {"detail": type(error).__name__}})


def _unparsed(document: str | bytes) -> str | bytes:
    return document
