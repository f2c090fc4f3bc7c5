"""``/account/password``: change one's password, or set the first one."""

from flask import Response

from idp.errors import Conflict, Invalid, Refused, Unavailable
from idp.selfservice import NotFresh
from idp.web.context import container, now, source
from idp.web.pages.account_guard import account_page, signed_in
from idp.web.pages.cookies import SESSION
from idp.web.pages.forms import form_value
from idp.web.pages.locale import gettext
from idp.web.pages.new_password import new_password_trouble
from idp.web.pages.notice import done
from idp.web.pages.trouble import Trouble
from idp.web.pages.visit import is_secure, visit

_PATH = "/account/password"


def account_password() -> Response:
    """Show the form."""
    return _form()


def account_password_post() -> Response:
    """Take the form."""
    person = signed_in()
    end_others = form_value("end_others") == "yes"
    try:
        cookie = container().selfservice.password.change(
            person,
            present=form_value("present"),
            new=form_value("password"),
            end_other_sessions=end_others,
            session_cookie=visit().session_cookie or "",
            device_cookie=visit().device,
            source=source(),
            now=now(),
        )
    except NotFresh:
        raise
    except Conflict as error:
        return _form(trouble=Trouble(status=409, message=gettext(error.description)))
    except (Invalid, Refused, Unavailable) as error:
        return _form(trouble=new_password_trouble(error), end_others=end_others)
    response = done(
        "/account/security", "password-changed-others-ended" if end_others else "password-changed"
    )
    SESSION.write(response, cookie.reveal(), secure=is_secure())
    return response


def _form(*, trouble: Trouble | None = None, end_others: bool = True) -> Response:
    """The form; passwords are never sent back."""
    rules = container().selfservice.password.rules(signed_in(), now())
    return account_page(
        "account/password.html",
        section="security",
        status=200 if trouble is None else trouble.status,
        headers=() if trouble is None else trouble.headers,
        rules=rules,
        trouble=trouble,
        end_others=end_others,
    )


ROUTES = (
    (_PATH, "GET", account_password),
    (_PATH, "POST", account_password_post),
)
