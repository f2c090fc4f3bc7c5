"""What was just done, said once on the page that follows a form.

A form that succeeded redirects to a page, and the address carries the name of a text. The name says nothing
about anybody, and who makes up an address gets one of these texts or none.
"""

from collections.abc import Mapping
from typing import Final

from flask import Response, request

from idp.languages import marked
from idp.web.context import application
from idp.web.pages.locale import gettext
from idp.web.responses import see_other

FIELD: Final = "notice"
"""The parameter of the address."""


NOTICES: Final[Mapping[str, str]] = {
    "profile-saved": marked("Your profile is saved."),
}
"""Texts by the name that stands in an address."""


def notice() -> str | None:
    """The text that the address of this page names, in the page's language."""
    text = NOTICES.get(request.args.get(FIELD, ""))
    return None if text is None else gettext(text)


def done(path: str, name: str) -> Response:
    """Redirect to a page of ours that says what was done.

    Args:
        path: address without the issuer's path, such as ``/account``.
        name: of the text, a key of ``NOTICES``.
    """
    return see_other(f"{application().path_prefix}{path}?{FIELD}={name}")
