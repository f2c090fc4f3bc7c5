"""The authorization endpoint without the web: every entrance of a browser into a request.

Each method is one transaction. None of them chooses the next page: they record what the
person did, and dispatch.py looks at what is stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from authlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidRequestError

from idp.assurance import HIGHEST_LEVEL, level_of
from idp.audit import Actor, AuditEvent, Source
from idp.clients import RegisteredClient
from idp.oauth.authorization.checks import check, recheck, reply_address
from idp.oauth.authorization.consent import ConsentBook, redirect_origin
from idp.oauth.authorization.demand import demand_of
from idp.oauth.authorization.dispatch import Needed, Prompt, next_prompt
from idp.oauth.authorization.interaction import Interaction, Interactions
from idp.oauth.authorization.parameters import Parameters
from idp.oauth.authorization.presence import Presence, Visit
from idp.oauth.authorization.prompts import Standing, login_reason
from idp.oauth.authorization.request import AuthorizationRequest
from idp.oauth.authorization.response import CodeIssuer, Responses
from idp.oauth.authorization.rules import Asked
from idp.oauth.authorization.services import AuthorizationServices
from idp.oauth.authorization.steps import (
    ConsentQuestion,
    InteractionView,
    Reason,
    Respond,
    ShowConsent,
    ShowLogin,
    ShowSelectAccount,
    ShowSignup,
    Step,
)
from idp.oauth.claims import vocabulary
from idp.oauth.claims_request import personal_claims
from idp.oauth.errors import RedirectedError, ShownError
from idp.sessions import BrowserSession


class AuthorizationFlow:
    """Begins, resumes and ends authorization requests.

    Most requests meet a person who is signed in and has allowed everything before, or nobody at
    all. Those take the short way: no transaction, and one statement that decides and writes. What
    it does not settle takes the long way, which reads everything again inside its transaction.

    All methods may raise ``ShownError`` (a page with status 4xx), ``Unavailable`` (503), and
    take ``now`` as aware UTC time.
    """

    def __init__(self, services: AuthorizationServices) -> None:
        settings, repos = services.settings, services.repos
        self._services = services
        self._interactions = Interactions(
            repos, services.store, lifetime=settings.sessions.interaction_lifetime
        )
        self._presence = Presence(repos, services.accounts)
        self._known = vocabulary(settings.claims.scopes)
        self._book = ConsentBook(services.consents, services.resources, self._known)
        self._responses = Responses(settings.issuer)
        self._issuer = CodeIssuer(
            repos=repos,
            store=services.store,
            codes=services.codes,
            audit=services.audit,
            lifetime=settings.tokens.authorization_code_lifetime,
        )

    def begin(
        self,
        params: Sequence[tuple[str, str]],
        *,
        session: BrowserSession | None,
        browser: str,
        source: Source,
        now: datetime,
    ) -> Step:
        """Take an authorization request, as decoded name-value pairs of query or form.

        When no page is needed the code is issued at once and no interaction is stored.

        Source: RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.
        """
        self._services.feed.assert_available()
        visit = Visit(session=session, browser=browser, source=source, now=now)
        parameters = Parameters.read(params)
        client_id = parameters.get("client_id")
        asked = Asked(
            parameters=parameters,
            found=None if client_id is None else self._services.clients.find(client_id),
            resolver=self._services.scopes,
            hints=self._services.hints,
            registers=bool(self._services.settings.registration_by),
            known=self._known,
        )
        try:
            request = check(asked)
        except RedirectedError as error:
            return Respond(self._responses.error(error, reply_address(asked)))
        interaction = Interactions.begin(request, session, now)
        if session is None:
            return self._advance_nobody(interaction, visit)
        if step := self._answer_at_once(interaction, session, visit):
            return step
        with self._services.database.transaction():
            live = self._presence.live(visit)
            return self._advance(Interactions.begin(request, live, now), live, visit)

    def resume(
        self, uid: str, *, session: BrowserSession | None, browser: str, source: Source, now: datetime
    ) -> Step:
        """Look again at a stored request, for example after a sign-in."""
        visit = Visit(session=session, browser=browser, source=source, now=now)
        if session is not None:
            self._services.feed.assert_available()
            interaction = self._interactions.look(uid, browser, now)
            if step := self._answer_at_once(interaction, session, visit):
                return step
        return self._continue(uid, visit, lambda interaction, _live: interaction)

    def choose_account(
        self,
        uid: str,
        *,
        keep: bool,
        session: BrowserSession | None,
        browser: str,
        source: Source,
        now: datetime,
    ) -> Step:
        """The person goes on with the account that is signed in, or wants to sign in to another one."""
        visit = Visit(session=session, browser=browser, source=source, now=now)

        def choose(interaction: Interaction, live: BrowserSession | None) -> Interaction:
            if not keep:  # also offered by the consent page ("not you?")
                return interaction.having(interaction.progress.wanting_another(live, now))
            if live is None:
                return interaction
            return interaction.having(interaction.progress.choosing(live.account_id))

        return self._continue(uid, visit, choose)

    def choose_beside(self, uid: str, *, account_id: str, browser: str, now: datetime) -> None:
        """Note that the person chose an account that is signed in beside the present one.

        Once it is the present one, :meth:`resume` goes on with it.
        """
        with self._services.database.transaction():
            interaction = self._interactions.get(uid, browser, now)
            progress = interaction.progress.choosing(account_id)
            self._interactions.save(interaction.having(progress), browser, now)

    def decide_consent(
        self,
        uid: str,
        *,
        allow: bool,
        session: BrowserSession | None,
        browser: str,
        source: Source,
        now: datetime,
    ) -> Step:
        """The person's answer on the consent page; counts only if that page is the next one."""
        visit = Visit(session=session, browser=browser, source=source, now=now)

        def decide(interaction: Interaction, live: BrowserSession | None) -> Interaction:
            if live is None or self._needed(interaction, live, visit) != Prompt.CONSENT:
                return interaction
            if interaction.progress.asked != live.account_id:
                return interaction  # another account signed in since the page was shown: ask that one
            request = interaction.request
            if not allow:
                self._record_answer(AuditEvent.CONSENT_DENIED, request, live, visit)
                raise RedirectedError(AccessDeniedError("The request was denied."))
            self._book.remember(request, live.account_id, now)
            self._record_answer(AuditEvent.CONSENT_GRANTED, request, live, visit)
            return interaction.having(replace(interaction.progress, consented=live.account_id))

        return self._continue(uid, visit, decide)

    def cancel(
        self, uid: str, *, session: BrowserSession | None, browser: str, source: Source, now: datetime
    ) -> Step:
        """The person gives up, on whatever page: the client hears ``access_denied``."""
        visit = Visit(session=session, browser=browser, source=source, now=now)

        def give_up(interaction: Interaction, live: BrowserSession | None) -> Interaction:
            self._record_answer(AuditEvent.CONSENT_DENIED, interaction.request, live, visit)
            raise RedirectedError(AccessDeniedError("The request was cancelled."))

        return self._continue(uid, visit, give_up)

    def describe(
        self, uid: str, browser: str, now: datetime, *, session: BrowserSession | None = None
    ) -> InteractionView:
        """What the pages of this request may show, and how far a sign-in has to go; reads only."""
        return self._view(self._interactions.look(uid, browser, now), session, now)

    def consent_question(
        self, uid: str, *, session: BrowserSession, browser: str, now: datetime
    ) -> ConsentQuestion:
        """What the consent page asks the signed-in person; reads only."""
        interaction = self._interactions.look(uid, browser, now)
        with self._services.database.transaction(write=False):
            account = self._services.accounts.get(session.account_id)
        view = self._view(interaction, session, now)
        return self._book.question(interaction.request, view, account)

    def _continue(
        self,
        uid: str,
        visit: Visit,
        act: Callable[[Interaction, BrowserSession | None], Interaction],
    ) -> Step:
        """Load, let the person's act change the progress, and go on, in one transaction."""
        self._services.feed.assert_available()
        with self._services.database.transaction():
            interaction = self._interactions.get(uid, visit.browser, visit.now)
            live = self._presence.live(visit)
            try:
                recheck(interaction.request, self._services.clients.find(interaction.request.client_id))
                interaction = act(interaction, live)
            except RedirectedError as error:
                return self._refuse(interaction, error, visit)
            return self._advance(interaction, live, visit)

    def _answer_at_once(
        self, interaction: Interaction, session: BrowserSession, visit: Visit
    ) -> Respond | None:
        """The code, if no page is needed and the database agrees; else ``None`` and nothing has happened.

        Security: the session is the one the pages found. That it still is, that its account may be
        used and that consent stands is asked again by the statement that issues the code.
        """
        request = interaction.request
        try:
            standing = self._standing_with(interaction, session, visit)
            # Where a session came from is nothing that the statement looks at.
            if next_prompt(standing) is not None or standing.client.required_identity_provider is not None:
                return None
        except (RedirectedError, ShownError):
            return None
        client = standing.client
        code = self._issuer.issue_at_once(
            interaction,
            client,
            session,
            () if client.first_party else self._book.needed(request),
            source=visit.source,
            now=visit.now,
        )
        return None if code is None else Respond(self._responses.code(code, request.reply))

    def _advance_nobody(self, interaction: Interaction, visit: Visit) -> Step:
        """The sign-in page of a new request, or the refusal if it allows no page; nobody is signed in."""
        try:
            needed = next_prompt(self._standing_with(interaction, None, visit))
        except RedirectedError as error:
            return Respond(self._responses.error(error, interaction.request.reply))
        self._interactions.keep(interaction, visit.browser, visit.now)
        return _page(interaction.uid, needed or Needed(Prompt.LOGIN, Reason.NO_SESSION))

    def _advance(self, interaction: Interaction, live: BrowserSession | None, visit: Visit) -> Step:
        """The next page, or the answer."""
        try:
            standing = self._standing(interaction, live, visit)
            needed = next_prompt(standing)
        except RedirectedError as error:
            return self._refuse(interaction, error, visit)
        if needed is None and live is not None:
            return self._succeed(interaction, standing.client, live, visit)
        if needed is None:  # nobody signed in always needs a page
            needed = Needed(Prompt.LOGIN, Reason.NO_SESSION)
        if needed.prompt is Prompt.CONSENT and live is not None:
            interaction = interaction.having(replace(interaction.progress, asked=live.account_id))
        self._interactions.save(interaction, visit.browser, visit.now)
        return _page(interaction.uid, needed)

    def _succeed(
        self, interaction: Interaction, client: RegisteredClient, live: BrowserSession, visit: Visit
    ) -> Respond:
        """Use the interaction up and issue the code: exactly once."""
        self._interactions.finish(interaction, visit.now)
        request = interaction.request
        code = self._issuer.issue(request, client, live, source=visit.source, now=visit.now)
        return Respond(self._responses.code(code, request.reply))

    def _refuse(self, interaction: Interaction, error: RedirectedError, visit: Visit) -> Respond:
        """Use the interaction up and tell the client."""
        self._interactions.finish(interaction, visit.now)
        return Respond(self._responses.error(error, interaction.request.reply))

    def _needed(self, interaction: Interaction, live: BrowserSession | None, visit: Visit) -> Prompt | None:
        needed = next_prompt(self._standing(interaction, live, visit))
        return None if needed is None else needed.prompt

    def _standing(self, interaction: Interaction, live: BrowserSession | None, visit: Visit) -> Standing:
        standing = self._standing_with(interaction, live, visit)
        if live is None:
            return standing
        if standing.client.required_identity_provider is not None:
            standing = replace(standing, came_from=self._services.provider_of(live.id))
        if level_of(live.acr) < demand_of(interaction.request, standing.client).level:
            standing = replace(standing, reachable=self._services.reachable_level(live.account_id))
        if standing.client.first_party:
            return standing
        scopes, claims = self._book.lacks(interaction.request, live.account_id)
        return replace(standing, lacks_scopes=scopes, lacks_claims=claims)

    def _standing_with(self, interaction: Interaction, live: BrowserSession | None, visit: Visit) -> Standing:
        """As :func:`_optimistic`, for a registration that still allows the request."""
        client = self._services.clients.find(interaction.request.client_id)
        return _optimistic(interaction, recheck(interaction.request, client), live, visit.now)

    def _view(
        self, interaction: Interaction, session: BrowserSession | None, now: datetime
    ) -> InteractionView:
        """What pages show of a request; what else may have changed is for the next step to find."""
        request, progress = interaction.request, interaction.progress
        client = self._services.clients.find(request.client_id)
        if client is None or client.disabled:
            raise ShownError(InvalidRequestError("The client is disabled."), parameter="client_id")
        standing = _optimistic(interaction, client, session, now)
        return InteractionView(
            uid=interaction.uid,
            client=client,
            login_hint=request.login_hint,
            ui_locales=request.ui_locales,
            redirect_origin=redirect_origin(request.redirect_uri),
            required=demand_of(request, client),
            steps_up=login_reason(standing) is Reason.ACR,
            parks=progress.other_account or "create" in request.prompts,
            asks_again="login" in request.prompts,
            max_age=request.max_age,
            idp_hint=request.idp_hint,
        )

    def _record_answer(
        self, event: AuditEvent, request: AuthorizationRequest, live: BrowserSession | None, visit: Visit
    ) -> None:
        self._services.audit.record(
            event,
            actor=Actor.anonymous(visit.source)
            if live is None
            else Actor.account(live.account_id, visit.source),
            account=None if live is None else live.account_id,
            client=request.client_id,
            session=None if live is None else live.id,
            detail={
                "scopes": request.scopes,
                "claims": personal_claims(request.claims, request.scopes, self._known),
                "resources": request.resources,
            },
            now=visit.now,
        )


def _optimistic(
    interaction: Interaction, client: RegisteredClient, session: BrowserSession | None, now: datetime
) -> Standing:
    """Where the request stands if everything that nobody has looked for yet is there."""
    return Standing(
        request=interaction.request,
        client=client,
        progress=interaction.progress,
        session=session,
        lacks_scopes=False,
        lacks_claims=False,
        reachable=HIGHEST_LEVEL,
        came_from=client.required_identity_provider,
        now=now,
    )


def _page(uid: str, needed: Needed) -> Step:
    match needed.prompt:
        case Prompt.CREATE:
            return ShowSignup(uid)
        case Prompt.LOGIN:
            return ShowLogin(uid, needed.reason)
        case Prompt.SELECT_ACCOUNT:
            return ShowSelectAccount(uid)
        case Prompt.CONSENT:
            return ShowConsent(uid)
