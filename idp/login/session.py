"""From proof to browser session: start one, renew one, or replace somebody else's."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from idp.audit import Actor, Audit, AuditEvent, Source
from idp.crypto import Secret
from idp.login.assurance import Assurance
from idp.sessions import BrowserSession, Sessions
from idp.storage import AuditEntry
from idp.storage.hot import NewSession


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A person who has proved who they are, and what their browser must keep."""

    session: BrowserSession
    session_cookie: Secret[str]
    device_cookie: Secret[str]


class Seat(NamedTuple):
    """What a person who has proved who they are gets; which of the events happen, the store decides."""

    draft: NewSession
    cookie: Secret[str]
    account_id: str
    present: BrowserSession | None
    started: AuditEntry
    renewed: AuditEntry | None
    ended: AuditEntry | None
    now: datetime


class SessionDesk:
    """Prepares the session of a person who has proved who they are (row S2)."""

    def __init__(self, *, sessions: Sessions, audit: Audit) -> None:
        self._sessions = sessions
        self._audit = audit

    def prepare(
        self,
        *,
        account_id: str,
        present: BrowserSession | None,
        assurance: Assurance,
        known_device: bool,
        source: Source,
        now: datetime,
    ) -> Seat:
        """The session, its new cookie value, and the events that may come of it.

        Args:
            account_id: who has proved who they are.
            present: the session this browser had, if any. The same person's is renewed and keeps
                its ``sid``; another person's is ended, because one browser has one session.
            assurance: what the proof is worth.
            known_device: for the audit record.
            source: where the browser is.
            now: aware UTC time; becomes ``auth_time``.
        """
        draft, cookie = self._sessions.draft(
            acr=assurance.acr,
            amr=assurance.amr,
            user_agent=source.user_agent,
            address=source.address,
            now=now,
        )
        proof: dict[str, object] = {"acr": assurance.acr, "amr": assurance.amr}
        renewed = ended = None
        if present is not None and present.account_id == account_id:
            counted = {**proof, "logins": present.logins + 1}
            renewed = self._event(AuditEvent.SESSION_REAUTHENTICATED, account_id, source, counted, now)
        elif present is not None:
            why: dict[str, object] = {"reason": "replaced"}
            ended = self._event(AuditEvent.SESSION_ENDED, present.account_id, source, why, now)
        detail = {**proof, "known_device": known_device}
        return Seat(
            draft=draft,
            cookie=cookie,
            account_id=account_id,
            present=present,
            started=self._event(AuditEvent.SESSION_STARTED, account_id, source, detail, now),
            renewed=renewed,
            ended=ended,
            now=now,
        )

    def taken(self, seat: Seat, *, renewed: bool) -> BrowserSession:
        """The session that the store has written."""
        if renewed and seat.present is not None:
            return self._sessions.renewed(seat.draft, seat.present, seat.now)
        return self._sessions.begun(seat.draft, seat.account_id, seat.now)

    def _event(
        self, event: AuditEvent, account_id: str, source: Source, detail: dict[str, object], now: datetime
    ) -> AuditEntry:
        return self._audit.entry(
            event, actor=Actor.account(account_id, source), account=account_id, detail=detail, now=now
        )
