"""Who is at the browser, looked at again where it counts."""

from dataclasses import dataclass
from datetime import datetime

from idp.accounts import Accounts, assert_may_authenticate
from idp.audit import Source
from idp.errors import Refused
from idp.sessions import BrowserSession
from idp.storage import Repositories


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who stands at the door: one browser, at one moment."""

    session: BrowserSession | None
    """As the pages found it; looked at again inside the transaction."""
    browser: str
    """The pre-session cookie's value: interactions belong to one browser."""
    source: Source
    now: datetime


class Presence:
    """Looks at sessions inside the caller's transaction."""

    def __init__(self, repos: Repositories, accounts: Accounts) -> None:
        self._sessions = repos.sessions
        self._accounts = accounts

    def live(self, visit: Visit) -> BrowserSession | None:
        """The session, if it is still the one the pages found and its account may be used.

        Security: read inside the transaction that issues the code, so that a logout or a
        disabled account of a moment ago counts (rows S5, S6, T16).
        """
        session = visit.session
        if session is None:
            return None
        row = self._sessions.get(session.id)
        account = self._accounts.find(session.account_id)
        if row is None or account is None or row.ended_at is not None or row.logins != session.logins:
            return None
        if visit.now >= min(row.expires_at, row.idle_expires_at):
            return None
        try:
            assert_may_authenticate(account, visit.now, auth_time=row.auth_time)
        except Refused:
            return None
        return session
