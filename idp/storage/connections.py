"""How connections are made: addresses, time-outs and pragmas for both drivers."""

import os
import sqlite3
import stat
import time
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import Row
from sqlalchemy.engine import URL, make_url

from idp.errors import Unavailable
from idp.settings import DatabaseSettings

BUSY_TIMEOUT = 2.5
"""Seconds an SQLite connection waits for another one's write transaction; a request has three in all."""

_Result = TypeVar("_Result")

_CONNECT_TIMEOUT = 2
_WAIT_INTERVAL = 0.1
_UNACKNOWLEDGED_MS = 2500
_GRACE_SECONDS = 0.5
_IDLE_IN_TRANSACTION_MS = 10_000

_SQLITE_HEADER = b"SQLite format 3\x00"
"""How every database file begins (SQLite file format §1.3)."""

_SQLITE_CACHE_KIB = 256
"""Pages one connection keeps; SQLite's own default is 2 MB. They are forgotten as soon as another connection
has written, so there is little to gain between transactions, and the system has the pages as well."""

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers never wait for the writer
    "PRAGMA synchronous = FULL",  # what was answered survives a power cut
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}",
    f"PRAGMA cache_size = -{_SQLITE_CACHE_KIB}",  # negative: KiB, not pages
)


class Unanswered(psycopg.OperationalError):
    """The server took a statement and then said nothing, not even that it took too long."""


class PatientConnection(psycopg.Connection[Row]):
    """A connection that gives up on a server which neither answers nor breaks off.

    A server that is frozen, or behind a proxy that lost it, still acknowledges what is sent: no
    time-out of its own and none of the network's ever strikes, and one thread after the other would
    wait for ever.
    """

    patience: float | None = None
    """Seconds to wait for an answer; longer than the server's own limits. None waits for ever."""

    def wait(
        self, gen: PQGen[_Result], interval: float = _WAIT_INTERVAL, timeout: float | None = None
    ) -> _Result:
        """See psycopg; every statement comes through here."""
        if timeout is not None or self.patience is None:
            return super().wait(gen, interval, timeout)
        began = time.monotonic()
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.OperationalError as error:
            if time.monotonic() - began < self.patience:
                raise
            # Nobody knows what became of the statement: the connection cannot be used again.
            self.close()
            raise Unanswered(f"no answer within {self.patience} s") from error

    def __del__(self, *_: object) -> None:
        """Say nothing, as psycopg does of connections in its own pool; libpq closes what is still open.

        A thread that is slow to end may give its connection back to an engine that was disposed of.
        """


def patience(settings: DatabaseSettings) -> float:
    """How long to wait for an answer: a little more than the server may work on a statement."""
    return settings.statement_timeout.total_seconds() + _GRACE_SECONDS


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

    Folders that exist already keep their mode, and so does a file that is no database: the URL may be
    a slip. SQLite gives its side files the mode of the database file.

    Raises:
        Unavailable: the place cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            found = os.fstat(descriptor)
            is_ours = os.read(descriptor, len(_SQLITE_HEADER)) in {b"", _SQLITE_HEADER}
            is_open = stat.S_IMODE(found.st_mode) != stat.S_IRUSR | stat.S_IWUSR
            if is_ours and is_open and found.st_uid == os.geteuid():
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unavailable(detail=f"{path}: {error.strerror}") from error
