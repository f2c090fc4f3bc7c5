"""What all repositories share."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from idp.storage.base import Base
from idp.storage.database import SessionSource
from idp.storage.failures import translated_errors

FRESH: Mapping[str, Any] = {"populate_existing": True, "synchronize_session": False}
"""Execution options of statements that return rows: a row loaded earlier takes over what they say."""


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
