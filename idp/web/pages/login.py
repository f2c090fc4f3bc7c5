"""Sign in with a password: inside an interaction, or just to the pages of the provider."""

from dataclasses import dataclass

from flask import Response, request

from idp.errors import Invalid, Refused, Unavailable
from idp.login import Goal, proofs_of
from idp.oauth import InteractionView
from idp.web.context import application, container, now, source
from idp.web.pages import client_view, providers
from idp.web.pages.forms import form_value
from idp.web.pages.leaving import errand_of, leave, wish_of
from idp.web.pages.locale import gettext
from idp.web.pages.own_path import own_path
from idp.web.pages.render import page
from idp.web.pages.steps import follow
from idp.web.pages.trouble import Trouble, trouble_of
from idp.web.pages.visit import visit
from idp.web.pages.way import describe, destination, go_on, goal_of, plain_goal, visitor


@dataclass(frozen=True, slots=True)
class _Typed:
    """What was typed, for a form that is shown again; never the password."""

    identifier: str
    trouble: Trouble


def login(uid: str) -> Response:
    """Show the form of an interaction; or go on where only a step is missing."""
    view = describe(uid)
    if view.steps_up:
        return _step_up(view)
    return _straight_on(view) or _form(view, goal_of(view))


def login_post(uid: str) -> Response:
    """Take the form of an interaction: sign in, or give up."""
    view = describe(uid)  # first, so that nobody signs in to something that has expired
    if form_value("action") == "cancel":
        return cancel(uid)
    goal = goal_of(view)
    required = providers.required_by(view)
    if required is not None:  # a password would not be enough
        return leave(required.id, errand_of(goal), wish_of(view, goal), level=goal.required.level, view=view)
    return _sign_in(view, goal)


def plain_login() -> Response:
    """Show the form outside of any interaction; go on if somebody is signed in and nobody else is wanted."""
    goal = _plain_goal()
    if visit().session is not None and not goal.park_present:
        return destination(goal)
    return _form(None, goal)


def plain_login_post() -> Response:
    """Take the form outside of any interaction."""
    return _sign_in(None, _plain_goal())


def cancel(uid: str) -> Response:
    """Give up: the client hears it."""
    here = visit()
    step = container().authorization.cancel(
        uid, session=here.session, browser=here.browser, source=source(), now=now()
    )
    return follow(step)


def assert_password_given(password: str) -> None:
    """Refuse an empty password before it costs anything.

    Raises:
        Invalid: nothing was typed.
    """
    if not password:
        raise Invalid(gettext("Enter your password."), field="password")


def _assert_named(identifier: str) -> None:
    if not identifier.strip():
        raise Invalid(gettext("Enter your username or e-mail address."), field="username")


def _plain_goal() -> Goal:
    """What a sign-in outside of interactions is for, from the address of the page."""
    return plain_goal(
        return_to=own_path(request.args.get("return_to")),
        park_present=request.args.get("another") == "1",
    )


def _straight_on(view: InteractionView) -> Response | None:
    """Send the person to the provider that the client requires or hints at; ``None`` if there is none.

    Not if they have just come back from there without success: then they choose.
    """
    provider = None if request.args.get("choose") == "1" else providers.straight_to(view)
    if provider is None:
        return None
    goal = goal_of(view)
    return leave(
        provider.id,
        errand_of(goal),
        wish_of(view, goal, login_hint=view.login_hint),
        level=goal.required.level,
        view=view,
        after_form=False,
    )


def _step_up(view: InteractionView) -> Response:
    """Ask for what is missing only: the proofs of the live session stand."""
    goal, here = goal_of(view), visitor()
    proofs = () if here.present is None else proofs_of(here.present)
    begun = container().pending.step_up(goal, here, proofs)
    return _form(view, goal) if begun is None else go_on(begun, goal)


def _sign_in(view: InteractionView | None, goal: Goal) -> Response:
    identifier, password = form_value("username"), form_value("password")
    try:
        _assert_named(identifier)
        home = providers.home_of(identifier, view)
        if home is not None:
            wish = wish_of(view, goal, login_hint=identifier.strip())
            return leave(home.id, errand_of(goal), wish, level=goal.required.level, view=view)
        assert_password_given(password)
        outcome = container().login.sign_in_with_password(
            identifier=identifier,
            password=password,
            present_session=visit().session,
            device_cookie=visit().device,
            source=source(),
            now=now(),
            goal=goal,
        )
    except (Invalid, Refused, Unavailable) as error:
        return _form(view, goal, _Typed(identifier, trouble_of(error)))
    return go_on(outcome, goal)


def _form(view: InteractionView | None, goal: Goal, typed: _Typed | None = None) -> Response:
    """The form, empty or with what was typed; the password is never sent back."""
    trouble = None if typed is None else typed.trouble
    hint = view.login_hint if view is not None else None
    here = container()
    client = None if view is None else client_view.of(view.client, redirect_origin=view.redirect_origin)
    others = providers.offered(view)
    is_only = view is not None and view.client.required_identity_provider is not None
    targets = (
        () if view is None else client_view.form_targets(view.client, redirect_origin=view.redirect_origin)
    )
    can_sign_up = here.signup.channels and (view is None or view.client.allows_registration)
    return page(
        "login/password.html",
        status=200 if trouble is None else trouble.status,
        form_targets=(*targets, *providers.origins(others)),
        headers=() if trouble is None else trouble.headers,
        client=client,
        identifier=(hint or "") if typed is None else typed.identifier,
        trouble=trouble,
        is_again=view is not None and visit().session is not None,
        passkey_fields=_passkey_fields(goal),
        can_passkey=here.passkey_flow.available and not is_only,
        providers=providers.views(others),
        is_only=is_only,
        signup=_beside("/signup", goal) if can_sign_up and not is_only else None,
        recover=f"{application().path_prefix}/recover"
        if (here.outbox.can_mail or here.outbox.can_sms) and not is_only
        else None,
    )


def _passkey_fields(goal: Goal) -> dict[str, str]:
    """What the script sends along with a passkey."""
    fields = {"interaction": goal.place} if goal.place else {"return_to": goal.return_to or ""}
    return {**fields, "beside": "yes"} if goal.park_present else fields


def _beside(path: str, goal: Goal) -> str:
    """The address of a page that can belong to an interaction, too."""
    return f"{application().path_prefix}{path}{'/' + goal.place if goal.place else ''}"
