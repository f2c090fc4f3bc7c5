"""Signing keys."""

from typing import Any

from sqlalchemy import select, text, update

from idp.storage.models import SigningKeyRow
from idp.storage.repositories.base import FRESH, Repository

_ROTATION_LOCK = 0x6964702D6B657973
"""``idp-keys`` in ASCII: the name of the advisory lock on PostgreSQL."""


class KeyRepository(Repository):
    """Rows of sealed signing keys."""

    def list_(self) -> list[SigningKeyRow]:
        """Every key in every state, oldest first."""
        statement = select(SigningKeyRow).order_by(SigningKeyRow.created_at, SigningKeyRow.kid)
        return list(self._session.scalars(statement, execution_options=FRESH))

    def add(self, row: SigningKeyRow) -> None:
        """Write a new key.

        Raises:
            IntegrityConflict: the kid exists already. The transaction cannot go on.
        """
        self._insert(row)

    def set_state(self, kid: str, **columns: Any) -> bool:
        """Set ``state`` and the times that belong to it; False if there is no such key."""
        statement = update(SigningKeyRow).where(SigningKeyRow.kid == kid).values(**columns)
        changed = self._session.scalars(statement.returning(SigningKeyRow), execution_options=FRESH)
        return changed.one_or_none() is not None

    def lock(self) -> None:
        """Keep other nodes from changing keys until this transaction ends.

        On SQLite a write transaction is alone anyway.
        """
        if self._dialect == "postgresql":
            self._session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ROTATION_LOCK})
