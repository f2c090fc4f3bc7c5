"""Pages for people who are signed in: who it is, and the frame around what they see."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, request

from idp.accounts import Account
from idp.languages import date_and_time
from idp.sessions import BrowserSession
from idp.web.context import application, container
from idp.web.pages.locale import language
from idp.web.pages.notice import notice
from idp.web.pages.render import page
from idp.web.pages.visit import visit
from idp.web.responses import see_other


class SignInNeeded(Exception):
    """Nobody is signed in; the blueprint answers with a redirect to the sign-in page."""


def signed_in() -> BrowserSession:
    """The session of the person at this page.

    Raises:
        SignInNeeded: there is none.
    """
    session = visit().session
    if session is None:
        raise SignInNeeded
    return session


def signed_in_account() -> Account:
    """The account of the person at this page, read once for each request.

    Raises:
        SignInNeeded: nobody is signed in.
        NotFound: the account was deleted a moment ago.
    """
    known: Account | None = g.get("account")
    if known is None:
        session, here = signed_in(), container()
        with here.database.transaction(write=False):
            known = g.account = here.accounts.get(session.account_id)
    return known


def to_sign_in() -> Response:
    """Send the browser to the sign-in page, and from there back to where it wanted to go."""
    return see_other(f"{application().path_prefix}/login?{urlencode({'return_to': return_address()})}")


def return_address() -> str:
    """Where to go on after a sign-in: this page, or after a POST the account page.

    A path with its query, which the sign-in page checks again (row R15).
    """
    if request.method != "GET":
        return f"{application().path_prefix}/account"
    query = request.query_string.decode("ascii", "ignore")
    return request.path + (f"?{query}" if query else "")


def account_page(template: str, *, section: str, status: int = 200, **values: Any) -> Response:
    """Render a page in the frame of the account pages, with the notice that its address names.

    Args:
        template: its name below ``templates/``; it extends ``account/layout.html``.
        section: which entry of the navigation is the present one; may be empty.
        status: the HTTP status.
        values: what else the template shows.
    """
    return page(
        template,
        status=status,
        section=section,
        account=signed_in_account(),
        notice=notice(),
        when=in_words,
        **values,
    )


def in_words(moment: datetime) -> str:
    """A moment in the page's language and the person's time zone."""
    zone = signed_in_account().claims.get("zoneinfo")
    return date_and_time(moment, language(), zone if isinstance(zone, str) else None)
