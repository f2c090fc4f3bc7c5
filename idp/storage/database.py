"""Engines, sessions and the one place that commits."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import sqlalchemy
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from idp.fibers import assert_may_block
from idp.settings import DatabaseSettings
from idp.storage.connections import (
    BUSY_TIMEOUT,
    PatientConnection,
    database_url,
    patience,
    postgresql_arguments,
    prepare_sqlite_connection,
    prepare_sqlite_file,
)
from idp.storage.failures import translated_errors
from idp.storage.statements import StatementCounter

SessionSource = Callable[[], Session]
"""Gives the current session: a ``scoped_session``, thread local or of the current request."""

SESSION_OPTIONS: Mapping[str, Any] = {"expire_on_commit": False}
"""For every session factory: rows stay readable after their transaction."""

_WRITE = "idp_write"
_STATEMENTS = "idp_statements"
_PATIENCE = "idp_patience"
_TRANSACTION = "idp_transaction"


def engine_options(settings: DatabaseSettings) -> tuple[str, dict[str, Any]]:
    """The URL, password included, and the engine's arguments."""
    url = database_url(settings)
    options: dict[str, Any] = {
        "pool_size": settings.pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.pool_timeout.total_seconds(),
        # The last one used has its statements and pages at hand; in turn, all would come to hold them.
        "pool_use_lifo": True,
    }
    if settings.dialect == "sqlite":
        options["connect_args"] = {
            "timeout": BUSY_TIMEOUT,
            "check_same_thread": False,
            "isolation_level": None,
        }
    else:
        given = url.query.get("options", "")
        extra = given if isinstance(given, str) else " ".join(given)
        options["connect_args"] = postgresql_arguments(settings, extra_options=extra)
        options["pool_pre_ping"] = True
        options["execution_options"] = {_PATIENCE: patience(settings)}
    return url.render_as_string(hide_password=False), options


def create_engine(settings: DatabaseSettings) -> Engine:
    """An engine of its own for the command line, jobs and tests; configured already."""
    url, options = engine_options(settings)
    engine = sqlalchemy.create_engine(url, **options)
    configure_engine(engine)
    return engine


def configure_engine(engine: Engine) -> StatementCounter:
    """Attach our hooks to an engine, whoever made it from `engine_options`. Twice is harmless.

    Returns:
        the engine's statement counter; the same one every time.
    """
    known: StatementCounter | None = engine.get_execution_options().get(_STATEMENTS)
    if known is not None:
        return known
    statements = StatementCounter()
    engine.update_execution_options(**{_STATEMENTS: statements})
    if engine.dialect.name == "sqlite":
        prepare_sqlite_file(Path(engine.url.database or ""))
        event.listen(engine, "connect", _on_sqlite_connect)
        event.listen(engine, "begin", _on_sqlite_begin)
    else:
        event.listen(engine, "do_connect", _connect_patiently)
        event.listen(engine, "connect", partial(_be_patient, engine.get_execution_options().get(_PATIENCE)))

    @event.listens_for(engine, "before_cursor_execute")
    def _count(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.statement(statement)

    @event.listens_for(engine, "commit")
    def _count_commit(_connection: Connection) -> None:
        statements.commit()

    return statements


def plain_session(engine: Engine) -> scoped_session[Session]:
    """A thread-local session source for the command line, jobs and tests."""
    return scoped_session(sessionmaker(engine, **SESSION_OPTIONS))


@contextmanager
def begin_write(engine: Engine) -> Iterator[Connection]:
    """A short write transaction of its own on a bare connection: for stores that keep no session.

    Raises:
        Unavailable, IntegrityConflict: as `Database.transaction`.
    """
    assert_may_block()
    with translated_errors(), engine.connect() as connection:
        connection.execution_options(**{_WRITE: True})
        with connection.begin():
            yield connection


@contextmanager
def begin_read(engine: Engine) -> Iterator[Connection]:
    """A short read transaction of its own on a bare connection; never commits.

    Raises:
        Unavailable: as `Database.transaction`.
    """
    assert_may_block()
    with translated_errors(), engine.connect() as connection:
        yield connection


class Database:
    """One database as the entrances and flows see it: transactions, readiness, counting."""

    def __init__(self, engine: Engine, session: SessionSource) -> None:
        self.engine = engine
        self.session = session
        self.statements = configure_engine(engine)

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """Which of the two databases this is."""
        return "sqlite" if self.engine.dialect.name == "sqlite" else "postgresql"

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[None]:
        """One transaction of the current session; the only place that commits.

        Args:
            write: take the right to write at once (``BEGIN IMMEDIATE`` on SQLite) and commit at the end.
                Without it the transaction is read-only and rolled back; a write inside it is an error.

        Raises:
            Unavailable: connection lost, time-out, lock not to be had.
            IntegrityConflict: a unique or foreign key was violated.
            RuntimeError: a transaction is open already, or rows wait to be written that nothing would write.
        """
        assert_may_block()
        session = self.session()
        if session.info.get(_TRANSACTION):
            raise RuntimeError("transactions do not nest: the entrance opens one, rooms work inside it")
        if _is_pending(session):
            raise RuntimeError("rows were changed outside a transaction")
        session.close()  # ends a read that ran outside a transaction
        session.info[_TRANSACTION] = True
        try:
            with translated_errors():
                options = {_WRITE: True} if write else self._read_only()
                session.connection(execution_options=options)
                yield
                if write:
                    session.commit()
                elif _is_pending(session):
                    raise RuntimeError("rows were changed in a read-only transaction")
        finally:
            session.info.pop(_TRANSACTION, None)
            with translated_errors():
                session.close()

    def ping(self, now: datetime) -> timedelta:
        """Ask the database for its time.

        Returns:
            how far its clock is ahead of ``now``; zero on SQLite, which has the machine's own.

        Raises:
            Unavailable: no answer.
        """
        with begin_read(self.engine) as connection:
            if self.dialect == "sqlite":
                connection.execute(text("SELECT 1")).one()
                return timedelta(0)
            theirs: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            return theirs - now

    def dispose(self) -> None:
        """Close all idle connections."""
        self.engine.dispose()

    def _read_only(self) -> dict[str, Any]:
        return {"postgresql_readonly": True} if self.dialect == "postgresql" else {}


def _is_pending(session: Session) -> bool:
    return bool(session.new or session.deleted or any(map(session.is_modified, session.dirty)))


def _connect_patiently(
    _dialect: Any, _record: Any, arguments: tuple[Any, ...], options: dict[str, Any]
) -> PatientConnection[Any]:
    return PatientConnection.connect(*arguments, **options)


def _be_patient(seconds: float | None, connection: PatientConnection[Any], _record: Any) -> None:
    connection.patience = seconds


def _on_sqlite_connect(connection: sqlite3.Connection, _record: Any) -> None:
    prepare_sqlite_connection(connection)


def _on_sqlite_begin(connection: Connection) -> None:
    write = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
