"""The second step: one page for the best method, with links to the others."""

from typing import Final

from flask import Response, request

from idp.errors import Conflict, Invalid, Refused, Unavailable
from idp.login import Factor, Finished, Goal, NoAttempt, Stage, Standing
from idp.oauth import InteractionView
from idp.web.context import container
from idp.web.pages import client_view
from idp.web.pages.cookies import ATTEMPT
from idp.web.pages.forms import form_value
from idp.web.pages.locale import gettext, language
from idp.web.pages.login import cancel
from idp.web.pages.render import page
from idp.web.pages.trouble import Trouble, trouble_of
from idp.web.pages.visit import is_secure
from idp.web.pages.way import (
    address,
    describe,
    destination,
    go_on,
    goal_of,
    plain_goal,
    to_beginning,
    to_step,
    visitor,
)
from idp.web.responses import see_other

_YES: Final = "yes"
_SENT: Final = (Factor.SMS, Factor.EMAIL)
_CODES: Final = (Factor.TOTP, Factor.RECOVERY_CODE, *_SENT)
_LEFT_IS_FEW: Final = 3
"""From so many recovery codes on, people are told to make new ones."""


def verify(uid: str) -> Response:
    """Ask for a second step inside an interaction."""
    view = describe(uid)
    return _verify(view, goal_of(view))


def verify_post(uid: str) -> Response:
    """Take a second step inside an interaction."""
    view = describe(uid)
    return _verify_post(view, goal_of(view))


def plain_verify() -> Response:
    """Ask for a second step outside of interactions."""
    return _verify(None, plain_goal())


def plain_verify_post() -> Response:
    """Take a second step outside of interactions."""
    return _verify_post(None, plain_goal())


def _verify(view: InteractionView | None, goal: Goal) -> Response:
    try:
        standing = container().second_factor.look(goal, visitor())
    except NoAttempt:
        return without_attempt(goal)
    if standing.step.stage is not Stage.ASK:
        return to_step(standing.step.stage, standing.goal)
    return _page(view, standing, _method(standing, request.args.get("method", "")))


def _verify_post(view: InteractionView | None, goal: Goal) -> Response:
    action, method = form_value("action"), _factor(form_value("method"))
    try:
        if action == "cancel":
            return _cancel(goal)
        if action == "send" and method in _SENT:
            return _send(view, goal, method)
        return _prove(view, goal, method)
    except NoAttempt:
        return without_attempt(goal)
    except Conflict:
        # Another request of this sign-in was faster: the page finds out what is left to do.
        return see_other(address("/verify", goal))


def _prove(view: InteractionView | None, goal: Goal, method: Factor | None) -> Response:
    flow, here = container().second_factor, visitor()
    answer = form_value("credential" if method is Factor.PASSKEY else "code")
    try:
        outcome = flow.prove(
            goal, here, _known(method), answer, trust_device=form_value("trust_device") == _YES
        )
    except (Invalid, Refused, Unavailable) as error:
        standing = flow.look(goal, here)
        if standing.step.stage is not Stage.ASK:
            return to_step(standing.step.stage, standing.goal)
        asked = _method(standing, "" if method is None else method.value)
        return _page(view, standing, asked, trouble=trouble_of(error))
    return finish(outcome)


def finish(outcome: Finished | Standing) -> Response:
    """Send the browser to where a step has led."""
    if isinstance(outcome, Finished):
        return go_on(outcome.signed_in, outcome.goal)
    return go_on(outcome, outcome.goal)


def _send(view: InteractionView | None, goal: Goal, method: Factor) -> Response:
    try:
        standing = container().sent_codes.send(goal, visitor(), method, locale=language())
    except Refused as error:
        standing = container().second_factor.look(goal, visitor())
        return _page(view, standing, _method(standing, method.value), trouble=trouble_of(error))
    if standing.step.stage is not Stage.ASK:
        return to_step(standing.step.stage, standing.goal)
    if not container().sent_codes.works(method, standing):
        return _page(view, standing, _method(standing, ""), failed=method)
    return see_other(f"{address('/verify', goal)}?method={method.value}")


def _cancel(goal: Goal) -> Response:
    """Give up: what was proved is worth nothing any more."""
    container().second_factor.cancel(goal, visitor())
    response = cancel(goal.place) if goal.place else to_beginning(goal)
    ATTEMPT.clear(response, secure=is_secure())
    return response


def without_attempt(goal: Goal) -> Response:
    """The first unmet step of somebody whose sign-in is over or never began here."""
    here = visitor()
    return destination(goal) if here.present is not None else to_beginning(goal)


def _factor(text: str) -> Factor | None:
    try:
        return Factor(text)
    except ValueError:
        return None


def _known(method: Factor | None) -> Factor:
    if method is None:
        raise Invalid(gettext("Choose one of the ways on this page."), field="method")
    return method


def _method(standing: Standing, wanted: str) -> Factor:
    """The method to show: the one that is wanted, if it is one of those; else the best that works."""
    sent, offered = container().sent_codes, standing.step.methods
    working = [one for one in offered if one not in _SENT or sent.works(one, standing)]
    chosen = _factor(wanted)
    if chosen in working:
        return chosen
    return (working or list(offered))[0]


def _page(
    view: InteractionView | None,
    standing: Standing,
    method: Factor,
    *,
    trouble: Trouble | None = None,
    failed: Factor | None = None,
) -> Response:
    sent, goal = container().sent_codes, standing.goal
    is_sent = method in _SENT
    broken = {one for one in standing.step.methods if one in _SENT and not sent.works(one, standing)}
    remember_for = container().settings.login.remember_device
    return page(
        "login/verify.html",
        status=200 if trouble is None else trouble.status,
        form_targets=()
        if view is None
        else client_view.form_targets(view.client, redirect_origin=view.redirect_origin),
        headers=() if trouble is None else trouble.headers,
        client=None if view is None else client_view.of(view.client, redirect_origin=view.redirect_origin),
        method=method.value,
        others=[
            one.value
            for one in standing.step.methods
            if one is not method and one not in broken and one is not Factor.PASSWORD
        ],
        asks_for_code=method in _CODES and (not is_sent or sent.was_sent(method, standing)),
        is_sent=is_sent,
        was_sent=is_sent and sent.was_sent(method, standing),
        address=sent.address(method, standing) if is_sent else None,
        broken=sorted(one.value for one in broken | ({failed} if failed else set())),
        no_way=method in broken,
        trouble=trouble,
        here=address("/verify", goal),
        sign_in=address("", goal),
        trust_days=0 if goal.again else remember_for.days,
        few_codes=standing.enrolled.recovery_codes
        if method is Factor.RECOVERY_CODE and standing.enrolled.recovery_codes <= _LEFT_IS_FEW
        else None,
    )


ROUTES = (
    ("/login/verify", "GET", plain_verify),
    ("/login/verify", "POST", plain_verify_post),
)

INTERACTION_ROUTES = (
    ("/login/<uid>/verify", "GET", verify),
    ("/login/<uid>/verify", "POST", verify_post),
)
