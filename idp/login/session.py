"""From proof to browser session: start one, renew one, or replace somebody else's."""

from datetime import datetime

from idp.audit import Actor, Audit, AuditEvent, Source
from idp.crypto import Secret
from idp.login.assurance import Assurance
from idp.sessions import BrowserSession, Sessions
from idp.storage import Repositories


class SessionDesk:
    """Gives a person who has proved who they are a session. Callers hold the transaction."""

    def __init__(self, *, repos: Repositories, sessions: Sessions, audit: Audit) -> None:
        self._repos = repos
        self._sessions = sessions
        self._audit = audit

    def admit(
        self,
        *,
        account_id: str,
        present: BrowserSession | None,
        assurance: Assurance,
        known_device: bool,
        source: Source,
        now: datetime,
    ) -> tuple[BrowserSession, Secret[str]]:
        """The session and its new cookie value (row S2).

        Args:
            account_id: who has proved who they are.
            present: the session this browser had, if any. The same person's is renewed and keeps
                its ``sid``; another person's is ended, because one browser has one session.
            assurance: what the proof is worth.
            known_device: for the audit record.
            source: where the browser is.
            now: aware UTC time; becomes ``auth_time``.
        """
        if present is not None and present.account_id == account_id and self._is_live(present):
            return self._renew(present, assurance, source, now)
        if present is not None and present.account_id != account_id:
            self._replace(present, source, now)
        session, cookie = self._sessions.start(
            account_id=account_id,
            acr=assurance.acr,
            amr=assurance.amr,
            user_agent=source.user_agent,
            address=source.address,
            now=now,
        )
        self._audit.record(
            AuditEvent.SESSION_STARTED,
            actor=Actor.account(account_id, source),
            account=account_id,
            session=session.id,
            detail={"acr": assurance.acr, "amr": assurance.amr, "known_device": known_device},
            now=now,
        )
        return session, cookie

    def _renew(
        self, present: BrowserSession, assurance: Assurance, source: Source, now: datetime
    ) -> tuple[BrowserSession, Secret[str]]:
        session, cookie = self._sessions.reauthenticate(
            present,
            acr=assurance.acr,
            amr=assurance.amr,
            user_agent=source.user_agent,
            address=source.address,
            now=now,
        )
        self._audit.record(
            AuditEvent.SESSION_REAUTHENTICATED,
            actor=Actor.account(session.account_id, source),
            account=session.account_id,
            session=session.id,
            detail={"acr": assurance.acr, "amr": assurance.amr, "logins": session.logins},
            now=now,
        )
        return session, cookie

    def _replace(self, present: BrowserSession, source: Source, now: datetime) -> None:
        if not self._sessions.end(present.id, "replaced", now):
            return
        families = self._repos.families.revoke_for_session(present.id, now, keep_offline=True)
        self._audit.record(
            AuditEvent.SESSION_ENDED,
            actor=Actor.account(present.account_id, source),
            account=present.account_id,
            session=present.id,
            detail={"reason": "replaced", "families": families},
            now=now,
        )

    def _is_live(self, present: BrowserSession) -> bool:
        """Whether the session is still the one the browser showed: not ended, not renewed elsewhere."""
        row = self._repos.sessions.get(present.id)
        return row is not None and row.ended_at is None and row.logins == present.logins
