"""``/account/apps``: the applications that act for a person, and stopping them."""

from flask import Response

from idp.errors import NotFound
from idp.web.context import container, now, source
from idp.web.pages.account_guard import account_page, signed_in
from idp.web.pages.forms import form_value
from idp.web.pages.notice import done

_PATH = "/account/apps"


def account_apps() -> Response:
    """Show them all."""
    apps = container().selfservice.apps.list_(signed_in().account_id, now())
    return account_page("account/apps.html", section="apps", apps=apps)


def account_apps_post() -> Response:
    """Stop one."""
    person, client_id = signed_in(), form_value("client_id")
    try:
        container().selfservice.apps.stop(person.account_id, client_id, source=source(), now=now())
    except NotFound:
        # A second press of the button, or a second tab: it is stopped.
        return done(_PATH, "access-stopped")
    return done(_PATH, "access-stopped")


ROUTES = (
    (_PATH, "GET", account_apps),
    (_PATH, "POST", account_apps_post),
)
