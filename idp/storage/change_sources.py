"""Reading the change counters over a connection of its own, one statement at a time.

A connection of its own, because a pool that busy requests have emptied must not look like a
lost database.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

import psycopg

from idp.errors import Unavailable
from idp.settings import DatabaseSettings
from idp.storage.connections import PatientConnection, database_url, postgresql_arguments

_READ_POSTGRESQL = """
    SELECT clock_timestamp(),
           ARRAY(SELECT topic FROM change_counter ORDER BY topic),
           ARRAY(SELECT version FROM change_counter ORDER BY topic)"""
_READ_SQLITE = "SELECT topic, version FROM change_counter"
_SQLITE_TIMEOUT = 1.0
_PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class ChangeSnapshot:
    """What one poll found."""

    versions: Mapping[str, int]
    database_now: datetime | None
    """The database's clock; None where it is this machine's own (SQLite)."""


class ChangeSource(Protocol):
    """Where the change feed reads."""

    def read(self) -> ChangeSnapshot:
        """The present versions; raises Unavailable, and connects anew with the next call."""
        ...

    def close(self) -> None:
        """Close the connection; a later read opens another."""
        ...


def create_change_source(settings: DatabaseSettings) -> ChangeSource:
    """The source for the configured database; connects when first read."""
    url = database_url(settings)
    if settings.dialect == "sqlite":
        return SqliteChangeSource(url.database or "")
    options = url.query.get("options", "")
    plain = url.set(drivername="postgresql").difference_update_query(["options"])
    extra = options if isinstance(options, str) else " ".join(options)
    return PostgresChangeSource(
        plain.render_as_string(hide_password=False), postgresql_arguments(settings, extra_options=extra)
    )


class PostgresChangeSource:
    """Reads from PostgreSQL, and its clock along the way."""

    def __init__(self, conninfo: str, arguments: Mapping[str, Any]) -> None:
        self._conninfo = conninfo
        self._arguments = arguments
        self._connection: PatientConnection[Any] | None = None

    def read(self) -> ChangeSnapshot:
        """The present versions and the database's time."""
        try:
            if self._connection is None:
                self._connection = PatientConnection.connect(
                    self._conninfo, autocommit=True, **self._arguments
                )
                self._connection.patience = _PATIENCE
            row = self._connection.execute(_READ_POSTGRESQL).fetchone()
        except psycopg.Error as error:
            self.close()
            raise Unavailable(detail=f"change feed: {type(error).__name__}") from error
        if row is None:
            raise Unavailable(detail="change feed: no answer")
        return ChangeSnapshot(versions=dict(zip(row[1], row[2], strict=True)), database_now=row[0])

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()


class SqliteChangeSource:
    """Reads from an SQLite file, without the right to write or to create it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def read(self) -> ChangeSnapshot:
        """The present versions."""
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    f"file:{quote(self._path)}?mode=rw",
                    uri=True,
                    timeout=_SQLITE_TIMEOUT,
                    check_same_thread=False,
                    isolation_level=None,
                )
                self._connection.execute("PRAGMA query_only = ON")
            rows = self._connection.execute(_READ_SQLITE).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise Unavailable(detail=f"change feed: {type(error).__name__}") from error
        return ChangeSnapshot(versions=dict(rows), database_now=None)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
