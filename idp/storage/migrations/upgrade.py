"""Bringing the schema up to date, safely from several nodes at once."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, text

from idp.errors import Unavailable
from idp.settings import DatabaseSettings
from idp.storage.database import create_engine
from idp.storage.failures import translated_errors
from idp.storage.schema import reaches, revision_of, revisions, scripts

_LOCK = 0x6964702D6D696772
"""``idp-migr`` in ASCII: the name of the advisory lock on PostgreSQL."""

_TURN_MS = 300_000
"""How long to wait for another node that is migrating."""

_MIGRATION_LIMITS = (
    # Queries of the running release queue up behind a lock that waits, so it must not wait for long.
    "SET lock_timeout = '4s'",
    "SET statement_timeout = '120s'",
    "SET idle_in_transaction_session_timeout = '60s'",
)


def upgrade(settings: DatabaseSettings, root: Path | None = None) -> list[str]:
    """Apply every migration the database lacks, oldest first.

    One process migrates at a time; the others wait for it and find nothing left to do. A database that a
    newer release has migrated already is left alone.

    Args:
        settings: which database.
        root: the folder of the scripts; found by itself unless given.

    Returns:
        the revisions applied.

    Raises:
        Unavailable: no connection, or a table was busy for too long; what was applied stays, run it again.
    """
    folder = root or scripts()
    applied: list[str] = []
    engine = create_engine(settings)
    try:
        with _exclusive(engine) as connection:
            if not _reaches(connection, revisions(folder)):
                config = _config(folder)
                config.attributes.update(connection=connection, applied=applied)
                command.upgrade(config, "head")
    finally:
        engine.dispose()
    return applied


def _reaches(connection: Connection, known: list[str]) -> bool:
    # A transaction begun here would keep Alembic from committing each migration by itself.
    with nullcontext() if connection.in_transaction() else connection.begin():
        return reaches(revision_of(connection), known)


def _config(root: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(root).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _exclusive(engine: Engine) -> Iterator[Connection]:
    """A connection whose owner alone migrates this database."""
    hold = _exclusive_sqlite if engine.dialect.name == "sqlite" else _exclusive_postgresql
    with translated_errors(), hold(engine) as connection:
        yield connection


@contextmanager
def _exclusive_sqlite(engine: Engine) -> Iterator[Connection]:
    """All migrations in one write transaction, which is the lock.

    Foreign keys rest meanwhile, because SQLite changes tables by making them anew, and dropping the old one
    would cascade. They are checked before the commit.
    """
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        if raw is None:
            raise Unavailable(detail="the connection was lost before the migration")
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute(f"PRAGMA busy_timeout = {_TURN_MS}")
        connection.execution_options(idp_write=True)
        with connection.begin():
            yield connection
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if broken:
                raise RuntimeError(f"migrating would break {len(broken)} foreign keys; nothing was changed")
        connection.detach()


@contextmanager
def _exclusive_postgresql(engine: Engine) -> Iterator[Connection]:
    """An advisory lock of the database session: it ends with the session, however that ends."""
    with engine.connect() as connection:
        connection.connection.driver_connection.patience = None  # type: ignore[union-attr]  # SQLAlchemy does not know its class
        with connection.begin():
            connection.execute(text(f"SET statement_timeout = {_TURN_MS}"))
            connection.execute(text("SET lock_timeout = 0"))
        with connection.begin():
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        with connection.begin():
            for limit in _MIGRATION_LIMITS:
                connection.execute(text(limit))
        connection.detach()
        yield connection
