"""Messages on their way out."""

from datetime import datetime

from sqlalchemy import select, update

from idp.storage.models import OutboxRow
from idp.storage.repositories.base import FRESH, Repository, at_most


class OutboxRepository(Repository):
    """Written with the change they speak of; taken by one deliverer at a time."""

    def add(self, row: OutboxRow) -> None:
        """Write a message, in the transaction of the change."""
        self._insert(row)

    def take_due(self, now: datetime, until: datetime, limit: int) -> list[OutboxRow]:
        """Take messages that are due; nobody else takes them before ``until``.

        A deliverer that dies leaves them due again at that moment: a message may be sent twice, and is
        never lost.
        """
        due = select(OutboxRow.id).where(OutboxRow.due_at <= now).order_by(OutboxRow.due_at)
        statement = (
            update(OutboxRow)
            .where(OutboxRow.id.in_(at_most(limit, due, skip_locked=True)))
            .values(due_at=until, attempts=OutboxRow.attempts + 1)
            .returning(OutboxRow)
        )
        return list(self._session.scalars(statement, execution_options=FRESH))

    def sent(self, message_id: str, now: datetime) -> None:
        """Note that it was handed over."""
        self._set(message_id, sent_at=now, due_at=None, error=None)

    def postpone(self, message_id: str, due_at: datetime, error: str) -> None:
        """Try again at ``due_at``."""
        self._set(message_id, due_at=due_at, error=error)

    def give_up(self, message_id: str, now: datetime, error: str) -> None:
        """Try no more."""
        self._set(message_id, failed_at=now, due_at=None, error=error)

    def _set(self, message_id: str, **values: object) -> None:
        self._session.execute(
            update(OutboxRow).where(OutboxRow.id == message_id, OutboxRow.sent_at.is_(None)).values(**values)
        )
