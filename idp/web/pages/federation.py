"""To another provider and back: the buttons' address, and the address that providers answer at."""

from collections import Counter
from urllib.parse import quote, urlencode

from flask import Response, request
from werkzeug.exceptions import MethodNotAllowed

from idp.errors import Conflict, IdpError, NotFound, Refused, Unavailable
from idp.federation import UpstreamIdentity
from idp.login import First, Goal, Newcomer, Purpose, SignedIn, StrayAnswer, Trip
from idp.oauth import InteractionView, ShownError
from idp.ratelimit import Limit
from idp.selfservice import NotFresh
from idp.web.body import Pairs, parse_pairs
from idp.web.context import application, container, now, source
from idp.web.pages.account_guard import signed_in
from idp.web.pages.failed import failed_page
from idp.web.pages.forms import form_pairs, form_value
from idp.web.pages.leaving import errand_of, leave, wish_of
from idp.web.pages.notice import done
from idp.web.pages.own_path import own_path
from idp.web.pages.problem import expired_page
from idp.web.pages.providers import remember_provider
from idp.web.pages.signed_in import remember
from idp.web.pages.visit import visit
from idp.web.pages.way import describe, destination, go_on, goal_of, plain_goal, visitor
from idp.web.responses import see_other

_YES = "yes"
_SECURITY = "/account/security"


def federation_start() -> Response:
    """Somebody pressed the button of a provider."""
    provider_id, uid = form_value("provider"), form_value("interaction")
    try:
        view = describe(uid) if uid else None  # first, so that nobody leaves for something that has expired
    except ShownError as error:
        return expired_page(error.description)
    goal = _goal(view)
    errand = errand_of(goal)
    if goal.again:
        signed_in()
    if view is not None and not view.client.allows_provider(provider_id):
        absent = NotFound("There is no such way to sign in here.", detail="not offered to this client")
        return failed_page(absent, provider_id=provider_id, errand=errand, view=view)
    hint = None if view is None else view.login_hint
    return leave(
        provider_id,
        errand,
        wish_of(view, goal, login_hint=hint if view is not None and view.idp_hint == provider_id else None),
        level=goal.required.level,
        view=view,
    )


def federation_callback(provider_id: str) -> Response:
    """The browser brings a provider's answer."""
    if request.method == "HEAD":
        raise MethodNotAllowed(valid_methods=["GET", "POST"])  # it would use the answer up
    answer = _answer(parse_pairs(request.query_string))
    view = None
    try:
        trip = container().federated.returned(
            provider_id, answer.get("state", ""), browser=visit().browser, source=source(), now=now()
        )
    except StrayAnswer as error:
        errand = error.errand
        place = "" if errand is None else errand.place
        return failed_page(error, provider_id=provider_id, errand=errand, view=_view_or_none(place))
    except Refused as error:
        return failed_page(error, provider_id=provider_id, errand=None, view=None)
    try:
        view = describe(trip.errand.place) if trip.errand.place else None
        return _take(trip, answer, view)
    except ShownError as error:
        return expired_page(error.description)
    except NotFresh:
        raise
    except (Refused, Unavailable, NotFound, Conflict) as error:
        return failed_page(error, provider_id=provider_id, errand=trip.errand, view=view)


def federation_callback_post(provider_id: str) -> Response:
    """A provider answers by a form, which comes without our cookies: the GET that follows brings them.

    What may not stand in an address waits on the server. Source: OAuth 2.0 Form Post Response Mode.
    """
    container().ratelimiter.hit_here(Limit.REQUESTS_PER_SOURCE, source().address, now())
    answer = _answer(form_pairs())
    posted = {name: answer[name] for name in _KEPT if name in answer}
    container().federated.note_posted(provider_id, answer.get("state", ""), posted)
    passed = [(name, value) for name, value in answer.items() if name in _PASSED_ON]
    query = urlencode(passed, quote_via=quote, safe="")
    return see_other(f"{application().path_prefix}/federation/{provider_id}/callback?{query}")


_PASSED_ON = frozenset({"code", "state", "iss", "error"})
_KEPT = frozenset({"user"})


def _take(trip: Trip, answer: dict[str, str], view: InteractionView | None) -> Response:
    """Ask the provider, and do what the person went there for."""
    flow = container().federated
    identity = flow.identify(trip, answer, source=source(), now=now())
    if trip.errand.purpose is Purpose.LINK:
        return _link(trip, identity)
    goal = goal_of(view) if view is not None else _plain(trip)
    outcome = flow.sign_in(trip, identity, goal=goal, browser=visit().browser, visitor=visitor())
    if isinstance(outcome, Newcomer):
        page = "known" if outcome.first is First.KNOWN else "join"
        return see_other(f"{application().path_prefix}/federation/{page}")
    # No form has been sent, so nobody has said whether this browser could make a passkey to be offered.
    signed = outcome if isinstance(outcome, SignedIn) else None
    response = go_on(outcome, goal) if signed is None else remember(signed, destination(goal))
    return remember_provider(response, trip.provider_id)


def _link(trip: Trip, identity: UpstreamIdentity) -> Response:
    """Link what came back to the account that asked for it, if it is still the one that is signed in."""
    session, flow = signed_in(), container().federated
    provider = flow.enabled(trip.provider_id)
    error: IdpError
    try:
        if session.id != trip.errand.session_id:
            raise StrayAnswer(errand=trip.errand, detail="link_of_another_session")
        container().selfservice.identities.link(session, provider, identity, source=source(), now=now())
    except NotFresh as error:
        raise NotFresh(detail=error.detail, return_to=f"{application().path_prefix}{_SECURITY}") from error
    except (Refused, Conflict) as error:
        flow.refused(trip, error, source=source(), now=now())
        raise
    return remember_provider(done(_SECURITY, "identity-linked"), provider.id)


def _answer(pairs: Pairs) -> dict[str, str]:
    """The parameters of an answer; those that are there twice say nothing (row R9)."""
    counts = Counter(name for name, _ in pairs)
    return {name: value for name, value in pairs if counts[name] == 1}


def _goal(view: InteractionView | None) -> Goal:
    if view is not None:
        return goal_of(view)
    return plain_goal(
        return_to=own_path(form_value("return_to")),
        again=form_value("again") == _YES,
        park_present=form_value("beside") == _YES,
    )


def _plain(trip: Trip) -> Goal:
    errand = trip.errand
    return plain_goal(
        return_to=errand.return_to,
        again=errand.purpose is Purpose.AGAIN,
        park_present=errand.park_present,
    )


def _view_or_none(place: str) -> InteractionView | None:
    """The interaction of an answer that nobody waits for, if it still goes on."""
    try:
        return describe(place) if place else None
    except ShownError:
        return None


ROUTES = (
    ("/federation/start", "POST", federation_start),
    ("/federation/<provider_id>/callback", "GET", federation_callback),
    ("/federation/<provider_id>/callback", "POST", federation_callback_post),
)
