"""How connections are made: addresses, time-outs and pragmas for both drivers."""

import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url

from idp.errors import Unavailable
from idp.settings import DatabaseSettings

BUSY_TIMEOUT = 5.0
"""Seconds an SQLite connection waits for another one's write transaction."""

_CONNECT_TIMEOUT = 2
_UNACKNOWLEDGED_MS = 2500
_IDLE_IN_TRANSACTION_MS = 10_000

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers never wait for the writer
    "PRAGMA synchronous = FULL",  # what was answered survives a power cut
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}",
)


def database_url(settings: DatabaseSettings) -> URL:
    """The address as SQLAlchemy wants it: the driver named, an SQLite path absolute."""
    url = make_url(settings.url)
    if settings.dialect == "sqlite":
        # Absolute, so that it names one file for every part of the process, whatever its base folder.
        return url.set(database=str(Path(url.database or "").absolute()))
    return url.set(drivername="postgresql+psycopg")


def postgresql_arguments(settings: DatabaseSettings, *, extra_options: str = "") -> dict[str, Any]:
    """Connection arguments of libpq: nothing waits longer than the settings say, and the session runs in UTC.

    Args:
        settings: the time-outs.
        extra_options: server options from the URL, which come first.
    """
    server = {
        "timezone": "UTC",
        "statement_timeout": int(settings.statement_timeout.total_seconds() * 1000),
        "lock_timeout": int(settings.lock_timeout.total_seconds() * 1000),
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION_MS,
    }
    options = [extra_options, *(f"-c {name}={value}" for name, value in server.items())]
    return {
        "connect_timeout": _CONNECT_TIMEOUT,
        # A server that vanished without a word is noticed when sent data stays unacknowledged for so long.
        "tcp_user_timeout": _UNACKNOWLEDGED_MS,
        "application_name": "idp",
        "options": " ".join(options).strip(),
    }


def prepare_sqlite_connection(connection: sqlite3.Connection) -> None:
    """Set what SQLite forgets with every connection, and leave BEGIN and COMMIT to us.

    Raises:
        sqlite3.OperationalError: the file cannot be used.
    """
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def prepare_sqlite_file(path: Path) -> None:
    """Make the database file and its folder, readable by their owner alone.

    Folders that exist already keep their mode; SQLite gives its side files the mode of the database file.

    Raises:
        Unavailable: the place cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            found = os.fstat(descriptor)
            if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) != stat.S_IRUSR | stat.S_IWUSR:
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unavailable(detail=f"{path}: {error.strerror}") from error
