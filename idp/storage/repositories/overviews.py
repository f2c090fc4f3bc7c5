"""What a person sees of their own account, over several tables; every question bounded."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, not_, or_, select, update

from idp.storage.models import (
    AccountRow,
    AuditEventRow,
    BrowserSessionRow,
    ConsentRow,
    OneTimeRow,
    TokenFamilyRow,
)
from idp.storage.records import ClientUse
from idp.storage.repositories.base import FRESH, Repository, at_most


class OverviewRepository(Repository):
    """Lists of one account, newest first and page by page, and the statements that end what they show."""

    def live_sessions(
        self, account_id: str, now: datetime, *, limit: int, before: str | None = None
    ) -> list[BrowserSessionRow]:
        """Sessions somebody can still use, at most ``limit``, begun before the one with the id ``before``."""
        statement = (
            select(BrowserSessionRow)
            .join(AccountRow, AccountRow.id == BrowserSessionRow.account_id)
            .where(BrowserSessionRow.account_id == account_id, *_live_session(now))
            .order_by(BrowserSessionRow.id.desc())
            .limit(limit)
        )
        if before is not None:
            statement = statement.where(BrowserSessionRow.id < before)
        return list(self._session.scalars(statement, execution_options=FRESH))

    def clients_by_session(self, session_ids: Sequence[str], *, limit: int) -> list[tuple[str, str]]:
        """Pairs of a session and a client that got tokens in it."""
        statement = (
            select(TokenFamilyRow.session_id, TokenFamilyRow.client_id)
            .where(TokenFamilyRow.session_id.in_(session_ids))
            .distinct()
            .order_by(TokenFamilyRow.session_id, TokenFamilyRow.client_id)
            .limit(limit)
        )
        return [(str(row[0]), row[1]) for row in self._session.execute(statement)]

    def end_other_sessions(
        self, account_id: str, *, except_id: str | None, reason: str, now: datetime, limit: int
    ) -> list[str]:
        """End at most ``limit`` of a person's sessions but for one; the ids of those that ended."""
        others = select(BrowserSessionRow.id).where(
            BrowserSessionRow.account_id == account_id, BrowserSessionRow.ended_at.is_(None)
        )
        if except_id is not None:
            others = others.where(BrowserSessionRow.id != except_id)
        statement = (
            update(BrowserSessionRow)
            .where(BrowserSessionRow.id.in_(at_most(limit, others)), BrowserSessionRow.ended_at.is_(None))
            .values(ended_at=now, end_reason=reason)
            .returning(BrowserSessionRow.id)
        )
        return list(self._session.scalars(statement, execution_options={"synchronize_session": False}))

    def revoke_other_families(
        self,
        account_id: str,
        *,
        except_id: str | None,
        offline_too: bool,
        reason: str,
        now: datetime,
        limit: int,
    ) -> int:
        """Revoke at most ``limit`` families of a person; those of the session ``except_id`` stay.

        Returns:
            how many were revoked.
        """
        others = [TokenFamilyRow.account_id == account_id, TokenFamilyRow.revoked_at.is_(None)]
        if not offline_too:
            others.append(not_(TokenFamilyRow.offline))
        if except_id is not None:
            others.append(TokenFamilyRow.session_id.is_distinct_from(except_id))
        return self._revoke(others, reason=reason, now=now, limit=limit)

    def consents(self, account_id: str, *, limit: int, client_id: str | None = None) -> list[ConsentRow]:
        """What a person allowed, by client and resource server."""
        statement = (
            select(ConsentRow)
            .where(ConsentRow.account_id == account_id)
            .order_by(ConsentRow.client_id, ConsentRow.resource)
            .limit(limit)
        )
        if client_id is not None:
            statement = statement.where(ConsentRow.client_id == client_id)
        return list(self._session.scalars(statement, execution_options=FRESH))

    def clients_in_use(self, account_id: str, now: datetime, *, limit: int) -> list[ClientUse]:
        """The clients that hold tokens of a person: since when, last used, and the newest grant of each."""
        family = TokenFamilyRow
        client = family.client_id
        ranked = (
            select(
                family.client_id,
                family.grant_data,
                func.min(family.created_at).over(partition_by=client).label("since"),
                func.max(family.last_used_at).over(partition_by=client).label("last_used_at"),
                func.count().filter(family.offline).over(partition_by=client).label("offline"),
                func.count().over(partition_by=client).label("families"),
                func.row_number().over(partition_by=client, order_by=family.created_at.desc()).label("place"),
            )
            .join(AccountRow, AccountRow.id == family.account_id)
            .where(family.account_id == account_id, *_live_family(now))
            .subquery()
        )
        statement = select(ranked).where(ranked.c.place == 1).order_by(ranked.c.client_id).limit(limit)
        return [
            ClientUse(
                client_id=row.client_id,
                since=row.since,
                last_used_at=row.last_used_at,
                offline=row.offline > 0,
                families=row.families,
                grant=row.grant_data,
            )
            for row in self._session.execute(statement)
        ]

    def withdraw_consents(self, account_id: str, client_id: str) -> int:
        """Forget what a person allowed a client; how many answers there were."""
        statement = (
            delete(ConsentRow)
            .where(ConsentRow.account_id == account_id, ConsentRow.client_id == client_id)
            .returning(ConsentRow.resource)
        )
        return len(self._session.scalars(statement).all())

    def revoke_client(
        self, account_id: str, client_id: str, *, reason: str, now: datetime, limit: int
    ) -> int:
        """Revoke at most ``limit`` families that a client has of a person, offline ones too; how many."""
        held = [
            TokenFamilyRow.account_id == account_id,
            TokenFamilyRow.client_id == client_id,
            TokenFamilyRow.revoked_at.is_(None),
        ]
        return self._revoke(held, reason=reason, now=now, limit=limit)

    def void_codes(self, account_id: str, now: datetime, *, client_id: str | None = None) -> None:
        """Use up authorization codes of a person that nobody has exchanged yet.

        No index leads to them: they live for a minute, and this happens seldom.
        """
        conditions = [
            OneTimeRow.kind == "authorization_code",
            OneTimeRow.account_id == account_id,
            OneTimeRow.consumed_at.is_(None),
        ]
        if client_id is not None:
            conditions.append(OneTimeRow.binding == client_id)
        self._session.execute(
            update(OneTimeRow).where(*conditions).values(consumed_at=now),
            execution_options={"synchronize_session": False},
        )

    def events(
        self, account_id: str, *, names: Sequence[str], limit: int, before: str | None = None
    ) -> list[AuditEventRow]:
        """Events of an account with one of these names, or any if there are none, newest first."""
        statement = (
            select(AuditEventRow)
            .where(AuditEventRow.account_id == account_id)
            .order_by(AuditEventRow.id.desc())
            .limit(limit)
        )
        if names:
            statement = statement.where(AuditEventRow.event.in_(names))
        if before is not None:
            statement = statement.where(AuditEventRow.id < before)
        return list(self._session.scalars(statement))

    def _revoke(
        self, conditions: Sequence[ColumnElement[bool]], *, reason: str, now: datetime, limit: int
    ) -> int:
        some = at_most(limit, select(TokenFamilyRow.id).where(*conditions))
        statement = (
            update(TokenFamilyRow)
            .where(TokenFamilyRow.id.in_(some), TokenFamilyRow.revoked_at.is_(None))
            .values(revoked_at=now, revoked_reason=reason)
            .returning(TokenFamilyRow.id)
        )
        return len(self._session.scalars(statement, execution_options={"synchronize_session": False}).all())


def _live_session(now: datetime) -> tuple[ColumnElement[bool], ...]:
    session = BrowserSessionRow
    return (
        session.ended_at.is_(None),
        session.expires_at > now,
        session.idle_expires_at > now,
        or_(AccountRow.not_before.is_(None), session.auth_time >= AccountRow.not_before),
    )


def _live_family(now: datetime) -> tuple[ColumnElement[bool], ...]:
    family = TokenFamilyRow
    return (
        family.revoked_at.is_(None),
        family.expires_at > now,
        family.idle_expires_at > now,
        or_(AccountRow.not_before.is_(None), family.created_at >= AccountRow.not_before),
    )
