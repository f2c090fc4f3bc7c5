"""Logout that a client asks for, and signing out at the home page.

Source: OpenID Connect RP-Initiated Logout 1.0. Whatever is doubtful is asked of the person
or shown as an error, never redirected (row S14).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from authlib.oauth2.rfc6749.errors import InvalidRequestError

from idp.audit import Actor, Audit, AuditEvent, Source
from idp.clients import ClientDirectory, RegisteredClient
from idp.oauth.authorization.parameters import MAX_SIZE, Parameters
from idp.oauth.errors import ShownError
from idp.oauth.id_token_hint import IdTokenHint, IdTokenHints
from idp.sessions import BrowserSession, Sessions
from idp.storage import ChangeFeed, Database, Repositories

LOGOUT_LIMITS: Mapping[str, int] = {  # characters per parameter (row X3)
    "id_token_hint": 8192,
    "logout_hint": 1024,
    "client_id": 255,
    "post_logout_redirect_uri": 2048,
    "state": 4096,
    "ui_locales": 1024,
}
"""Every parameter of RP-Initiated Logout §2; all others are ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """Ask the person; their yes comes back to :meth:`LogoutFlow.confirm` with the same parameters."""

    client: RegisteredClient | None
    """Who asks, as far as it is known; not proved."""
    params: tuple[tuple[str, str], ...]
    """To be kept in the form."""
    ui_locales: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The person is signed out; go back to the client, or show the signed-out page."""

    redirect_uri: str | None
    """Registered, or ``None`` for the signed-out page."""
    state: str | None
    ended: tuple[str, ...]
    """The sessions that ended: their cookies are to be cleared, and caches with them."""
    client: RegisteredClient | None = None

    @property
    def location(self) -> str | None:
        """The redirect URI with the ``state``, if one was sent. Source: RP-Initiated Logout §3."""
        if self.redirect_uri is None or self.state is None:
            return self.redirect_uri
        separator = "&" if "?" in self.redirect_uri else "?"
        encoded = urlencode({"state": self.state}, quote_via=quote, safe="")
        return f"{self.redirect_uri}{separator}{encoded}"


LogoutStep = Confirm | Done


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutServices:
    """What logging out stands on, put together once by the container."""

    database: Database
    repos: Repositories
    feed: ChangeFeed
    clients: ClientDirectory
    hints: IdTokenHints
    sessions: Sessions
    audit: Audit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """A logout request, checked."""

    hint: IdTokenHint | None
    client: RegisteredClient | None
    redirect_uri: str | None
    """Registered for the client; ``None`` also when nobody vouches for it."""
    parameters: Parameters


class LogoutFlow:
    """Ends browser sessions at the wish of a client or of the person.

    All methods may raise ``ShownError`` (a page with status 4xx) and ``Unavailable``.
    """

    def __init__(self, services: LogoutServices) -> None:
        self._services = services

    def begin(
        self,
        params: Sequence[tuple[str, str]],
        *,
        session: BrowserSession | None,
        beside: Sequence[BrowserSession] = (),
        source: Source,
        now: datetime,
    ) -> LogoutStep:
        """Take a logout request, as decoded name-value pairs of query or form.

        Done at once when an ID token of a person who is signed in says so; without it the
        person is asked, because any page of the web can send a browser here.

        Args:
            params: the request.
            session: the present session of the browser.
            beside: sessions of other accounts in the same browser.
            source: where the browser is.
            now: aware UTC time.
        """
        wish = self._understand(params)
        present = () if session is None else (session,)
        if wish.hint is not None:
            meant = [one for one in (*present, *beside) if one.account_id == wish.hint.subject]
            if meant or session is None:
                return self._done(wish, ended=self._end_all(meant, source, now))
            return self._ask(wish)
        return self._ask(wish) if present else self._ask_or_done(wish)

    def confirm(
        self,
        params: Sequence[tuple[str, str]],
        *,
        session: BrowserSession | None,
        beside: Sequence[BrowserSession] = (),
        source: Source,
        now: datetime,
    ) -> Done:
        """The person said yes: the parameters of :class:`Confirm`, checked once more.

        Args:
            params: as in the form.
            session: the present session, which ends.
            beside: those of other accounts that shall end, too.
            source: where the browser is.
            now: aware UTC time.
        """
        wish = self._understand(params)
        present = () if session is None else (session,)
        return self._done(wish, ended=self._end_all((*present, *beside), source, now))

    def sign_out(self, *, session: BrowserSession | None, source: Source, now: datetime) -> Done:
        """The person signs out at the home page; no client is involved."""
        return self.confirm((), session=session, source=source, now=now)

    def _understand(self, params: Sequence[tuple[str, str]]) -> _Wish:
        """Every check of a logout request.

        Raises:
            ShownError: forged hint, unknown or contradicting client, unregistered redirect URI.
        """
        self._services.feed.assert_available()
        parameters = Parameters.read(params, LOGOUT_LIMITS)
        _assert_sane(parameters)
        hint = self._hint(parameters.get("id_token_hint"))
        client = self._client(parameters.get("client_id"), hint)
        redirect_uri = parameters.get("post_logout_redirect_uri")
        if redirect_uri is None or client is None:
            # Nobody vouches for the address, so nobody is sent there: the signed-out page it is.
            return _Wish(hint=hint, client=client, redirect_uri=None, parameters=parameters)
        if not client.allows_post_logout_redirect_uri(redirect_uri):
            raise _shown(
                "The post_logout_redirect_uri parameter is not registered for this client.",
                "post_logout_redirect_uri",
            )
        return _Wish(hint=hint, client=client, redirect_uri=redirect_uri, parameters=parameters)

    def _hint(self, token: str | None) -> IdTokenHint | None:
        if token is None:
            return None
        try:
            return self._services.hints.read(token)
        except InvalidRequestError as error:
            raise ShownError(error, parameter="id_token_hint") from error

    def _client(self, client_id: str | None, hint: IdTokenHint | None) -> RegisteredClient | None:
        """The client, by ``client_id`` or by the hint's audience; they must not contradict."""
        if client_id is not None and hint is not None and client_id not in hint.audience:
            raise _shown("The client_id parameter does not fit the id_token_hint.", "client_id")
        named = client_id or (hint.audience[0] if hint else None)
        if named is None:
            return None
        client = self._services.clients.find(named)
        if client is None or client.disabled:
            parameter = "client_id" if client_id else "id_token_hint"
            raise _shown(f"The {parameter} parameter names no registered client.", parameter)
        return client

    def _ask_or_done(self, wish: _Wish) -> LogoutStep:
        """Nobody is signed in: nothing to confirm, except where the browser may go from here."""
        return self._ask(wish) if wish.redirect_uri else self._done(wish)

    def _ask(self, wish: _Wish) -> Confirm:
        return Confirm(
            client=wish.client,
            params=wish.parameters.pairs(),
            ui_locales=tuple((wish.parameters.get("ui_locales") or "").split()),
        )

    def _done(self, wish: _Wish, *, ended: tuple[str, ...] = ()) -> Done:
        return Done(
            redirect_uri=wish.redirect_uri,
            state=wish.parameters.get("state") if wish.redirect_uri else None,
            ended=ended,
            client=wish.client,
        )

    def _end_all(self, sessions: Sequence[BrowserSession], source: Source, now: datetime) -> tuple[str, ...]:
        """End sessions and what must not outlive them, in one transaction (row S5); which ended."""
        if not sessions:
            return ()
        with self._services.database.transaction():
            return tuple(session.id for session in sessions if self._end(session, source, now))

    def _end(self, session: BrowserSession, source: Source, now: datetime) -> bool:
        """End one session, in the caller's transaction; False if it had ended before."""
        services = self._services
        if not services.sessions.end(session.id, "logout", now):
            return False
        families = services.repos.families.revoke_for_session(session.id, now, keep_offline=True)
        services.audit.record(
            AuditEvent.SESSION_ENDED,
            actor=Actor.account(session.account_id, source),
            account=session.account_id,
            session=session.id,
            detail={"reason": "logout", "families": families},
            now=now,
        )
        return True


def _assert_sane(parameters: Parameters) -> None:
    if parameters.size > MAX_SIZE:
        raise _shown(f"The request is larger than {MAX_SIZE} bytes.", None)
    if name := parameters.oversized():
        raise _shown(f"The {name} parameter is too long.", name)
    if name := parameters.unprintable():
        raise _shown(f"The {name} parameter has characters that are not allowed.", name)
    for name in sorted(parameters.repeated):
        raise _shown(f"The {name} parameter is repeated.", name)


def _shown(description: str, parameter: str | None) -> ShownError:
    return ShownError(InvalidRequestError(description), parameter=parameter)
