"""What the databases' errors mean to the rooms above."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import exc

from idp.errors import Conflict, IdpError, Unavailable


class IntegrityConflict(Conflict):
    """A row contradicts another one: a name is taken, or what it refers to is gone."""


_CONFLICTS = frozenset({"23505", "23503"})  # unique_violation, foreign_key_violation
_READ_ONLY = "25006"  # a standby answers, or the cluster was switched to read-only

_SQLITE_CONFLICTS = frozenset(
    {
        sqlite3.SQLITE_CONSTRAINT_UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        sqlite3.SQLITE_CONSTRAINT_ROWID,
        sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
    }
)
_SQLITE_UNAVAILABLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


@contextmanager
def translated_errors(conflict: str | None = None) -> Iterator[None]:
    """Turn SQLAlchemy's errors into ours; what stays untranslated is a mistake in this program.

    Args:
        conflict: the public text of an IntegrityConflict, where the general one can be improved on.

    Raises:
        Unavailable: no connection, a time-out, a lock that was not to be had, a full disk, no database file.
        IntegrityConflict: a unique or a foreign key was violated.
        Invalid: a value that neither database may hold.
    """
    try:
        yield
    except exc.SQLAlchemyError as error:
        translated = translate(error)
        if translated is None:
            raise
        if conflict is not None and isinstance(translated, IntegrityConflict):
            translated = IntegrityConflict(conflict, detail=translated.detail)
        raise translated from error


def translate(error: exc.SQLAlchemyError) -> IdpError | None:
    """The error in our terms; None if it is a mistake in this program."""
    if isinstance(error, exc.TimeoutError):
        return Unavailable(detail="no database connection in time")
    if not isinstance(error, exc.StatementError):
        return None
    original = error.orig
    if isinstance(original, IdpError):
        return original
    # The first line only: the further ones of PostgreSQL quote the row's values.
    detail = f"{type(original).__name__}: {str(original).partition(chr(10))[0]}"
    if isinstance(error, exc.IntegrityError):
        return _conflict(original, detail)
    lost = isinstance(error, exc.DBAPIError) and error.connection_invalidated
    return Unavailable(detail=detail) if lost or _is_unavailable(original) else None


def _conflict(original: BaseException | None, detail: str) -> IntegrityConflict | None:
    if isinstance(original, sqlite3.Error):
        known = original.sqlite_errorcode in _SQLITE_CONFLICTS
    else:
        known = isinstance(original, psycopg.Error) and original.sqlstate in _CONFLICTS
    return (
        IntegrityConflict("That exists already, or what it refers to does not.", detail=detail)
        if known
        else None
    )


def _is_unavailable(original: BaseException | None) -> bool:
    if isinstance(original, sqlite3.DatabaseError):
        # The low byte is the primary code. Without a code the error arose before SQLite was asked.
        return getattr(original, "sqlite_errorcode", 0) & 0xFF in _SQLITE_UNAVAILABLE
    if isinstance(original, psycopg.OperationalError | psycopg.InterfaceError):
        return True
    return isinstance(original, psycopg.Error) and original.sqlstate == _READ_ONLY
