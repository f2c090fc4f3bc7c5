"""Browser sessions and interactions."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB

from idp.storage.models import BrowserSessionRow, ClientRow, InteractionRow, TokenFamilyRow
from idp.storage.records import ClientToTell
from idp.storage.repositories.base import FRESH, Repository, at_most
from idp.storage.types import Text


class SessionRepository(Repository):
    """Rows of browser sessions. Whether one is still good is decided above; `hot/` begins and finds them."""

    def add(self, row: BrowserSessionRow) -> None:
        """Write a new session.

        Raises:
            IntegrityConflict: id or digest exist, or the account does not. The transaction cannot go on.
        """
        self._insert(row)

    def get(self, session_id: str) -> BrowserSessionRow | None:
        """The session in whatever state, or None."""
        return self._session.get(BrowserSessionRow, session_id, execution_options=FRESH)

    def renew(self, session_id: str, *, account_id: str, logins: int, values: Mapping[str, Any]) -> bool:
        """Let a session go on after another sign-in of its person.

        Returns:
            False if it ended, is another person's, or has seen a sign-in beyond ``logins``.
        """
        statement = (
            update(BrowserSessionRow)
            .where(
                BrowserSessionRow.id == session_id,
                BrowserSessionRow.account_id == account_id,
                BrowserSessionRow.logins == logins,
                BrowserSessionRow.ended_at.is_(None),
            )
            .values(logins=logins + 1, **values)
            .returning(BrowserSessionRow.id)
        )
        found = self._session.scalars(statement, execution_options={"synchronize_session": False})
        return found.first() is not None

    def rotate(self, session_id: str, *, digest: bytes, new_digest: bytes) -> bool:
        """Let another cookie value find a session; False if it ended, or another one finds it already."""
        statement = (
            update(BrowserSessionRow)
            .where(
                BrowserSessionRow.id == session_id,
                BrowserSessionRow.token_digest == digest,
                BrowserSessionRow.ended_at.is_(None),
            )
            .values(token_digest=new_digest)
            .returning(BrowserSessionRow.id)
        )
        found = self._session.scalars(statement, execution_options={"synchronize_session": False})
        return found.first() is not None

    def end(self, session_id: str, reason: str, now: datetime) -> bool:
        """End a session; False if it ended before or does not exist."""
        return bool(self._end(BrowserSessionRow.id == session_id, reason=reason, now=now))

    def end_for_account(self, account_id: str, reason: str, now: datetime, *, limit: int) -> list[str]:
        """End at most ``limit`` sessions of a person that have not ended; their ids."""
        of_account = (BrowserSessionRow.account_id == account_id, BrowserSessionRow.ended_at.is_(None))
        some = at_most(limit, select(BrowserSessionRow.id).where(*of_account))
        return self._end(BrowserSessionRow.id.in_(some), reason=reason, now=now)

    def clients_to_tell(self, session_ids: Collection[str]) -> list[ClientToTell]:
        """Clients that got tokens through these sessions and want to hear of their end.

        Also of tokens that were revoked since: the application may have kept the person signed in.
        """
        family, client = TokenFamilyRow, ClientRow
        uri: ColumnElement[Any]
        if self._dialect == "sqlite":
            uri = func.json_extract(client.metadata_, "$.backchannel_logout_uri")
        else:
            uri = cast(cast(client.metadata_, JSONB)["backchannel_logout_uri"].astext, Text)
        statement = (
            select(family.session_id, family.account_id, family.client_id)
            .distinct()
            .join(client, client.client_id == family.client_id)
            .where(family.session_id.in_(session_ids), uri.is_not(None), client.disabled_at.is_(None))
            .order_by(family.session_id, family.client_id)
        )
        found = self._session.execute(statement)
        return [
            ClientToTell(session_id or "", account, client_id) for session_id, account, client_id in found
        ]

    def _end(self, condition: ColumnElement[bool], *, reason: str, now: datetime) -> list[str]:
        statement = (
            update(BrowserSessionRow)
            .where(condition, BrowserSessionRow.ended_at.is_(None))
            .values(ended_at=now, end_reason=reason)
            .returning(BrowserSessionRow.id)
        )
        return list(self._session.scalars(statement, execution_options={"synchronize_session": False}))


class InteractionRepository(Repository):
    """Rows of half-finished authorization requests."""

    def add(self, row: InteractionRow) -> None:
        """Write a new interaction."""
        self._insert(row)

    def get(self, uid: str) -> InteractionRow | None:
        """The interaction in whatever state, or None."""
        return self._session.get(InteractionRow, uid, execution_options=FRESH)

    def save_progress(self, uid: str, progress: Mapping[str, Any], now: datetime) -> bool:
        """Write down how far it has come; False if it is finished or expired."""
        return self._change(uid, now, {"progress": dict(progress)})

    def finish(self, uid: str, now: datetime) -> bool:
        """Claim the end of an interaction; True for at most one caller ever."""
        return self._change(uid, now, {"finished_at": now})

    def _change(self, uid: str, now: datetime, values: Mapping[str, Any]) -> bool:
        statement = (
            update(InteractionRow)
            .where(
                InteractionRow.uid == uid,
                InteractionRow.finished_at.is_(None),
                InteractionRow.expires_at > now,
            )
            .values(**values)
            .returning(InteractionRow)
        )
        return self._session.scalars(statement, execution_options=FRESH).one_or_none() is not None
