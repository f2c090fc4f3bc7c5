"""Registration, page by page: the address, the code, the way in. Inside an interaction, or for itself."""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlencode

from flask import Response, request

from idp.delivery import Channel
from idp.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from idp.languages import marked
from idp.login import Goal, Registration, SignedIn, Unfinished, Wishes
from idp.oauth import InteractionView
from idp.web.context import application, container, now, source
from idp.web.pages import client_view, providers
from idp.web.pages.cookies import ATTEMPT
from idp.web.pages.forms import form_value
from idp.web.pages.locale import gettext, language
from idp.web.pages.new_password import new_password_trouble
from idp.web.pages.own_path import own_path
from idp.web.pages.render import page
from idp.web.pages.signed_in import remember
from idp.web.pages.trouble import Trouble, trouble_of
from idp.web.pages.visit import is_secure, visit
from idp.web.pages.way import address, describe, destination, goal_of, required_of, to_step, visitor
from idp.web.responses import json_response, see_other

_YES: Final = "yes"
_WRONG_CODE: Final = marked("That code is not right, or it is too old. Check it, or ask for a new one.")


def signup(uid: str | None = None) -> Response:
    """Ask for the address."""
    view = _view(uid)
    if view is None and visit().session is not None:
        return destination(_goal(None))
    return _begin_page(view)


def signup_post(uid: str | None = None) -> Response:
    """Send a code to the address; the answer is the same whether it has an account or not (row L6)."""
    view = _view(uid)
    if _is_closed(view):
        return _closed_page(view)
    try:
        container().signup.begin(
            form_value("username"),
            _wishes(),
            browser=visit().browser,
            locale=language(),
            source=source(),
            now=now(),
        )
    except (Invalid, Refused, Unavailable) as error:
        return _begin_page(view, trouble=trouble_of(error))
    return _to("/verify", view)


def signup_verify(uid: str | None = None) -> Response:
    """Ask for the code."""
    view, registration = _view(uid), _pending()
    if registration is None:
        return _to("", view)
    if registration.proved:
        return _to("/finish", view)
    return _verify_page(view, registration)


def signup_verify_post(uid: str | None = None) -> Response:
    """Take the code, or send another."""
    view, registration = _view(uid), _pending()
    if registration is None:
        return _to("", view)
    flow, browser = container().signup, visit().browser
    try:
        if form_value("action") == "resend":
            flow.resend(browser=browser, locale=language(), source=source(), now=now())
            return _verify_page(view, registration, resent=True)
        if not flow.confirm(browser=browser, code=form_value("code"), source=source(), now=now()):
            trouble = Trouble(status=422, message=gettext(_WRONG_CODE), field="code")
            return _verify_page(view, registration, trouble=trouble)
    except NotFound:
        return _to("", view)
    except (Refused, Unavailable) as error:
        return _verify_page(view, registration, trouble=trouble_of(error))
    return _to("/finish", view)


def signup_finish(uid: str | None = None) -> Response:
    """Ask for a password or a passkey."""
    view, registration = _view(uid), _pending()
    if registration is None:
        return _to("", view)
    return _finish_page(view, registration) if registration.proved else _to("/verify", view)


def signup_finish_post(uid: str | None = None) -> Response:
    """Make the account with a password, and sign the person in."""
    view, registration = _view(uid), _pending()
    if registration is None or not registration.proved:
        return _to("", view)
    goal = _goal(view)
    try:
        outcome = container().signup.finish_with_password(
            form_value("password"), browser=visit().browser, goal=goal, visitor=visitor()
        )
    except NotFound:
        return _to("", view)
    except Conflict:
        return _known_page(view)
    except (Invalid, Refused, Unavailable) as error:
        return _finish_page(view, registration, trouble=new_password_trouble(error))
    return _onwards(outcome, goal)


def signup_passkey_options() -> Response:
    """Options for the passkey of a new account, for the script."""
    try:
        options = container().signup.passkey_options(browser=visit().browser, now=now())
    except (NotFound, Refused) as error:
        return _refused(error)
    return json_response(200, options)


def signup_passkey() -> Response:
    """Make the account with a passkey, and say to the script where to go on."""
    uid = form_value("interaction") or None
    goal = _goal(_view(uid))
    try:
        outcome = container().signup.finish_with_passkey(
            form_value("credential"), browser=visit().browser, goal=goal, visitor=visitor()
        )
    except (NotFound, Conflict, Invalid, Refused, Unavailable) as error:
        return _refused(error)
    redirect = _onwards(outcome, goal)
    response = json_response(200, {"location": redirect.headers["Location"]})
    for cookie in redirect.headers.getlist("Set-Cookie"):
        response.headers.add("Set-Cookie", cookie)
    return response


def invitation(token: str) -> Response:
    """Ask who is invited for their name; the link is not used up by being opened (row S9)."""
    try:
        invited = container().signup.invited(token, now())
    except NotFound as error:
        return _dead_invitation(error)
    return _begin_page(None, invited=invited)


def invitation_post(token: str) -> Response:
    """Begin with the invited address, which needs no code."""
    try:
        container().signup.begin_invited(
            token, _wishes(), browser=visit().browser, source=source(), now=now()
        )
    except NotFound as error:
        return _dead_invitation(error)
    except (Invalid, Refused, Unavailable) as error:
        invited = container().signup.invited(token, now())
        return _begin_page(None, invited=invited, trouble=trouble_of(error))
    return _to("/finish", None)


def _view(uid: str | None) -> InteractionView | None:
    return None if uid is None else describe(uid)


def _is_closed(view: InteractionView | None) -> bool:
    """Whether nobody can register here, or on the way to this client."""
    return not container().signup.channels or (view is not None and not view.client.allows_registration)


def _goal(view: InteractionView | None) -> Goal:
    if view is not None:
        return goal_of(view)
    return Goal(required=required_of(None), return_to=own_path(request.args.get("return_to")))


def _onwards(outcome: SignedIn | Unfinished, goal: Goal) -> Response:
    if isinstance(outcome, Unfinished):
        response = to_step(outcome.step.stage, goal)
        ATTEMPT.write(response, outcome.attempt_cookie.reveal(), secure=is_secure())
        return response
    return remember(outcome, destination(goal))


def _pending() -> Registration | None:
    return container().signup.pending(visit().browser, now())


def _wishes() -> Wishes:
    return Wishes(
        name=form_value("name"),
        accepts_terms=form_value("terms") == _YES,
        wants_passkey=form_value("with") == "passkey",
    )


def _refused(error: NotFound | Conflict | Invalid | Refused | Unavailable) -> Response:
    """What went wrong, for the script to show."""
    if isinstance(error, Conflict):
        status = 409
    else:
        status = 404 if isinstance(error, NotFound) else trouble_of(error).status
    return json_response(status, {"error": "refused", "error_description": gettext(error.description)})


def _to(step: str, view: InteractionView | None) -> Response:
    return see_other(_address(step, view))


def _address(step: str, view: InteractionView | None) -> str:
    """A page of this registration: ``""``, ``/verify`` or ``/finish``."""
    path = f"{application().path_prefix}/signup{'' if view is None else f'/{view.uid}'}{step}"
    return_to = own_path(request.args.get("return_to")) if view is None else None
    return f"{path}?{urlencode({'return_to': return_to})}" if return_to else path


def _page(
    template: str,
    view: InteractionView | None,
    *,
    trouble: Trouble | None = None,
    more_targets: Iterable[str] = (),
    **values: Any,
) -> Response:
    origin = "" if view is None else view.redirect_origin
    return page(
        template,
        status=200 if trouble is None else trouble.status,
        headers=[] if trouble is None else trouble.headers,
        form_targets=(
            *(() if view is None else client_view.form_targets(view.client, redirect_origin=origin)),
            *more_targets,
        ),
        client=None if view is None else client_view.of(view.client, redirect_origin=origin),
        trouble=trouble,
        **values,
    )


def _begin_page(
    view: InteractionView | None, *, invited: str | None = None, trouble: Trouble | None = None
) -> Response:
    here = container()
    channels = here.signup.channels
    if invited is None and _is_closed(view):
        return _closed_page(view)
    is_form = request.method == "POST"
    others = () if invited is not None else providers.offered(view)
    hint = "" if view is None else view.login_hint or ""
    return _page(
        "signup/begin.html",
        view,
        trouble=trouble,
        invited=invited,
        by_mail=Channel.MAIL in channels,
        by_phone=Channel.SMS in channels,
        identifier=form_value("username") if is_form else hint,
        name=form_value("name") if is_form else "",
        accepts_terms=is_form and form_value("terms") == _YES,
        terms_uri=here.settings.registration.terms_uri,
        can_have_passkeys=here.passkeys.available,
        providers=providers.views(others),
        provider_fields=_provider_fields(view),
        more_targets=providers.origins(others),
        sign_in=_sign_in_address(view),
    )


def _provider_fields(view: InteractionView | None) -> dict[str, str]:
    """Hidden fields of the form with the buttons of other providers."""
    if view is not None:
        return {"interaction": view.uid}
    return {"return_to": own_path(request.args.get("return_to")) or ""}


def _verify_page(
    view: InteractionView | None,
    registration: Registration,
    *,
    trouble: Trouble | None = None,
    resent: bool = False,
) -> Response:
    return _page(
        "signup/verify.html",
        view,
        trouble=trouble,
        identifier=registration.identifier,
        by_mail=registration.channel is Channel.MAIL,
        resent=resent,
        begin=_address("", view),
    )


def _finish_page(
    view: InteractionView | None, registration: Registration, *, trouble: Trouble | None = None
) -> Response:
    here = container()
    return _page(
        "signup/finish.html",
        view,
        trouble=trouble,
        identifier=registration.identifier,
        wants_passkey=registration.wants_passkey,
        can_have_passkeys=here.passkeys.available,
        interaction="" if view is None else view.uid,
        return_to=own_path(request.args.get("return_to")) or "",
        least=here.new_passwords.least,
    )


def _closed_page(view: InteractionView | None) -> Response:
    closed = Trouble(status=404, message="")
    return _page("signup/closed.html", view, trouble=closed, sign_in=_sign_in_address(view))


def _known_page(view: InteractionView | None) -> Response:
    """The address got an account meanwhile; whoever sees this has shown that it is theirs."""
    trouble = Trouble(status=409, message=gettext("There is an account with this address already."))
    return _page("signup/known.html", view, trouble=trouble, sign_in=_sign_in_address(view))


def _dead_invitation(error: NotFound) -> Response:
    trouble = Trouble(status=404, message=gettext(error.description))
    return _page("signup/closed.html", None, trouble=trouble, sign_in=_sign_in_address(None))


def _sign_in_address(view: InteractionView | None) -> str:
    goal = _goal(view)
    if goal.place or not goal.return_to:
        return address("", goal)
    return f"{address('', goal)}?{urlencode({'return_to': goal.return_to})}"


ROUTES = (
    ("/signup", "GET", signup),
    ("/signup", "POST", signup_post),
    ("/signup/verify", "GET", signup_verify),
    ("/signup/verify", "POST", signup_verify_post),
    ("/signup/finish", "GET", signup_finish),
    ("/signup/finish", "POST", signup_finish_post),
    ("/signup/passkey-options", "POST", signup_passkey_options),
    ("/signup/passkey", "POST", signup_passkey),
    ("/invitation/<token>", "GET", invitation),
    ("/invitation/<token>", "POST", invitation_post),
)

INTERACTION_ROUTES = (
    ("/signup/<uid>", "GET", signup),
    ("/signup/<uid>", "POST", signup_post),
    ("/signup/<uid>/verify", "GET", signup_verify),
    ("/signup/<uid>/verify", "POST", signup_verify_post),
    ("/signup/<uid>/finish", "GET", signup_finish),
    ("/signup/<uid>/finish", "POST", signup_finish_post),
)
