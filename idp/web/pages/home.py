"""The front door: who is signed in here, or a welcome."""

from flask import Response

from idp.accounts import Account
from idp.languages import date_and_time
from idp.sessions import BrowserSession
from idp.web.context import container
from idp.web.pages.locale import language
from idp.web.pages.render import page
from idp.web.pages.visit import visit


def home() -> Response:
    """Say who is signed in and offer to sign out; else offer to sign in."""
    session = visit().session
    if session is None:
        return page("home/welcome.html")
    account = account_of(session)
    zone = account.claims.get("zoneinfo")
    since = date_and_time(session.auth_time, language(), zone)
    return page("home/home.html", account=account, session=session, since=since)


def account_of(session: BrowserSession) -> Account:
    """The account of a live session.

    Raises:
        NotFound: deleted a moment ago.
    """
    here = container()
    with here.database.transaction(write=False):
        return here.accounts.get(session.account_id)
