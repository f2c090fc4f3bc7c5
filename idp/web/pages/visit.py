"""Who is at the browser: read once per page by the blueprint's hook."""

from dataclasses import dataclass
from typing import cast

from flask import g, request

from idp.crypto import random_token
from idp.sessions import BrowserSession
from idp.web.context import container, now
from idp.web.pages.cookies import BROWSER, DEVICE, SESSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The browser that asked for this page."""

    browser: str
    """The browser cookie's value; a new one if it sent none."""
    is_new_browser: bool
    session: BrowserSession | None
    """The live session, already checked; ``None`` if nobody is signed in."""
    session_cookie: str | None
    """The value that found ``session``."""
    device: str | None


def is_secure() -> bool:
    """Whether cookies carry ``Secure`` and the ``__Host-`` prefix: on https issuers."""
    return container().settings.is_https


def begin_visit() -> None:
    """Read the cookies and load the session; for the blueprint's hook.

    Raises:
        Unavailable: the database is away, so nobody can say who this is (row X8).
    """
    secure = is_secure()
    browser = BROWSER.read(request, secure=secure)
    session, cookie = None, SESSION.read(request, secure=secure)
    if cookie is not None:
        sessions, moment = container().sessions, now()
        session = sessions.find(cookie, moment)
        if session is not None:
            sessions.touch(session, moment)
    g.visit = Visit(
        browser=browser or random_token(),
        is_new_browser=browser is None,
        session=session,
        session_cookie=None if session is None else cookie,
        device=DEVICE.read(request, secure=secure),
    )


def visit() -> Visit:
    """The visit of the current page."""
    return cast("Visit", g.visit)
