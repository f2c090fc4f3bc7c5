"""The browser session and its life."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from idp.assurance import ACR_SINGLE_FACTOR, level_of
from idp.crypto import Secret, random_token, token_digest
from idp.delivery import Outbox
from idp.ids import new_id
from idp.settings import SessionSettings
from idp.storage import BrowserSessionRow, Repositories
from idp.storage.hot import BrowserStore, LoweredSession, NewSession, SessionState

_PREFIX: Final = "idp_bs_"
_KIND: Final = "browser-session"
_MAX_USER_AGENT: Final = 400
_AT_ONCE: Final = 500
"""Sessions of which one statement asks whom to tell."""
_LOGOUT_NOTICE_LIFETIME: Final = timedelta(days=1)
"""How long a client is tried to be told; by then its ID token has ended long since."""


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
    locale: str | None = None
    """The language the person chose for pages; ``None`` in a session that has just begun."""
    deletes_at: datetime | None = None
    """When the account is to be deleted: until then its owner can sign in only to keep it."""
    has_fallen: bool = False
    """Whether ``acr`` is lower than what is stored, because the higher level has run out since."""


class Sessions:
    """Drafts, finds and ends browser sessions.

    A sign-in with a password alone is written by ``LoginStore``, every other by :meth:`begin` and
    :meth:`renew`.

    Who ends some holds the transaction and records audit. Every page finds its session, so :meth:`find`
    and :meth:`touch` have statements of their own and are called outside of transactions (see
    ``BrowserStore``).

    The cookie's value is 256 random bits that exist only in the browser; we keep its digest
    (row S1). It is made anew at every sign-in, so a value that somebody planted is never one
    that is signed in (row S2).
    """

    def __init__(
        self,
        repos: Repositories,
        store: BrowserStore,
        settings: SessionSettings,
        outbox: Outbox | None = None,
    ) -> None:
        self._sessions = repos.sessions
        self._store = store
        self._settings = settings
        self._outbox = outbox

    def draft(
        self, *, acr: str, amr: Sequence[str], user_agent: str, address: str, now: datetime
    ) -> tuple[NewSession, Secret[str]]:
        """What a person's sign-in makes of their session, new or renewed, and its new cookie value.

        Both ends of a renewed session start over, as a fresh authentication allows (NIST SP 800-63B-4
        §5.2). Its former cookie value is dead from then on.
        """
        cookie = _new_cookie()
        expires_at = now + self._settings.absolute_lifetime
        session = NewSession(
            id=new_id("ses", now),
            token_digest=_digest(cookie.reveal()),
            acr=acr,
            amr=tuple(amr),
            idle_expires_at=self._idle_end(now, expires_at),
            expires_at=expires_at,
            user_agent=_printable(user_agent),
            address=address,
        )
        return session, cookie

    def begin(self, draft: NewSession, account_id: str, now: datetime) -> BrowserSession:
        """Write the session that begins with a draft."""
        self._sessions.add(BrowserSessionRow(account_id=account_id, created_at=now, **_columns(draft, now)))
        return self.begun(draft, account_id, now)

    def renew(self, draft: NewSession, present: BrowserSession, now: datetime) -> BrowserSession | None:
        """Write what a draft makes of a session of the same person; ``None`` if it does not go on.

        That is so when it ended, or saw another sign-in, since ``present`` was read.
        """
        columns = _columns(draft, now)
        del columns["id"]
        goes_on = self._sessions.renew(
            present.id, account_id=present.account_id, logins=present.logins, values=columns
        )
        return self.renewed(draft, present, now) if goes_on else None

    def begun(self, draft: NewSession, account_id: str, now: datetime) -> BrowserSession:
        """The session that begins with a draft."""
        return _signed_in(draft, id=draft.id, account_id=account_id, logins=1, created_at=now, now=now)

    def renewed(self, draft: NewSession, present: BrowserSession, now: datetime) -> BrowserSession:
        """What a draft makes of a session of the same person."""
        return _signed_in(
            draft,
            id=present.id,
            account_id=present.account_id,
            logins=present.logins + 1,
            created_at=present.created_at,
            now=now,
        )

    def find(self, cookie: str | None, now: datetime) -> BrowserSession | None:
        """The live session of this cookie value.

        None for unknown values, after its end (logout, idle, absolute), for a disabled account
        and for a sign-in from before a revocation epoch (rows S4, S5, S6). Never raises on junk.

        Two factors count for a shorter time than the sign-in lasts: beyond that the session is one of
        a single factor (row S4, NIST SP 800-63B-4 §2.2.3).
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
        return self._fallen(_session(found), now)

    def touch(self, session: BrowserSession, now: datetime) -> BrowserSession:
        """Move the idle end; writes at most once per ``touch_interval``, and that a level has run out.

        Security: the fall is written with the very use that notices it. Were it not, this use would make
        the session one that was just in use, and so lift it again (row S4).
        """
        if session.has_fallen:
            idle_end = self._idle_end(now, session.expires_at)
            self._store.lower_session(
                LoweredSession(
                    id=session.id,
                    logins=session.logins,
                    acr=session.acr,
                    amr=session.amr,
                    last_seen_at=now,
                    idle_expires_at=idle_end,
                )
            )
            return replace(session, has_fallen=False, last_seen_at=now, idle_expires_at=idle_end)
        if now - session.last_seen_at < self._settings.touch_interval:
            return session
        idle_end = self._idle_end(now, session.expires_at)
        self._store.touch_session(session.id, last_seen_at=now, idle_expires_at=idle_end)
        return replace(session, last_seen_at=now, idle_expires_at=idle_end)

    def rotate(self, session: BrowserSession, cookie: str) -> Secret[str] | None:
        """Give a session a new cookie value; at most one caller ever succeeds with the former (row S2)."""
        new = _new_cookie()
        changed = self._sessions.rotate(session.id, digest=_digest(cookie), new_digest=_digest(new.reveal()))
        return new if changed else None

    def end(self, session_id: str, reason: str, now: datetime) -> bool:
        """End one session; False if it had ended before."""
        ended = self._sessions.end(session_id, reason, now)
        if ended:
            self.announce_ends([session_id], now)
        return ended

    def end_for_account(self, account_id: str, reason: str, now: datetime, *, limit: int) -> int:
        """End at most ``limit`` live sessions of an account; how many."""
        ended = self._sessions.end_for_account(account_id, reason, now, limit=limit)
        self.announce_ends(ended, now)
        return len(ended)

    def announce_ends(self, session_ids: Sequence[str], now: datetime) -> None:
        """Write down, with the ends themselves, which clients are to be told of them.

        For whoever ends sessions without :meth:`end` and :meth:`end_for_account`, which do it.

        Source: OpenID Connect Back-Channel Logout 1.0 §2.5.
        """
        if self._outbox is None:
            return
        for start in range(0, len(session_ids), _AT_ONCE):
            for told in self._sessions.clients_to_tell(session_ids[start : start + _AT_ONCE]):
                self._outbox.backchannel_logout(
                    values={"client_id": told.client_id, "sid": told.session_id, "sub": told.account_id},
                    account_id=told.account_id,
                    now=now,
                    expires_at=now + _LOGOUT_NOTICE_LIFETIME,
                )

    def _fallen(self, session: BrowserSession, now: datetime) -> BrowserSession:
        """The same session, or what is left of it when its level has run out."""
        if level_of(session.acr) <= 1:
            return session
        age, idle = now - session.auth_time, now - session.last_seen_at
        if age < self._settings.level_lifetime and idle < self._settings.level_idle_lifetime:
            return session
        return replace(session, acr=ACR_SINGLE_FACTOR, amr=_of_one_factor(session.amr), has_fallen=True)

    def _idle_end(self, now: datetime, expires_at: datetime) -> datetime:
        return min(now + self._settings.idle_lifetime, expires_at)


def _columns(draft: NewSession, now: datetime) -> dict[str, Any]:
    return {
        "id": draft.id,
        "token_digest": draft.token_digest,
        "auth_time": now,
        "last_seen_at": now,
        "idle_expires_at": draft.idle_expires_at,
        "expires_at": draft.expires_at,
        "acr": draft.acr,
        "amr": list(draft.amr),
        "user_agent": draft.user_agent,
        "address": draft.address,
    }


def _of_one_factor(amr: tuple[str, ...]) -> tuple[str, ...]:
    """What is left of ``amr`` for a sign-in that counts as one factor: the password, or a possession."""
    if "fed" in amr:  # another provider's word; what else is there may be about that provider
        return ("fed",)
    if "pwd" in amr:
        return ("pwd",)
    return tuple(method for method in amr if method not in {"mfa", "user"})


def _new_cookie() -> Secret[str]:
    return Secret(_PREFIX + random_token())


def _digest(cookie: str) -> bytes:
    return token_digest(_KIND, cookie)


def _printable(user_agent: str) -> str:
    """A header's text as the database can hold it (row X5)."""
    return "".join(
        character if character.isprintable() else "?" for character in user_agent[:_MAX_USER_AGENT]
    )


def _signed_in(
    draft: NewSession, *, id: str, account_id: str, logins: int, created_at: datetime, now: datetime
) -> BrowserSession:
    return BrowserSession(
        id=id,
        account_id=account_id,
        logins=logins,
        auth_time=now,
        acr=draft.acr,
        amr=draft.amr,
        created_at=created_at,
        last_seen_at=now,
        expires_at=draft.expires_at,
        idle_expires_at=draft.idle_expires_at,
        user_agent=draft.user_agent,
        address=draft.address,
    )


def _session(row: SessionState) -> BrowserSession:
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
        locale=row.account_locale,
        deletes_at=row.account_deletes_at,
    )
