"""Sign in with a password: inside an interaction, or just to the home page."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from flask import Response, url_for

from idp.authenticators import Busy
from idp.errors import Invalid, Refused, Unavailable
from idp.login import SignedIn
from idp.oauth import InteractionView
from idp.web.context import container, now, source
from idp.web.pages import client_view
from idp.web.pages.cookies import DEVICE, SESSION
from idp.web.pages.forms import form_value
from idp.web.pages.locale import choose_language, gettext, ngettext
from idp.web.pages.render import page
from idp.web.pages.steps import follow, resume
from idp.web.pages.visit import is_secure, visit
from idp.web.responses import see_other

_MINUTE = 60
_REFUSED = 422
"""Status of a form with a wrong password. Not 401, which promises ``WWW-Authenticate``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trouble:
    """Why the form is shown again."""

    status: int
    message: str
    field: str | None = None
    retry_after: timedelta | None = None


def login(uid: str) -> Response:
    """Show the form of an interaction."""
    return _form(_describe(uid))


def login_post(uid: str) -> Response:
    """Take the form of an interaction: sign in, or give up."""
    view = _describe(uid)  # first, so that nobody signs in to something that has expired
    if form_value("action") == "cancel":
        here = visit()
        step = container().authorization.cancel(
            uid, session=here.session, browser=here.browser, source=source(), now=now()
        )
        return follow(step)
    return _sign_in(view)


def plain_login() -> Response:
    """Show the form outside of any interaction; go home if somebody is signed in."""
    if visit().session is not None:
        return see_other(url_for("pages.home"))
    return _form(None)


def plain_login_post() -> Response:
    """Take the form outside of any interaction."""
    return _sign_in(None)


def _describe(uid: str) -> InteractionView:
    view = container().authorization.describe(uid, visit().browser, now())
    choose_language(view.ui_locales)
    return view


def _sign_in(view: InteractionView | None) -> Response:
    identifier, password = form_value("username"), form_value("password")
    try:
        _assert_filled_in(identifier, password)
        signed_in = container().login.sign_in_with_password(
            identifier=identifier,
            password=password,
            present_session=visit().session,
            device_cookie=visit().device,
            source=source(),
            now=now(),
        )
    except (Invalid, Refused, Unavailable) as error:
        return _form(view, identifier=identifier, trouble=_trouble(error))
    return _remember(signed_in, see_other(url_for("pages.home")) if view is None else resume(view.uid))


def _assert_filled_in(identifier: str, password: str) -> None:
    if not identifier.strip():
        raise Invalid(gettext("Enter your username or e-mail address."), field="username")
    if not password:
        raise Invalid(gettext("Enter your password."), field="password")


def _trouble(error: Invalid | Refused | Unavailable) -> _Trouble:
    if isinstance(error, Invalid):
        return _Trouble(status=400, message=gettext(error.description), field=error.field)
    if isinstance(error, Busy):
        message = f"{gettext(error.description)} {wait_in_words(error.retry_after)}"
        return _Trouble(status=503, message=message, retry_after=error.retry_after)
    if isinstance(error, Unavailable):
        return _Trouble(status=503, message=gettext(error.description), retry_after=error.retry_after)
    if error.retry_after is None:
        return _Trouble(status=_REFUSED, message=gettext(error.description))
    message = f"{gettext(error.description)} {wait_in_words(error.retry_after)}"
    return _Trouble(status=429, message=message, retry_after=error.retry_after)


def wait_in_words(wait: timedelta) -> str:
    """How long to wait, in seconds up to a minute and a half, then in minutes."""
    seconds = max(1, ceil(wait.total_seconds()))
    if seconds <= _MINUTE + _MINUTE // 2:
        text = ngettext("Try again in %(num)s second.", "Try again in %(num)s seconds.", seconds)
        return text % {"num": seconds}
    minutes = ceil(seconds / _MINUTE)
    text = ngettext("Try again in %(num)s minute.", "Try again in %(num)s minutes.", minutes)
    return text % {"num": minutes}


def _form(
    view: InteractionView | None, *, identifier: str | None = None, trouble: _Trouble | None = None
) -> Response:
    """The form, empty or with what was typed; the password is never sent back."""
    if identifier is None:
        identifier = (view.login_hint if view is not None else None) or ""
    retry_after = None if trouble is None else trouble.retry_after
    return page(
        "login/password.html",
        status=200 if trouble is None else trouble.status,
        form_targets=()
        if view is None
        else client_view.form_targets(view.client, redirect_origin=view.redirect_origin),
        headers=[]
        if retry_after is None
        else [("Retry-After", str(max(1, ceil(retry_after.total_seconds()))))],
        client=None if view is None else client_view.of(view.client, redirect_origin=view.redirect_origin),
        identifier=identifier,
        trouble=trouble,
        is_again=view is not None and visit().session is not None,
    )


def _remember(signed_in: SignedIn, response: Response) -> Response:
    """Give the browser its new session cookie; the old value is dead (row S2)."""
    secure = is_secure()
    SESSION.write(response, signed_in.session_cookie.reveal(), secure=secure)
    DEVICE.write(response, signed_in.device_cookie.reveal(), secure=secure)
    return response
