"""Several accounts in one browser: make another of its sessions the present one, or end one."""

from dataclasses import dataclass
from datetime import datetime

from idp.accounts import Accounts, assert_may_authenticate
from idp.audit import Actor, Audit, AuditEvent, Source
from idp.crypto import Secret
from idp.errors import NotFound
from idp.sessions import BrowserSession, Sessions
from idp.storage import Database, Repositories


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchServices:
    """What switching stands on, put together once by the container."""

    database: Database
    repos: Repositories
    accounts: Accounts
    sessions: Sessions
    audit: Audit


class AccountSwitch:
    """Changes which session of a browser is the present one. Each method is one transaction.

    A parked session is as good as a present one and nothing more: it has its own ends, and to come
    back to it proves nothing anew, so ``auth_time`` and ``acr`` stay.
    """

    def __init__(self, services: SwitchServices) -> None:
        self._services = services

    def choose(self, session: BrowserSession, cookie: str, *, source: Source, now: datetime) -> Secret[str]:
        """Make a parked session the present one; its new cookie value, the former one is dead (row S2).

        Args:
            session: as it was found.
            cookie: the value that found it.
            source: where the browser is.
            now: aware UTC time.

        Raises:
            NotFound: it ended, or was chosen elsewhere, a moment ago.
            Refused: its account may not be used (row T16).
        """
        services = self._services
        with services.database.transaction():
            account = services.accounts.get(session.account_id)
            assert_may_authenticate(account, now, auth_time=session.auth_time)
            rotated = services.sessions.rotate(session, cookie)
            if rotated is None:
                raise NotFound("This account is not signed in any more.", detail=f"{session.id} is gone")
            services.audit.record(
                AuditEvent.SESSION_CHOSEN,
                actor=Actor.account(session.account_id, source),
                account=session.account_id,
                session=session.id,
                now=now,
            )
        return rotated

    def supersede(self, session: BrowserSession, *, source: Source, now: datetime) -> None:
        """End a parked session for which the browser has no place any more."""
        services = self._services
        with services.database.transaction():
            if not services.sessions.end(session.id, "replaced", now):
                return
            services.audit.record(
                AuditEvent.SESSION_ENDED,
                actor=Actor.account(session.account_id, source),
                account=session.account_id,
                session=session.id,
                detail={
                    "reason": "replaced",
                    "families": services.repos.families.revoke_for_session(session.id, now),
                },
                now=now,
            )
