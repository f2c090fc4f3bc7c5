"""What the pages of a sign-in share: what it is for, where it stands, and where it goes on."""

from urllib.parse import urlencode

from flask import Response, request

from idp.login import Goal, Required, SignedIn, Stage, Standing, Unfinished, Visitor
from idp.oauth import InteractionView
from idp.web.context import application, container, now, source
from idp.web.pages.cookies import ATTEMPT
from idp.web.pages.locale import choose_language
from idp.web.pages.passkey import offer_address
from idp.web.pages.signed_in import remember
from idp.web.pages.steps import resume
from idp.web.pages.visit import is_secure, visit
from idp.web.responses import see_other

_TWO_FACTORS = 2


def describe(uid: str) -> InteractionView:
    """What the pages of an interaction may show; chooses their language.

    Raises:
        ShownError: it is over, expired, or another browser's.
    """
    here = visit()
    view = container().authorization.describe(uid, here.browser, now(), session=here.session)
    if view.ui_locales:  # else the language is chosen already
        choose_language(view.ui_locales)
    return view


def required_of(view: InteractionView | None) -> Required:
    """What the client and the operator ask of a sign-in, whichever is more."""
    floor = _TWO_FACTORS if container().settings.login.second_factor == "required" else 1
    if view is None:
        return Required(level=floor, enrol=floor > 1)
    minimum = max(view.required.minimum, floor)
    return Required(level=max(view.required.level, minimum), enrol=minimum > 1, minimum=minimum)


def goal_of(view: InteractionView) -> Goal:
    """What a sign-in inside an interaction is for."""
    return Goal(
        required=required_of(view),
        entrance=required_of(None),
        place=view.uid,
        park_present=view.parks,
    )


def plain_goal(*, return_to: str | None = None, again: bool = False, park_present: bool = False) -> Goal:
    """What a sign-in outside of interactions is for; for its later steps, what its attempt keeps."""
    asked = required_of(None)
    return Goal(required=asked, entrance=asked, return_to=return_to, again=again, park_present=park_present)


def visitor() -> Visitor:
    """The browser of this page."""
    here = visit()
    return Visitor(
        present=here.session,
        attempt_cookie=ATTEMPT.read(request, secure=is_secure()),
        device_cookie=here.device,
        source=source(),
        now=now(),
    )


def go_on(outcome: SignedIn | Unfinished | Standing, goal: Goal) -> Response:
    """Send the browser to the next step; or, signed in, to the offer of a passkey or to its destination."""
    if isinstance(outcome, SignedIn):
        offer = offer_address(
            uid=goal.place or None, return_to=goal.return_to, account_id=outcome.session.account_id
        )
        return remember(outcome, destination(goal) if offer is None else see_other(offer))
    response = to_step(outcome.step.stage, goal)
    if isinstance(outcome, Unfinished):
        ATTEMPT.write(response, outcome.attempt_cookie.reveal(), secure=is_secure())
    return response


def to_step(stage: Stage, goal: Goal) -> Response:
    """Send the browser to the page of a step."""
    match stage:
        case Stage.ASK:
            return see_other(address("/verify", goal))
        case Stage.ENROL:
            return see_other(address("/enrol", goal))
        case Stage.IDENTIFY | Stage.DONE:
            return to_beginning(goal)


def to_beginning(goal: Goal) -> Response:
    """Send the browser to where the sign-in begins; in an interaction, to where the flow decides."""
    if goal.place:
        return resume(goal.place)
    prefix = application().path_prefix
    query = f"?{urlencode({'return_to': goal.return_to})}" if goal.return_to else ""
    return see_other(f"{prefix}/login{query}")


def destination(goal: Goal) -> Response:
    """Where somebody who has signed in goes."""
    if goal.place:
        return resume(goal.place)
    return see_other(goal.return_to or f"{application().path_prefix}/")


def address(step: str, goal: Goal) -> str:
    """The address of a page of this sign-in, such as ``/verify``; empty for the first one."""
    return f"{application().path_prefix}/login{'/' + goal.place if goal.place else ''}{step}"
