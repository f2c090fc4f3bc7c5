"""Messages on their way out."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update

from idp.storage.models import OutboxRow
from idp.storage.repositories.base import FRESH, Repository, at_most


class OutboxRepository(Repository):
    """Written with the change they speak of; taken by one deliverer at a time."""

    def add(self, row: OutboxRow) -> None:
        """Write a message, in the transaction of the change."""
        self._insert(row)

    def has_due(self, now: datetime, channels: Sequence[str]) -> bool:
        """Whether there is anything to take; costs no right to write."""
        due = select(OutboxRow.id).where(*_due(now, channels)).limit(1)
        return self._session.scalar(due) is not None

    def take_due(
        self, now: datetime, until: datetime, limit: int, channels: Sequence[str]
    ) -> list[OutboxRow]:
        """Take messages that are due, oldest first; nobody else takes them before ``until``.

        A deliverer that dies leaves them due again at that moment: a message may be sent twice, and is
        never lost.
        """
        due = select(OutboxRow.id).where(*_due(now, channels)).order_by(OutboxRow.due_at, OutboxRow.id)
        statement = (
            update(OutboxRow)
            .where(OutboxRow.id.in_(at_most(limit, due, skip_locked=True)))
            .values(due_at=until, attempts=OutboxRow.attempts + 1)
            .returning(OutboxRow)
        )
        taken = self._session.scalars(statement, execution_options=FRESH)
        return sorted(taken, key=lambda row: (row.created_at, row.id))

    def sent(self, message_id: str, now: datetime) -> None:
        """Note that it was handed over, and forget what it said."""
        self._set(message_id, sent_at=now, due_at=None, error=None, sealed_body=b"")

    def postpone(self, message_id: str, due_at: datetime, error: str) -> None:
        """Try again at ``due_at``."""
        self._set(message_id, due_at=due_at, error=error)

    def give_up(self, message_id: str, now: datetime, error: str) -> None:
        """Try no more."""
        self._set(message_id, failed_at=now, due_at=None, error=error)

    def retry(self, now: datetime, message_id: str | None = None) -> int:
        """Make one that was not sent, or all that were given up, due again; how many there were."""
        chosen: ColumnElement[bool] = (
            OutboxRow.failed_at.is_not(None) if message_id is None else OutboxRow.id == message_id
        )
        statement = (
            update(OutboxRow)
            .where(chosen, OutboxRow.sent_at.is_(None), OutboxRow.expires_at > now)
            .values(due_at=now, failed_at=None)
            .returning(OutboxRow)
        )
        return len(self._session.scalars(statement, execution_options=FRESH).all())

    def list_unsent(self, *, limit: int, after: str | None = None) -> list[OutboxRow]:
        """What waits or was given up, in the order it was written, after the id ``after``."""
        statement = select(OutboxRow).where(OutboxRow.sent_at.is_(None)).order_by(OutboxRow.id).limit(limit)
        if after is not None:
            statement = statement.where(OutboxRow.id > after)
        return list(self._session.scalars(statement, execution_options=FRESH))

    def count(
        self,
        channel: str,
        now: datetime,
        *,
        recipient: tuple[bytes, timedelta],
        source: tuple[bytes | None, timedelta],
        total: timedelta,
    ) -> tuple[int, int, int]:
        """How many were asked for lately (row L9): for this recipient, from this source, and at all.

        Args:
            channel: of which kind.
            now: aware UTC time.
            recipient: keyed digest of the address, and how far to look back.
            source: keyed digest of the network address, and how far to look back.
            total: how far to look back for all of them.
        """

        def counted(since: timedelta, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
            rows = (
                select(func.count())
                .select_from(OutboxRow)
                .where(
                    OutboxRow.channel == channel,
                    OutboxRow.created_at > now - since,
                    OutboxRow.recipient.is_not(None),
                    *conditions,
                )
            )
            return rows.scalar_subquery()

        row = self._session.execute(
            select(
                counted(recipient[1], OutboxRow.recipient == recipient[0]),
                counted(source[1], OutboxRow.source == source[0]),
                counted(total),
            )
        ).one()
        return row[0], row[1], row[2]

    def _set(self, message_id: str, **values: object) -> None:
        self._session.execute(
            update(OutboxRow).where(OutboxRow.id == message_id, OutboxRow.sent_at.is_(None)).values(**values)
        )


def _due(now: datetime, channels: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    return OutboxRow.due_at <= now, OutboxRow.channel.in_(channels)
