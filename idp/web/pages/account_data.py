"""``/account/export``: everything that is kept about a person, as a file for them."""

from flask import Response, stream_with_context

from idp.web.context import container, now, source
from idp.web.pages.account_guard import account_page
from idp.web.pages.fresh import fresh_person

_PATH = "/account/export"


def account_export() -> Response:
    """Say what it is, with a button."""
    fresh_person()
    return account_page("account/export.html", section="profile")


def account_export_post() -> Response:
    """Send the file, piece by piece."""
    person = fresh_person()
    pieces = container().selfservice.export.begin(person, source=source(), now=now())
    return Response(
        stream_with_context(pieces),
        headers=[("Content-Disposition", 'attachment; filename="my-data.json"')],
        content_type="application/json",
    )


ROUTES = (
    (_PATH, "GET", account_export),
    (_PATH, "POST", account_export_post),
)
