"""The answer to the client. The only place that renders responses and errors, and issues codes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.audit import Actor, Audit, AuditEvent, Source
from idp.clients import RegisteredClient
from idp.oauth.authorization.demand import reported_acr
from idp.oauth.authorization.interaction import Interaction
from idp.oauth.authorization.request import AuthorizationRequest, ReplyAddress
from idp.oauth.authorization.steps import AuthorizationResponse
from idp.oauth.errors import RedirectedError
from idp.oauth.scopes import OFFLINE_ACCESS
from idp.sessions import BrowserSession
from idp.storage import AuditEntry, OneTimeRow, Repositories
from idp.storage.hot import BrowserStore, CodeIssue, NeededConsent
from idp.tokens import AUTHORIZATION_CODE_KIND, AuthorizationCodes, AuthorizedGrant


@dataclass(frozen=True, slots=True)
class Responses:
    """Renders every answer; ``iss`` is in each of them (RFC 9207 §2, row R6)."""

    issuer: str

    def error(self, error: RedirectedError, reply: ReplyAddress) -> AuthorizationResponse:
        """An error for the client. Source: RFC 6749 §4.1.2.1."""
        description = (("error_description", error.description),) if error.description else ()
        return self._render((("error", error.error), *description), reply)

    def code(self, code: str, reply: ReplyAddress) -> AuthorizationResponse:
        """Success. Source: RFC 6749 §4.1.2."""
        return self._render((("code", code),), reply)

    def _render(self, params: tuple[tuple[str, str], ...], reply: ReplyAddress) -> AuthorizationResponse:
        state = () if reply.state is None else (("state", reply.state),)
        return AuthorizationResponse(
            redirect_uri=reply.redirect_uri,
            mode=reply.mode,
            params=(*params, *state, ("iss", self.issuer)),
        )


class CodeIssuer:
    """Writes an authorization code and its audit event."""

    def __init__(
        self,
        *,
        repos: Repositories,
        store: BrowserStore,
        codes: AuthorizationCodes,
        audit: Audit,
        lifetime: timedelta,
    ) -> None:
        self._repos = repos
        self._store = store
        self._codes = codes
        self._audit = audit
        self._lifetime = lifetime

    def issue(
        self,
        request: AuthorizationRequest,
        client: RegisteredClient,
        session: BrowserSession,
        *,
        source: Source,
        now: datetime,
    ) -> str:
        """A code for the person of this session, bound to client, redirect URI and PKCE (row C4).

        Callers hold the transaction and have looked at session, account and consent inside it.
        """
        code, digest = self._codes.new()
        grant = authorized_grant(request, client, session)
        self._repos.one_time.issue(
            OneTimeRow(
                digest=digest,
                kind=AUTHORIZATION_CODE_KIND,
                binding=client.client_id,
                proof=request.code_challenge,
                target=request.redirect_uri,
                account_id=session.account_id,
                session_id=session.id,
                payload=grant.to_json(),
                created_at=now,
                expires_at=now + self._lifetime,
            )
        )
        self._repos.audit.add(self._event(grant, source, now))
        return code

    def issue_at_once(
        self,
        interaction: Interaction,
        client: RegisteredClient,
        session: BrowserSession,
        needed: tuple[NeededConsent, ...],
        *,
        source: Source,
        now: datetime,
    ) -> str | None:
        """As :meth:`issue`, outside of any transaction, and using up the interaction if it was stored.

        One statement looks again at everything that may have changed since it was read, and does
        nothing and gives ``None`` if it has; see ``BrowserStore.issue_code``.
        """
        request = interaction.request
        code, digest = self._codes.new()
        grant = authorized_grant(request, client, session)
        issued = self._store.issue_code(
            CodeIssue(
                digest=digest,
                client_id=client.client_id,
                proof=request.code_challenge,
                target=request.redirect_uri,
                payload=grant.to_json(),
                session_id=session.id,
                logins=session.logins,
                needed=needed,
                uid=interaction.uid if interaction.is_stored else None,
                progress=interaction.progress.to_json() if interaction.is_stored else {},
                now=now,
                expires_at=now + self._lifetime,
                audit=self._event(grant, source, now),
            )
        )
        return code if issued else None

    def _event(self, grant: AuthorizedGrant, source: Source, now: datetime) -> AuditEntry:
        return self._audit.entry(
            AuditEvent.CODE_ISSUED,
            actor=Actor.account(grant.account_id, source),
            account=grant.account_id,
            client=grant.client_id,
            session=grant.sid,
            detail={
                "scopes": grant.scopes,
                "resources": grant.resources,
                "redirect_uri": redirect_target(grant.redirect_uri),
            },
            now=now,
        )


def redirect_target(redirect_uri: str) -> str:
    """The redirect URI without its query, for the audit record: a registered query may hold a secret."""
    return redirect_uri.partition("?")[0]


def authorized_grant(
    request: AuthorizationRequest, client: RegisteredClient, session: BrowserSession
) -> AuthorizedGrant:
    """What the person agreed to, as the code and its token family will carry it."""
    claims = request.claims
    return AuthorizedGrant(
        client_id=client.client_id,
        account_id=session.account_id,
        scopes=request.scopes,
        resources=request.resources,
        default_audience=request.default_audience,
        claims_request=None if claims is None else {place: dict(claims[place]) for place in claims},
        nonce=request.nonce,
        auth_time=session.auth_time,
        acr=reported_acr(session.acr, request.demanded_acrs),
        amr=session.amr,
        redirect_uri=request.redirect_uri,
        code_challenge=request.code_challenge,
        sid=session.id,
        refresh=client.may_refresh,
        offline=OFFLINE_ACCESS in request.scopes,
    )
