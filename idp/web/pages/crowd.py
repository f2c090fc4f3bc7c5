"""A short answer to sign-ins while more come than can be told at length (row L8).

Whoever finds no place for a hash gets the form again, with what they typed and when to come back. That
costs a millisecond of the processor; to hundreds a second who try again at once it would be all of it, and
neither tokens nor the sign-ins that wait would get any. So beyond some forms a second the others get one
prepared page, before any of the work of a page is done. What they typed is a step back in their browser.
"""

import re
from datetime import timedelta
from functools import lru_cache
from typing import Final

from flask import Flask

from idp.authenticators import Busy
from idp.container import Container
from idp.errors import IdpError
from idp.languages import catalogue, text_direction
from idp.web.edge import Edge
from idp.web.pages.headers import content_security_policy, page_headers
from idp.web.pages.locale import browser_language
from idp.web.pages.trouble import retry_after, wait_in_words
from idp.web.wire import Answer, Environ

_FORMS_A_SECOND: Final = 32
"""A twentieth of a processor, and more people than a worker signs in meanwhile."""
_UID: Final = "[A-Za-z0-9_-]{22}"
"""An interaction in an address: 128 random bits."""


class Crowd:
    """Looks at every request that is about to become a page; thread-safe up to a form more or less.

    Args:
        app: has the templates.
        container: its passwords say whether there is room.
        edge: whoever it refuses is refused in the usual way.
    """

    def __init__(self, app: Flask, container: Container, edge: Edge) -> None:
        settings = container.settings
        self._app = app
        self._passwords = container.passwords
        self._monotonic = container.clock.monotonic
        self._edge = edge
        self._brand = settings.pages.brand_name
        # Not the pages below it: who is there has proved their password, and takes no place in the queue.
        self._is_password_form = re.compile(rf"{re.escape(settings.issuer_path)}/login(?:/{_UID})?").fullmatch
        self._headers = (
            ("Content-Type", "text/html; charset=utf-8"),
            *page_headers(content_security_policy(), https=settings.is_https),
        )
        self._second, self._told = 0, 0
        self._page = lru_cache(maxsize=64)(self._rendered)  # a page for each language

    def __call__(self, environ: Environ) -> Answer | None:
        """The short answer, if this is a sign-in that gets one; else ``None``."""
        if environ["REQUEST_METHOD"] != "POST" or not self._is_password_form(environ["PATH_INFO"]):
            return None
        try:
            self._passwords.assert_room()
        except Busy as error:
            return None if self._may_have_a_form() else self._answer(environ, error.retry_after)
        return None

    def _may_have_a_form(self) -> bool:
        second = int(self._monotonic())
        if second != self._second:
            self._second, self._told = second, 0
        self._told += 1
        return self._told <= _FORMS_A_SECOND

    def _answer(self, environ: Environ, wait: timedelta) -> Answer | None:
        try:
            self._edge.assert_acceptable(environ)
        except IdpError:
            return None
        language = browser_language(self._app, environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        return Answer(503, (*self._headers, retry_after(wait)), self._page(language, wait))

    def _rendered(self, language: str, wait: timedelta) -> bytes:
        texts = catalogue(language)
        html = self._app.jinja_env.get_template("errors/crowded.html").render(
            brand_name=self._brand,
            language=language.replace("_", "-"),
            direction=text_direction(language),
            title=texts.gettext(Busy(wait).description),
            text=wait_in_words(wait, texts),
        )
        return html.encode()
