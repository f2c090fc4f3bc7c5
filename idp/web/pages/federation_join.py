"""Somebody whom a provider has sent and nobody knows yet: what is missing, or whose account it is."""

from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from idp.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from idp.languages import marked
from idp.login import TYPED, Errand, Goal, Newcomer, Question
from idp.oauth import InteractionView, ShownError
from idp.selfservice import NotFresh
from idp.web.context import application, container, now, source
from idp.web.pages import client_view
from idp.web.pages.account_guard import signed_in, signed_in_account
from idp.web.pages.failed import beginning, failed_page
from idp.web.pages.forms import form_value
from idp.web.pages.locale import gettext, language
from idp.web.pages.problem import expired_page
from idp.web.pages.providers import remember_provider, view_of
from idp.web.pages.render import page
from idp.web.pages.trouble import Trouble, trouble_of
from idp.web.pages.visit import visit
from idp.web.pages.way import describe, destination, go_on, goal_of, plain_goal, visitor
from idp.web.responses import see_other

_YES = "yes"
_JOIN = "/federation/join"
_LINK = "/federation/link"
_WRONG_CODE = marked("That code is not right, or it is too old. Check it, or ask for a new one.")


def federation_join() -> Response:
    """Ask for what is missing."""
    try:
        question = container().joining.question(visit().browser, now())
        return _join_page(question, _view(question.newcomer.errand))
    except NotFound:
        return _over()
    except ShownError as error:
        return expired_page(error.description)


def federation_join_post() -> Response:
    """Take what was missing: make the account, or send a code."""
    joining, browser = container().joining, visit().browser
    try:
        question = joining.question(browser, now())
        view = _view(question.newcomer.errand)
    except NotFound:
        return _over()
    except ShownError as error:
        return expired_page(error.description)
    goal = _goal(question.newcomer.errand, view)
    try:
        outcome = joining.fill_in(
            {name: form_value(name) for name in (*TYPED, "email")},
            accepts_terms=form_value("terms") == _YES,
            browser=browser,
            locale=language(),
            goal=goal,
            visitor=visitor(),
        )
    except NotFound:
        return _over()
    except Conflict as error:
        return _failed(error, question.newcomer, view)
    except (Invalid, Refused, Unavailable) as error:
        return _join_page(question, view, trouble=trouble_of(error))
    if outcome is None:
        return see_other(f"{application().path_prefix}{_JOIN}/verify")
    return remember_provider(go_on(outcome, goal), question.provider.id)


def federation_join_verify() -> Response:
    """Ask for the code."""
    newcomer = container().joining.waiting(visit().browser, now())
    if newcomer is None or newcomer.address is None or newcomer.proved:
        return _over()
    try:
        return _verify_page(newcomer, _view(newcomer.errand))
    except ShownError as error:
        return expired_page(error.description)


def federation_join_verify_post() -> Response:
    """Take the code and make the account, or send another code."""
    joining, browser = container().joining, visit().browser
    newcomer = joining.waiting(browser, now())
    if newcomer is None or newcomer.address is None:
        return _over()
    try:
        view = _view(newcomer.errand)
    except ShownError as error:
        return expired_page(error.description)
    goal = _goal(newcomer.errand, view)
    try:
        if form_value("action") == "resend":
            joining.resend(browser=browser, locale=language(), source=source(), now=now())
            return _verify_page(newcomer, view, resent=True)
        outcome = joining.confirm(form_value("code"), browser=browser, goal=goal, visitor=visitor())
    except NotFound:
        return _over()
    except Conflict as error:
        return _failed(error, newcomer, view)
    except (Refused, Unavailable) as error:
        return _verify_page(newcomer, view, trouble=trouble_of(error))
    if outcome is None:
        return _verify_page(
            newcomer, view, trouble=Trouble(status=422, message=gettext(_WRONG_CODE), field="code")
        )
    return remember_provider(go_on(outcome, goal), newcomer.identity.provider_id)


# Whose address it is has an account


def federation_known() -> Response:
    """Say that there is an account, and lead to its sign-in."""
    newcomer = container().joining.waiting(visit().browser, now())
    if newcomer is None:
        return _over()
    prefix = application().path_prefix
    return page(
        "federation/known.html",
        provider=view_of(container().federated.enabled(newcomer.identity.provider_id)),
        address=newcomer.address,
        sign_in=f"{prefix}/login?{urlencode({'return_to': prefix + _LINK})}",
        back=beginning(newcomer.errand, chosen=True),
    )


def federation_link() -> Response:
    """Ask who has signed in to that account whether to link it."""
    session = signed_in()
    container().selfservice.authenticators.assert_may_change(session, now())
    return _link_page()


def federation_link_post() -> Response:
    """Link it, and go on to where they wanted to go."""
    session, joining, browser = signed_in(), container().joining, visit().browser
    try:
        provider, newcomer = joining.known(browser, signed_in_account(), now())
    except (NotFound, Refused):
        return _link_page()
    try:
        container().selfservice.identities.link(
            session, provider, newcomer.identity, came_from_there=True, source=source(), now=now()
        )
    except NotFresh:
        raise
    except (Refused, Conflict) as error:
        return failed_page(error, provider_id=provider.id, errand=newcomer.errand, view=None)
    joining.forget(browser, now())
    errand = newcomer.errand
    return remember_provider(
        destination(plain_goal(return_to=errand.return_to))
        if not errand.place
        else see_other(f"{application().path_prefix}/authorize/{errand.place}"),
        provider.id,
    )


def _link_page() -> Response:
    joining, browser, prefix = container().joining, visit().browser, application().path_prefix
    newcomer = joining.waiting(browser, now())
    if newcomer is None:
        return _over()
    view = None
    try:
        view = _view(newcomer.errand)
        provider, _ = joining.known(browser, signed_in_account(), now())
    except ShownError as error:
        return expired_page(error.description)
    except NotFound:
        return _over()
    except Refused:
        provider = None
    return _page(
        "federation/link.html",
        view,
        status=200 if provider is not None else 403,
        provider=None if provider is None else view_of(provider),
        account=signed_in_account(),
        address=newcomer.address,
        other=f"{prefix}/login?{urlencode({'another': '1', 'return_to': prefix + _LINK})}",
        leave=f"{prefix}/authorize/{newcomer.errand.place}" if newcomer.errand.place else f"{prefix}/",
    )


def _join_page(
    question: Question, view: InteractionView | None, *, trouble: Trouble | None = None
) -> Response:
    here, newcomer = container(), question.newcomer
    typed = {name: form_value(name) for name in (*TYPED, "email")} if request.method == "POST" else {}
    asked = [name for name in TYPED if name in question.lacks.claims]
    if question.asks_for_name and "name" not in asked and not asked:
        asked.append("name")
    return _page(
        "federation/join.html",
        view,
        status=200 if trouble is None else trouble.status,
        headers=() if trouble is None else trouble.headers,
        trouble=trouble,
        provider=view_of(question.provider),
        label=newcomer.identity.claims.get("name") or newcomer.address or newcomer.identity.email or "",
        asked=asked,
        required=question.lacks.claims,
        vouched=newcomer.address if newcomer.proved else None,
        asks_for_email=question.asks_for_address,
        email=typed.get("email", newcomer.identity.email or ""),
        typed=typed,
        accepts_terms=request.method == "POST" and form_value("terms") == _YES,
        terms_uri=here.settings.registration.terms_uri,
        sign_in=beginning(newcomer.errand, chosen=True),
    )


def _verify_page(
    newcomer: Newcomer,
    view: InteractionView | None,
    *,
    trouble: Trouble | None = None,
    resent: bool = False,
) -> Response:
    return _page(
        "signup/verify.html",
        view,
        status=200 if trouble is None else trouble.status,
        headers=() if trouble is None else trouble.headers,
        trouble=trouble,
        identifier=newcomer.address,
        by_mail=True,
        resent=resent,
        begin=f"{application().path_prefix}{_JOIN}",
    )


def _page(template: str, view: InteractionView | None, **values: Any) -> Response:
    origin = "" if view is None else view.redirect_origin
    return page(
        template,
        form_targets=() if view is None else client_view.form_targets(view.client, redirect_origin=origin),
        client=None if view is None else client_view.of(view.client, redirect_origin=origin),
        **values,
    )


def _failed(error: Conflict, newcomer: Newcomer, view: InteractionView | None) -> Response:
    return failed_page(error, provider_id=newcomer.identity.provider_id, errand=newcomer.errand, view=view)


def _over() -> Response:
    """Nobody waits here: it was finished by another press, or too long ago."""
    if visit().session is not None:
        return destination(plain_goal())
    return see_other(f"{application().path_prefix}/login")


def _view(errand: Errand) -> InteractionView | None:
    return describe(errand.place) if errand.place else None


def _goal(errand: Errand, view: InteractionView | None) -> Goal:
    if view is not None:
        return goal_of(view)
    return plain_goal(return_to=errand.return_to, park_present=errand.park_present)


ROUTES = (
    (_JOIN, "GET", federation_join),
    (_JOIN, "POST", federation_join_post),
    (f"{_JOIN}/verify", "GET", federation_join_verify),
    (f"{_JOIN}/verify", "POST", federation_join_verify_post),
    ("/federation/known", "GET", federation_known),
    (_LINK, "GET", federation_link),
    (_LINK, "POST", federation_link_post),
)
