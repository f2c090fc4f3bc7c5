"""``/account/delete``: delete one's account; ``/account/keep``: change one's mind."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

from flask import Response, g, request

from idp.web.context import application, container, now, source
from idp.web.pages.account_guard import account_page, signed_in
from idp.web.pages.cookies import SESSION
from idp.web.pages.forms import form_value
from idp.web.pages.fresh import fresh_person
from idp.web.pages.headers import add_sign_out_headers
from idp.web.pages.locale import ngettext
from idp.web.pages.notice import done
from idp.web.pages.own_path import own_path
from idp.web.pages.render import page
from idp.web.pages.visit import is_secure, visit
from idp.web.responses import see_other

_DELETE = "/account/delete"
_KEEP = "/account/keep"
_REQUESTED = "/account-deletion"
_DAY = timedelta(days=1)

_OPEN = frozenset({
    "pages.account_keep", "pages.account_keep_post", "pages.account_deletion_requested",
    "pages.logout", "pages.logout_post", "pages.logout_confirm", "pages.logged_out",
})  # fmt: skip
"""What somebody may do whose account is going to be deleted."""


class Leaving(Exception):
    """The account is going to be deleted; the blueprint answers with the question whether to keep it."""


def hold() -> None:
    """Stop whoever is signed in to an account that is going to be deleted; for the blueprint's hook.

    Security: this is the one place that says so, and every page passes it. Tokens need no such place: all of
    them died with the request for deletion, and new ones begin with a page.

    Raises:
        Leaving: on every page but those for staying and for going.
    """
    if request.endpoint in _OPEN:
        return
    if request.endpoint == "pages.authorize":
        # A client that must not show a page (prompt=none) learns that nobody is signed in; all others get
        # the sign-in page, which asks the question.
        g.visit = replace(visit(), session=None, session_cookie=None)
        return
    raise Leaving


def to_keep() -> Response:
    """Send the browser to the question, and after a yes back to the application that it came from."""
    uid = (request.view_args or {}).get("uid")
    prefix = application().path_prefix
    query = "" if uid is None else "?" + urlencode({"return_to": f"{prefix}/authorize/{uid}"})
    return see_other(f"{prefix}{_KEEP}{query}")


def account_delete() -> Response:
    """Say what it means, with a button."""
    fresh_person()
    return account_page("account/delete.html", section="profile", grace=_grace_in_words())


def account_delete_post() -> Response:
    """Ask for it, and sign out."""
    container().selfservice.deletion.request(fresh_person(), source=source(), now=now())
    response = see_other(f"{application().path_prefix}{_REQUESTED}")
    SESSION.clear(response, secure=is_secure())
    add_sign_out_headers(response)
    return response


def account_deletion_requested() -> Response:
    """Say that it is on its way; nobody is signed in any more."""
    return page("account/deletion_requested.html", grace=_grace_in_words())


def account_keep() -> Response:
    """Ask whether to keep the account."""
    person = signed_in()
    if person.deletes_at is None:
        return see_other(f"{application().path_prefix}/account")
    return account_page(
        "account/keep.html",
        section="",
        deletes_at=person.deletes_at,
        return_to=own_path(request.args.get("return_to")) or "",
    )


def account_keep_post() -> Response:
    """Keep it, and go on."""
    container().selfservice.deletion.keep(signed_in(), source=source(), now=now())
    wanted = own_path(form_value("return_to")) or ""
    if wanted.startswith(f"{application().path_prefix}/authorize/"):
        return see_other(wanted)
    return done("/account", "account-kept")


def _grace_in_words() -> str | None:
    """How long one may change one's mind; ``None`` for not at all."""
    days = container().settings.registration.deletion_grace // _DAY
    return ngettext("%(num)s day", "%(num)s days", days) % {"num": days} if days else None


ROUTES = (
    (_DELETE, "GET", account_delete),
    (_DELETE, "POST", account_delete_post),
    (_KEEP, "GET", account_keep),
    (_KEEP, "POST", account_keep_post),
    (_REQUESTED, "GET", account_deletion_requested),
)
