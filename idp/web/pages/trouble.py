"""Why a form is shown again, in words, with the status and the pause that go with it."""

from dataclasses import dataclass
from datetime import timedelta
from gettext import NullTranslations
from math import ceil
from typing import Final

from idp.authenticators import Busy
from idp.errors import Invalid, Refused, Unavailable
from idp.web.pages.locale import gettext, texts

_MINUTE: Final = 60
_REFUSED: Final = 422
"""Status of a form with a wrong password or code. Not 401, which promises ``WWW-Authenticate``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why the form is shown again."""

    status: int
    message: str
    field: str | None = None
    retry_after: timedelta | None = None

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What the answer says of it to programs."""
        if self.retry_after is None:
            return []
        return [retry_after(self.retry_after)]


def trouble_of(error: Invalid | Refused | Unavailable) -> Trouble:
    """What to tell the person, in the language of the page."""
    if isinstance(error, Invalid):
        return Trouble(status=400, message=gettext(error.description), field=error.field)
    if isinstance(error, Busy):
        message = f"{gettext(error.description)} {wait_in_words(error.retry_after)}"
        return Trouble(status=503, message=message, retry_after=error.retry_after)
    if isinstance(error, Unavailable):
        return Trouble(status=503, message=gettext(error.description), retry_after=error.retry_after)
    if error.retry_after is None:
        return Trouble(status=_REFUSED, message=gettext(error.description))
    message = f"{gettext(error.description)} {wait_in_words(error.retry_after)}"
    return Trouble(status=429, message=message, retry_after=error.retry_after)


def retry_after(wait: timedelta) -> tuple[str, str]:
    """The header that says how long to wait. Source: RFC 9110 §10.2.3."""
    return "Retry-After", str(max(1, ceil(wait.total_seconds())))


def wait_in_words(wait: timedelta, catalogue: NullTranslations | None = None) -> str:
    """How long to wait, in seconds up to a minute and a half, then in minutes.

    Args:
        wait: a length of time.
        catalogue: default: that of the page's language.
    """
    ngettext = (catalogue or texts()).ngettext
    seconds = max(1, ceil(wait.total_seconds()))
    if seconds <= _MINUTE + _MINUTE // 2:
        text = ngettext("Try again in %(num)s second.", "Try again in %(num)s seconds.", seconds)
        return text % {"num": seconds}
    minutes = ceil(seconds / _MINUTE)
    text = ngettext("Try again in %(num)s minute.", "Try again in %(num)s minutes.", minutes)
    return text % {"num": minutes}
