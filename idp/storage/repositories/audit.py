"""The audit record and the counters beside it."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from idp.storage.models import AuditEventRow, IssueCountRow
from idp.storage.records import AuditEntry
from idp.storage.repositories.base import Repository


class AuditRepository(Repository):
    """Rows of the audit record: added and read, never changed."""

    def add(self, entry: AuditEntry) -> None:
        """Write an event with the caller's change."""
        self._session.add(
            AuditEventRow(
                id=entry.id,
                occurred_at=entry.occurred_at,
                event=entry.event,
                actor=entry.actor,
                account_id=entry.account_id,
                client_id=entry.client_id,
                session_id=entry.session_id,
                address=entry.address,
                user_agent=entry.user_agent,
                request_id=entry.request_id,
                detail=dict(entry.detail),
            )
        )

    def list_(
        self,
        *,
        limit: int = 100,
        before: str | None = None,
        account_id: str | None = None,
        client_id: str | None = None,
        event: str | None = None,
    ) -> list[AuditEventRow]:
        """Events, newest first, older than the id ``before``; by account this is fast, else it walks back."""
        statement = select(AuditEventRow).order_by(AuditEventRow.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(AuditEventRow.id < before)
        for column, value in (
            (AuditEventRow.account_id, account_id),
            (AuditEventRow.client_id, client_id),
            (AuditEventRow.event, event),
        ):
            if value is not None:
                statement = statement.where(column == value)
        return list(self._session.scalars(statement))


class IssueCountRepository(Repository):
    """How many client_credentials tokens were issued, by client and minute."""

    def add(self, counts: Mapping[tuple[str, datetime], int]) -> None:
        """Add to the counters; sorted, so that two workers never wait for each other crosswise."""
        for (client_id, minute), count in sorted(counts.items()):
            values = {"client_id": client_id, "minute": minute, "count": count}
            statement = self._upsert(IssueCountRow, values)
            self._session.execute(
                statement.on_conflict_do_update(
                    index_elements=["client_id", "minute"],
                    set_={"count": IssueCountRow.count + statement.excluded.count},
                )
            )

    def list_for_client(self, client_id: str, since: datetime, until: datetime) -> list[IssueCountRow]:
        """The client's minutes in ``[since, until)`` that saw any."""
        statement = select(IssueCountRow).where(
            IssueCountRow.client_id == client_id, IssueCountRow.minute >= since, IssueCountRow.minute < until
        )
        return list(self._session.scalars(statement.order_by(IssueCountRow.minute)))
