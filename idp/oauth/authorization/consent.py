"""What is asked of the person, in plain words, and the record of the answer."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from idp.accounts import Account
from idp.consents import SENTENCES, Consents
from idp.oauth.authorization.request import AuthorizationRequest
from idp.oauth.authorization.steps import ConsentQuestion, InteractionView
from idp.oauth.claims import Vocabulary
from idp.oauth.claims_request import personal_claims
from idp.oauth.scopes import OFFLINE_ACCESS
from idp.resources import OIDC_SCOPES, ResourceDirectory
from idp.storage.hot import NeededConsent

NO_RESOURCE = ""
"""Consent for what belongs to no resource server: OpenID scopes and single claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one request needs a person's consent for, at one resource server or at none."""

    resource: str
    scopes: tuple[str, ...]
    claims: tuple[str, ...] = ()


def consent_needs(
    request: AuthorizationRequest, resources: ResourceDirectory, known: Vocabulary
) -> tuple[Need, ...]:
    """Split a request by resource server, as consents are kept (row K1).

    A resource counts even when no scope of it is asked for: the token alone opens its door.
    """
    left = list(request.scopes)
    needs = []
    for identifier in request.resources:
        server = resources.find(identifier)
        own = tuple(scope for scope in left if server is not None and scope in server.scopes)
        left = [scope for scope in left if scope not in own]
        needs.append(Need(resource=identifier, scopes=own))
    claims = personal_claims(request.claims, request.scopes, known)
    if left or claims or not needs:
        needs.insert(0, Need(resource=NO_RESOURCE, scopes=tuple(left), claims=claims))
    return tuple(needs)


class ConsentBook:
    """Asks and fills the record of consents. Callers hold the transaction."""

    def __init__(self, consents: Consents, resources: ResourceDirectory, known: Vocabulary) -> None:
        self._known = known
        self._consents = consents
        self._resources = resources

    def lacks(self, request: AuthorizationRequest, account_id: str) -> tuple[bool, bool]:
        """Whether scopes (or resources), and whether single claims, still have to be asked for."""
        scopes = claims = False
        for need in consent_needs(request, self._resources, self._known):
            missing = self._consents.missing(
                account_id, request.client_id, need.resource, _marked(need.scopes), need.claims
            )
            scopes, claims = scopes or bool(missing.scopes), claims or bool(missing.claims)
        return scopes, claims

    def needed(self, request: AuthorizationRequest) -> tuple[NeededConsent, ...]:
        """What must stand for :meth:`lacks` to find nothing, for the statement that issues a code."""
        return tuple(
            NeededConsent(resource=need.resource, scopes=_marked(need.scopes), claims=need.claims)
            for need in consent_needs(request, self._resources, self._known)
        )

    def remember(self, request: AuthorizationRequest, account_id: str, now: datetime) -> None:
        """The person said yes to everything the request asks for."""
        for need in consent_needs(request, self._resources, self._known):
            self._consents.grant(
                account_id,
                request.client_id,
                need.resource,
                scopes=_marked(need.scopes),
                claims=need.claims,
                now=now,
            )

    def question(
        self, request: AuthorizationRequest, view: InteractionView, account: Account
    ) -> ConsentQuestion:
        """What the consent page says. ``offline_access`` is told by its flag, not as an item."""
        servers = [(identifier, self._resources.find(identifier)) for identifier in request.resources]
        return ConsentQuestion(
            view=view,
            client=view.client,
            account=account,
            items=tuple((name, text) for name, text in self._sentences(request) if name != OFFLINE_ACCESS),
            offline=OFFLINE_ACCESS in request.scopes,
            resources=tuple(
                (identifier, server.name if server else identifier) for identifier, server in servers
            ),
        )

    def _sentences(self, request: AuthorizationRequest) -> tuple[tuple[str, str], ...]:
        """Every scope and single claim of a request with its sentence."""
        names = (*request.scopes, *personal_claims(request.claims, request.scopes, self._known))
        return tuple((name, self._sentence(name, request)) for name in names)

    def _sentence(self, name: str, request: AuthorizationRequest) -> str:
        if name in OIDC_SCOPES:
            return SENTENCES[name]
        # Two resource servers may define the same scope: the one that is asked for explains it.
        for identifier in request.resources:
            server = self._resources.find(identifier)
            if server is not None and name in server.scopes:
                return server.scopes[name]
        return self._resources.describe(name) or SENTENCES.get(name, name)


def redirect_origin(redirect_uri: str) -> str:
    """Where the answer goes, for ``form-action``: scheme and host, or the scheme of a native app."""
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def _marked(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes, or a mark that no scope can equal: "asked, though for nothing in particular"."""
    return scopes or (NO_RESOURCE,)
