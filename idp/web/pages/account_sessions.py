"""``/account/sessions``: where a person is signed in, and ending that."""

from flask import Response, request

from idp.errors import Invalid, NotFound
from idp.sessions import level_of
from idp.web.context import application, container, now, source
from idp.web.pages.account_guard import account_page, signed_in
from idp.web.pages.cookies import SESSION
from idp.web.pages.forms import form_value
from idp.web.pages.locale import language
from idp.web.pages.notice import done
from idp.web.pages.visit import is_secure, visit

_PATH = "/account/sessions"
_LONGEST_ID = 100


def account_sessions() -> Response:
    """Show a page of them, newest first."""
    address = f"{application().path_prefix}{_PATH}"
    before = request.args.get("before", "")[:_LONGEST_ID] or None
    shown = container().selfservice.sessions.list_(signed_in(), language=language(), now=now(), before=before)
    return account_page(
        "account/sessions.html",
        section="sessions",
        sessions=shown.sessions,
        level_of=level_of,
        first=address if before else None,
        older=f"{address}?before={shown.older}" if shown.older else None,
    )


def account_sessions_post() -> Response:
    """End one session, or all others."""
    person, action = signed_in(), form_value("action")
    sessions = container().selfservice.sessions
    if action == "end-others":
        cookie = sessions.end_others(
            person, session_cookie=visit().session_cookie or "", source=source(), now=now()
        )
        response = done(_PATH, "sessions-ended")
        if cookie is not None:
            SESSION.write(response, cookie.reveal(), secure=is_secure())
        return response
    if action != "end":
        raise Invalid("Choose one of the buttons.", field="action")
    try:
        sessions.end(person, form_value("session")[:_LONGEST_ID], source=source(), now=now())
    except NotFound:
        # It is gone, which is what was asked for; who tries ids of others learns nothing from this.
        return done(_PATH, "session-ended")
    return done(_PATH, "session-ended")


ROUTES = (
    (_PATH, "GET", account_sessions),
    (_PATH, "POST", account_sessions_post),
)
