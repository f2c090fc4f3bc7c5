"""Accounts that are to be deleted, and the end of their data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select, update

from idp.storage.models import (
    AccountDeletionRow,
    AccountRow,
    AuditEventRow,
    ConsentRow,
    OneTimeRow,
    OutboxRow,
)
from idp.storage.repositories.base import FRESH, Repository

_TO_PEOPLE: Final = ("mail", "sms")


class DeletionRepository(Repository):
    """Requests to delete accounts, and what carrying one out removes."""

    def request(self, account_id: str, *, now: datetime, delete_after: datetime) -> bool:
        """Note the wish; False if it was noted before, and then the first one stands."""
        values = {"account_id": account_id, "requested_at": now, "delete_after": delete_after}
        statement = self._upsert(AccountDeletionRow, values).on_conflict_do_nothing()
        added = self._session.scalars(statement.returning(AccountDeletionRow.account_id)).one_or_none()
        return added is not None

    def find(self, account_id: str) -> AccountDeletionRow | None:
        """The request, or None."""
        statement = select(AccountDeletionRow).where(AccountDeletionRow.account_id == account_id)
        return self._session.scalars(statement, execution_options=FRESH).one_or_none()

    def cancel(self, account_id: str) -> bool:
        """Forget the request; False if there is none, or if it is being carried out."""
        return self._remove(account_id, begun=False)

    def due(self, now: datetime, limit: int) -> list[str]:
        """Ids of accounts whose time has come, also those that are deleted but not yet shredded."""
        statement = (
            select(AccountDeletionRow.account_id)
            .where(AccountDeletionRow.delete_after <= now)
            .order_by(AccountDeletionRow.delete_after)
            .limit(limit)
        )
        return list(self._session.scalars(statement))

    def begin(self, account_id: str, now: datetime) -> bool:
        """Carry a request out whose time has come; at most one caller ever succeeds."""
        statement = (
            update(AccountDeletionRow)
            .where(
                AccountDeletionRow.account_id == account_id,
                AccountDeletionRow.delete_after <= now,
                AccountDeletionRow.begun_at.is_(None),
            )
            .values(begun_at=now)
            .returning(AccountDeletionRow.account_id)
        )
        found = self._session.scalars(statement, execution_options={"synchronize_session": False})
        return found.first() is not None

    def finish(self, account_id: str) -> None:
        """Forget a request that was carried out."""
        self._remove(account_id, begun=True)

    def delete_belongings(self, account_id: str) -> None:
        """Delete what names the account without a foreign key: consents, codes and links, messages.

        What tells applications of the end of a session stays until they have heard it.
        """
        for statement in (
            delete(ConsentRow).where(ConsentRow.account_id == account_id),
            delete(OneTimeRow).where(OneTimeRow.account_id == account_id),
            delete(OutboxRow).where(OutboxRow.account_id == account_id, OutboxRow.channel.in_(_TO_PEOPLE)),
        ):
            self._session.execute(statement, execution_options={"synchronize_session": False})

    def delete_account(self, account_id: str) -> None:
        """Delete the account, but not the record of what happened.

        Names, password, authenticators, devices, sessions, token families and sign-ins on their way go with
        the row, by their foreign keys.
        """
        self._session.flush()  # events about it are written before it goes
        self._session.execute(
            delete(AccountRow).where(AccountRow.id == account_id),
            execution_options={"synchronize_session": False},
        )
        self._session.expire_all()

    def details(self, account_id: str, *, after: str, limit: int) -> list[tuple[str, Mapping[str, Any]]]:
        """Id and detail of the next ``limit`` events of an account, oldest first, behind the id ``after``."""
        statement = (
            select(AuditEventRow.id, AuditEventRow.detail)
            .where(AuditEventRow.account_id == account_id, AuditEventRow.id > after)
            .order_by(AuditEventRow.id)
            .limit(limit)
        )
        return [(row[0], row[1]) for row in self._session.execute(statement)]

    def shred(self, details: Mapping[str, Mapping[str, Any]]) -> None:
        """Take address and user agent out of events, and leave these details of them, by event id."""
        self._session.execute(
            update(AuditEventRow),
            [
                {"id": event_id, "address": None, "user_agent": None, "detail": dict(detail)}
                for event_id, detail in details.items()
            ],
        )

    def _remove(self, account_id: str, *, begun: bool) -> bool:
        row = AccountDeletionRow
        state = row.begun_at.is_not(None) if begun else row.begun_at.is_(None)
        statement = delete(row).where(row.account_id == account_id, state).returning(row.account_id)
        return self._session.execute(statement).first() is not None
