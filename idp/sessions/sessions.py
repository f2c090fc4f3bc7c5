"""The browser session and its life."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from idp.crypto import Secret, random_token, token_digest
from idp.ids import new_id
from idp.settings import SessionSettings
from idp.storage import BrowserSessionRow, Repositories
from idp.storage.hot import BrowserStore, SessionState

_PREFIX: Final = "idp_bs_"
_KIND: Final = "browser-session"
_MAX_USER_AGENT: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserSession:
    """A sign-in at one browser. ``id`` is the ``sid`` of ID tokens and no secret."""

    id: str
    account_id: str
    logins: int
    """How often the person has proved themselves in this session; starts at 1."""
    auth_time: datetime
    acr: str
    amr: tuple[str, ...]
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    idle_expires_at: datetime
    user_agent: str
    address: str


class Sessions:
    """Starts, finds and ends browser sessions. Callers hold the transaction and record audit.

    Every page finds its session, so :meth:`find` and :meth:`touch` have statements of their own and
    are called outside of transactions (see ``BrowserStore``).

    The cookie's value is 256 random bits that exist only in the browser; we keep its digest
    (row S1). It is made anew at every sign-in, so a value that somebody planted is never one
    that is signed in (row S2).
    """

    def __init__(self, repos: Repositories, store: BrowserStore, settings: SessionSettings) -> None:
        self._sessions = repos.sessions
        self._store = store
        self._settings = settings

    def start(
        self,
        *,
        account_id: str,
        acr: str,
        amr: Sequence[str],
        user_agent: str,
        address: str,
        now: datetime,
    ) -> tuple[BrowserSession, Secret[str]]:
        """Begin a session for a person who has just proved who they are."""
        cookie = _new_cookie()
        expires_at = now + self._settings.absolute_lifetime
        row = BrowserSessionRow(
            id=new_id("ses", now),
            token_digest=_digest(cookie.reveal()),
            account_id=account_id,
            logins=1,
            created_at=now,
            auth_time=now,
            last_seen_at=now,
            idle_expires_at=self._idle_end(now, expires_at),
            expires_at=expires_at,
            acr=acr,
            amr=list(amr),
            user_agent=_printable(user_agent),
            address=address,
            ended_at=None,
            end_reason=None,
        )
        self._sessions.add(row)
        return _session(row), cookie

    def reauthenticate(
        self,
        session: BrowserSession,
        *,
        acr: str,
        amr: Sequence[str],
        user_agent: str,
        address: str,
        now: datetime,
    ) -> tuple[BrowserSession, Secret[str]]:
        """Take note that the same person proved themselves again: new cookie value, same ``sid``.

        Both ends of the session start over, as a fresh authentication allows (NIST SP 800-63B-4
        §5.2). The former cookie value is dead from here on.
        """
        cookie = _new_cookie()
        expires_at = now + self._settings.absolute_lifetime
        row = self._sessions.rotate(
            session.id,
            token_digest=_digest(cookie.reveal()),
            auth_time=now,
            acr=acr,
            amr=list(amr),
            last_seen_at=now,
            idle_expires_at=self._idle_end(now, expires_at),
            expires_at=expires_at,
            user_agent=_printable(user_agent),
            address=address,
        )
        if row is None:  # signed out in another tab meanwhile: what was proved now begins anew
            return self.start(
                account_id=session.account_id,
                acr=acr,
                amr=amr,
                user_agent=user_agent,
                address=address,
                now=now,
            )
        return _session(row), cookie

    def find(self, cookie: str | None, now: datetime) -> BrowserSession | None:
        """The live session of this cookie value.

        None for unknown values, after its end (logout, idle, absolute), for a disabled account
        and for a sign-in from before a revocation epoch (rows S4, S5, S6). Never raises on junk.
        """
        if not cookie or not cookie.startswith(_PREFIX):
            return None
        found = self._store.find_session(_digest(cookie))
        if found is None or found.ended or now >= min(found.expires_at, found.idle_expires_at):
            return None
        if found.account_disabled or any(
            epoch and found.auth_time < epoch
            for epoch in (found.account_not_before, found.deployment_not_before)
        ):
            return None
        return _session(found)

    def touch(self, session: BrowserSession, now: datetime) -> BrowserSession:
        """Move the idle end; writes at most once per ``touch_interval``."""
        if now - session.last_seen_at < self._settings.touch_interval:
            return session
        idle_end = self._idle_end(now, session.expires_at)
        self._store.touch_session(session.id, last_seen_at=now, idle_expires_at=idle_end)
        return replace(session, last_seen_at=now, idle_expires_at=idle_end)

    def end(self, session_id: str, reason: str, now: datetime) -> bool:
        """End one session; False if it had ended before."""
        return self._sessions.end(session_id, reason, now)

    def end_for_account(self, account_id: str, reason: str, now: datetime, *, limit: int) -> int:
        """End at most ``limit`` live sessions of an account; how many."""
        return self._sessions.end_for_account(account_id, reason, now, limit=limit)

    def _idle_end(self, now: datetime, expires_at: datetime) -> datetime:
        return min(now + self._settings.idle_lifetime, expires_at)


def _new_cookie() -> Secret[str]:
    return Secret(_PREFIX + random_token())


def _digest(cookie: str) -> bytes:
    return token_digest(_KIND, cookie)


def _printable(user_agent: str) -> str:
    """A header's text as the database can hold it (row X5)."""
    return "".join(
        character if character.isprintable() else "?" for character in user_agent[:_MAX_USER_AGENT]
    )


def _session(row: BrowserSessionRow | SessionState) -> BrowserSession:
    return BrowserSession(
        id=row.id,
        account_id=row.account_id,
        logins=row.logins,
        auth_time=row.auth_time,
        acr=row.acr,
        amr=tuple(row.amr),
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
        idle_expires_at=row.idle_expires_at,
        user_agent=row.user_agent,
        address=row.address,
    )
