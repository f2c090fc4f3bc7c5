"""Setting up the second step that a sign-in cannot go on without."""

from flask import Response

from idp.errors import Conflict, Invalid, Refused, Unavailable
from idp.login import Goal, NoAttempt, Standing
from idp.oauth import InteractionView
from idp.web.context import application, container
from idp.web.pages import client_view
from idp.web.pages.forms import form_value
from idp.web.pages.generator import setup_values
from idp.web.pages.render import page
from idp.web.pages.second_factor import finish, without_attempt
from idp.web.pages.trouble import Trouble, trouble_of
from idp.web.pages.way import address, describe, go_on, goal_of, plain_goal, visitor
from idp.web.responses import see_other


def enrol(uid: str) -> Response:
    """Show what has to be set up, inside an interaction."""
    view = describe(uid)
    return _enrol(view, goal_of(view))


def enrol_post(uid: str) -> Response:
    """Take the code of the new generator, inside an interaction."""
    view = describe(uid)
    return _enrol_post(view, goal_of(view))


def plain_enrol() -> Response:
    """Show what has to be set up, outside of interactions."""
    return _enrol(None, plain_goal())


def plain_enrol_post() -> Response:
    """Take the code of the new generator, outside of interactions."""
    return _enrol_post(None, plain_goal())


def _enrol(view: InteractionView | None, goal: Goal, trouble: Trouble | None = None) -> Response:
    setup = {}
    try:
        begun = container().second_factor.generator_setup(goal, visitor())
    except NoAttempt:
        return without_attempt(goal)
    if isinstance(begun, Standing):
        return go_on(begun, begun.goal)
    if begun is not None:
        setup = setup_values(secret=begun.secret, uri=begun.uri)
    return page(
        "login/enrol.html",
        status=200 if trouble is None else trouble.status,
        form_targets=()
        if view is None
        else client_view.form_targets(view.client, redirect_origin=view.redirect_origin),
        headers=() if trouble is None else trouble.headers,
        client=None if view is None else client_view.of(view.client, redirect_origin=view.redirect_origin),
        trouble=None if trouble is None else trouble.message,
        here=address("/enrol", goal),
        leave=address("/verify", goal),
        asks_for_passkey=begun is None,
        then=f"{application().path_prefix}/authorize/{goal.place}" if goal.place else None,
        **setup,
    )


def _enrol_post(view: InteractionView | None, goal: Goal) -> Response:
    try:
        outcome = container().second_factor.confirm_generator(goal, visitor(), form_value("code"))
    except (Invalid, Refused, Unavailable) as error:
        return _enrol(view, goal, trouble_of(error))
    except NoAttempt:
        return without_attempt(goal)
    except Conflict:
        return see_other(address("/enrol", goal))
    return finish(outcome)


ROUTES = (
    ("/login/enrol", "GET", plain_enrol),
    ("/login/enrol", "POST", plain_enrol_post),
)

INTERACTION_ROUTES = (
    ("/login/<uid>/enrol", "GET", enrol),
    ("/login/<uid>/enrol", "POST", enrol_post),
)
