"""Which page a request needs, with named reasons. Pure: values in, reason or nothing out."""

from dataclasses import dataclass
from datetime import datetime

from idp.assurance import level_of
from idp.clients import RegisteredClient
from idp.oauth.authorization.demand import demand_of
from idp.oauth.authorization.interaction import Progress
from idp.oauth.authorization.request import AuthorizationRequest
from idp.oauth.authorization.steps import Reason
from idp.sessions import BrowserSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one request stands at this moment."""

    request: AuthorizationRequest
    client: RegisteredClient
    progress: Progress
    session: BrowserSession | None
    """The live session; ``None`` when nobody is signed in."""
    lacks_scopes: bool
    """Scopes or resources that the signed-in person has not allowed this client."""
    lacks_claims: bool
    """Single claims, likewise."""
    reachable: int
    """The highest level that the signed-in person can prove; only of interest beyond the session's."""
    came_from: str | None
    """The provider that the session came from; only of interest to a client that requires one."""
    now: datetime


def login_reason(standing: Standing) -> Reason | None:
    """Why the person has to sign in. Source: OpenID Connect Core §3.1.2.1, §3.1.2.3."""
    request, progress, session = standing.request, standing.progress, standing.session
    if session is None:
        return Reason.OTHER_ACCOUNT if progress.other_account else Reason.NO_SESSION
    if not progress.has_signed_in(session):
        if "login" in request.prompts:
            return Reason.PROMPT_LOGIN
        if progress.other_account:
            return Reason.OTHER_ACCOUNT
        if _is_too_old(session, request.max_age, standing.now):
            return Reason.MAX_AGE
    if standing.client.required_identity_provider not in {None, standing.came_from}:
        return Reason.IDENTITY_PROVIDER
    if _is_below(session, standing):
        return Reason.ACR
    return _wrong_person(request, session)


def _wrong_person(request: AuthorizationRequest, session: BrowserSession) -> Reason | None:
    if request.hinted_subject not in {None, session.account_id}:
        return Reason.ID_TOKEN_HINT
    if request.claimed_subject not in {None, session.account_id}:
        return Reason.CLAIMS_SUB
    return None


def create_reason(standing: Standing) -> Reason | None:
    """Why the person is sent to register: the client says so, and nobody has signed in for it since.

    Who finds on that page that they have an account signs in instead, and that will do.

    Source: Initiating User Registration via OpenID Connect §4.
    """
    session = standing.session
    if "create" in standing.request.prompts and not (
        session is not None and standing.progress.has_signed_in(session)
    ):
        return Reason.PROMPT_CREATE
    return None


def select_account_reason(standing: Standing) -> Reason | None:
    """Why the person has to choose an account; signing in is choosing, too."""
    session, progress = standing.session, standing.progress
    has_chosen = session is not None and (
        progress.chosen == session.account_id or progress.has_signed_in(session)
    )
    if "select_account" in standing.request.prompts and not has_chosen:
        return Reason.PROMPT_SELECT_ACCOUNT
    return None


def consent_reason(standing: Standing) -> Reason | None:
    """Why the person has to be asked (row K1). First-party clients act for the operator."""
    account_id = None if standing.session is None else standing.session.account_id
    has_answered = standing.progress.consented is not None and standing.progress.consented == account_id
    if "consent" in standing.request.prompts and not has_answered:
        return Reason.PROMPT_CONSENT
    if standing.client.first_party:
        return None
    if standing.lacks_scopes:
        return Reason.NEW_SCOPES
    if standing.lacks_claims:
        return Reason.NEW_CLAIMS
    if is_unassured(standing.client, standing.request.redirect_uri) and not has_answered:
        return Reason.UNASSURED_NATIVE_CLIENT
    return None


def is_unassured(client: RegisteredClient, redirect_uri: str) -> bool:
    """Whether any other app on the device could receive the answer in this client's name.

    A remembered consent is worth nothing then. That is so for private-use schemes, which every
    app can claim. At a loopback port only a program that runs with the person's rights can
    listen, and asking again would not stop it: it would ask in the same name.

    Source: RFC 8252 §8.6; row K1.
    """
    is_private_scheme = not redirect_uri.startswith(("https:", "http:"))
    return client.application_type == "native" and client.is_public and is_private_scheme


def _is_below(session: BrowserSession, standing: Standing) -> bool:
    """Whether the person has to prove more than they have.

    A wish is worth one page to people who can fulfil it, and none where no page is allowed: tokens then
    state the level there is. What is insisted on counts until it is met.

    Source: OpenID Connect Core §5.5.1.1; RFC 9470 §5.
    """
    demand, reached = demand_of(standing.request, standing.client), level_of(session.acr)
    if reached < demand.minimum:
        return True
    if standing.request.is_silent or standing.progress.has_signed_in(session):
        return False
    return reached < min(demand.level, standing.reachable)


def _is_too_old(session: BrowserSession, max_age: int | None, now: datetime) -> bool:
    """``max_age=0`` is ``prompt=login`` by another name (OpenID Connect Core §3.1.2.1)."""
    if max_age is None:
        return False
    return max_age == 0 or (now - session.auth_time).total_seconds() > max_age
