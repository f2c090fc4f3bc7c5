"""What all repositories share."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, inspect, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from idp.storage.base import Base
from idp.storage.database import SessionSource
from idp.storage.failures import translated_errors

FRESH: Mapping[str, Any] = {"populate_existing": True, "synchronize_session": False}
"""Execution options of statements that return rows: a row loaded earlier takes over what they say."""


def at_most(limit: int, rows: Select[Any], *, skip_locked: bool = False) -> Select[Any]:
    """The keys of ``limit`` of these rows, for a statement that changes them.

    Locked before the change: rows in use are waited for, or passed over with ``skip_locked``. In a common
    table expression because PostgreSQL may run a mere subquery again for every row, and then it finds
    others each time.
    """
    some = rows.limit(limit).with_for_update(skip_locked=skip_locked).cte("some")
    return select(*some.columns)


class Repository:
    """Statements about one noun, in the current session's transaction. Never commits."""

    def __init__(self, source: SessionSource) -> None:
        self._source = source

    @property
    def _session(self) -> Session:
        return self._source()

    @property
    def _dialect(self) -> str:
        return self._session.get_bind().dialect.name

    def _insert(self, *rows: Base, conflict: str | None = None) -> None:
        """Write rows now, so that a conflict shows here and later statements find them."""
        session = self._session
        with translated_errors(conflict):
            session.add_all(rows)
            session.flush()

    def _upsert(self, model: type[Base], values: Mapping[str, Any]) -> sqlite.Insert | postgresql.Insert:
        """An insert that can be told what to do on conflict; its column names are the database's."""
        insert = sqlite.insert if self._dialect == "sqlite" else postgresql.insert
        return insert(model).values(dict(values))

    def _delete_some(
        self,
        model: type[Base],
        *conditions: ColumnElement[bool],
        limit: int,
        oldest_by: ColumnElement[Any] | None = None,
        skip_locked: bool = False,
    ) -> int:
        """Delete at most ``limit`` rows, so that no lock is held for long; how many.

        Args:
            model: of which table.
            conditions: which rows.
            limit: how many of them.
            oldest_by: which first.
            skip_locked: pass over rows in use, instead of waiting for them.
        """
        columns = inspect(model).primary_key
        rows = select(*columns).where(*conditions)
        if oldest_by is not None:
            rows = rows.order_by(oldest_by)
        key = columns[0] if len(columns) == 1 else tuple_(*columns)
        statement = delete(model).where(key.in_(at_most(limit, rows, skip_locked=skip_locked)))
        # Past the session, which would look for the rows among its own. What comes back is counted,
        # because Python's sqlite3 counts no statement that begins with WITH.
        return len(self._session.connection().execute(statement.returning(*columns)).all())

    def _replace(self, row: Base, *, kept: Sequence[str] = ()) -> None:
        """Insert a row, or overwrite the one with its primary key but for the columns in ``kept``."""
        mapper = row.__mapper__
        values = {
            column.name: getattr(row, mapper.get_property_by_column(column).key) for column in mapper.columns
        }
        keys = [column.name for column in mapper.primary_key]
        changed = {name: value for name, value in values.items() if name not in {*keys, *kept}}
        statement = self._upsert(type(row), values).on_conflict_do_update(index_elements=keys, set_=changed)
        with translated_errors():
            self._session.scalars(statement.returning(type(row)), execution_options=FRESH).one()
