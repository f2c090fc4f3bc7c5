"""The stored, half-finished request: one uid per browser tab, bound to the browser."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidRequestError

from idp.crypto import constant_time_equal, random_token, token_digest
from idp.oauth.authorization.request import AuthorizationRequest
from idp.oauth.errors import ShownError
from idp.sessions import BrowserSession
from idp.storage import InteractionRow, Repositories
from idp.storage.hot import BrowserStore, InteractionState, NewInteraction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What the person has done so far in this tab. Only the server writes it (row M5)."""

    session_id: str | None
    """The browser session when the request came in."""
    logins: int | None
    """Its sign-ins at that moment: a later sign-in is seen by comparing."""
    since: int
    """That moment, in microseconds since 1970: another session of this browser counts if its person proved
    themselves after it, not because it was chosen after it."""
    other_account: bool = False
    """They want to sign in as somebody else."""
    chosen: str | None = None
    """The account they chose among those that are signed in."""
    asked: str | None = None
    """The account that the consent page was shown to."""
    consented: str | None = None
    """The account that said yes in this interaction."""

    @classmethod
    def beginning(cls, session: BrowserSession | None, now: datetime) -> "Progress":
        """Nothing done yet."""
        return cls(
            session_id=None if session is None else session.id,
            logins=None if session is None else session.logins,
            since=_microseconds(now),
        )

    def has_signed_in(self, session: BrowserSession) -> bool:
        """Whether the person has proved who they are since the request came in."""
        if session.id == self.session_id:
            return session.logins != self.logins
        return _microseconds(session.auth_time) >= self.since

    def wanting_another(self, session: BrowserSession | None, now: datetime) -> "Progress":
        """The person is not who is signed in: only a later sign-in counts from here on."""
        return replace(Progress.beginning(session, now), other_account=True)

    def choosing(self, account_id: str) -> "Progress":
        """The person chose an account that is signed in; what else they did counts on."""
        return replace(self, chosen=account_id, other_account=False)

    def to_json(self) -> dict[str, Any]:
        """For the stored interaction."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Progress":
        """The inverse of :meth:`to_json`."""
        return cls(**stored)


_FIELDS = tuple(field.name for field in fields(Progress))


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One authorization request on its way, stored or not yet."""

    uid: str
    request: AuthorizationRequest
    progress: Progress
    is_stored: bool = field(default=True)

    def having(self, progress: Progress) -> "Interaction":
        """The same interaction, further on."""
        return replace(self, progress=progress)


class Interactions:
    """Keeps interactions in the database. Callers hold the transaction, but for ``look`` and ``keep``."""

    def __init__(self, repos: Repositories, store: BrowserStore, *, lifetime: timedelta) -> None:
        self._repos = repos.interactions
        self._store = store
        self._lifetime = lifetime

    @staticmethod
    def begin(request: AuthorizationRequest, session: BrowserSession | None, now: datetime) -> Interaction:
        """A new interaction; nothing is written before a page is needed."""
        return Interaction(
            uid=random_token(16),
            request=request,
            progress=Progress.beginning(session, now),
            is_stored=False,
        )

    def get(self, uid: str, browser: str, now: datetime) -> Interaction:
        """The unfinished interaction of this browser.

        Raises:
            ShownError: unknown, expired, another browser's, or finished already.
        """
        return _unfinished(self._repos.get(uid) if _UID.fullmatch(uid) else None, browser, now)

    def look(self, uid: str, browser: str, now: datetime) -> Interaction:
        """As :meth:`get`, outside of any transaction, by one statement."""
        return _unfinished(self._store.find_interaction(uid) if _UID.fullmatch(uid) else None, browser, now)

    def keep(self, interaction: Interaction, browser: str, now: datetime) -> None:
        """Store a new interaction, outside of any transaction, by one statement."""
        self._store.add_interaction(NewInteraction(**self._columns(interaction, browser, now)))

    def save(self, interaction: Interaction, browser: str, now: datetime) -> None:
        """Store a new interaction, or how far a stored one has come.

        Raises:
            ShownError: it was finished meanwhile.
        """
        if interaction.is_stored:
            if not self._repos.save_progress(interaction.uid, interaction.progress.to_json(), now):
                raise already_used()
            return
        self._repos.add(InteractionRow(**self._columns(interaction, browser, now)))

    def finish(self, interaction: Interaction, now: datetime) -> None:
        """Use the interaction up; at most one caller ever succeeds.

        Raises:
            ShownError: it was finished before (double click, back button).
        """
        if interaction.is_stored and not self._repos.finish(interaction.uid, now):
            raise already_used()

    def _columns(self, interaction: Interaction, browser: str, now: datetime) -> dict[str, Any]:
        return {
            "uid": interaction.uid,
            "browser_digest": _digest(browser),
            "client_id": interaction.request.client_id,
            "request": interaction.request.to_json(),
            "progress": interaction.progress.to_json(),
            "created_at": now,
            "expires_at": now + self._lifetime,
        }


def already_used() -> ShownError:
    """The error for a second answer to the same request."""
    return _gone("This sign-in was already used. Please go back to the application and start again.")


def _unfinished(row: InteractionRow | InteractionState | None, browser: str, now: datetime) -> Interaction:
    if row is None or not constant_time_equal(row.browser_digest, _digest(browser)):
        # Security: another browser's request must look like none at all.
        raise _gone("There is no such sign-in. Please go back to the application and try again.")
    if row.finished_at is not None:
        raise already_used()
    if row.expires_at <= now:
        raise _gone("This sign-in has expired. Please go back to the application and try again.")
    return Interaction(
        uid=row.uid,
        request=AuthorizationRequest.from_json(row.request),
        progress=Progress.from_json(row.progress),
    )


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _gone(description: str) -> ShownError:
    return ShownError(InvalidRequestError(description))


def _digest(browser: str) -> bytes:
    return token_digest("interaction-browser", browser)
