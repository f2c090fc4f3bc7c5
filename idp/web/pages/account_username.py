"""``/account/username``: change the name one signs in with."""

from flask import Response

from idp.errors import Conflict, Invalid
from idp.web.context import container, now, source
from idp.web.pages.account_guard import account_page, signed_in_account
from idp.web.pages.forms import form_value
from idp.web.pages.fresh import fresh_person
from idp.web.pages.locale import gettext
from idp.web.pages.notice import done

_PATH = "/account/username"
_REFUSED = 422


def account_username() -> Response:
    """Show the form."""
    fresh_person()
    return _form(signed_in_account().username)


def account_username_post() -> Response:
    """Take the form."""
    person, typed = fresh_person(), form_value("username")
    try:
        container().selfservice.username.change(person, typed, source=source(), now=now())
    except (Invalid, Conflict) as error:
        return _form(typed, wrong=gettext(error.description))
    return done("/account", "username-changed")


def _form(typed: str, *, wrong: str | None = None) -> Response:
    return account_page(
        "account/username.html",
        section="profile",
        status=200 if wrong is None else _REFUSED,
        values={"username": typed},
        wrong={} if wrong is None else {"username": wrong},
    )


ROUTES = (
    (_PATH, "GET", account_username),
    (_PATH, "POST", account_username_post),
)
