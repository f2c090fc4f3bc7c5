"""The language of pages: what the application asks for, else what the browser prefers."""

from collections.abc import Iterable
from functools import lru_cache
from gettext import NullTranslations
from itertools import islice
from typing import Any, cast

from flask import Flask, current_app, g, has_request_context, request
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from idp.languages import SOURCE_LANGUAGE, available_languages, best_language, catalogue, text_direction
from idp.settings import Settings

_EXTENSION = "idp.locales"
_MAX_WISHES = 10
_LONGEST_REMEMBERED = 200
"""Characters of an ``Accept-Language`` header whose meaning is remembered; browsers send fewer."""


def prepare_translations(app: Flask, settings: Settings) -> None:
    """Teach the templates ``_()`` and ``translated()``, and note which languages there are."""
    app.extensions[_EXTENSION] = available_languages(settings.pages.default_locale)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    install = cast("Any", app.jinja_env).install_gettext_callables
    install(gettext, ngettext, newstyle=True)
    # Jinja's wrapper makes a new template context for each text, a quarter of a page's time; ours
    # needs none, because only the language of the page decides.
    app.jinja_env.globals["gettext"] = _template_text
    # Security: `_()` and trans mark their text as HTML and read % in it. Texts that come in a variable, some
    # of them from registrations, go through here instead and are escaped (row K2).
    app.jinja_env.globals["translated"] = gettext
    app.jinja_env.filters["isolated"] = _isolated


def choose_language(ui_locales: Iterable[str] = ()) -> None:
    """Fix the language of the current page.

    Args:
        ui_locales: the application's wishes; unknown languages are passed over.
            Source: OpenID Connect Core §3.1.2.1.
    """
    wishes = [
        *islice(ui_locales, _MAX_WISHES),
        *g.get("own_languages", ()),
        *_accepted(request.environ.get("HTTP_ACCEPT_LANGUAGE", "")),
    ]
    g.language = best_language(wishes, languages())


def browser_language(app: Flask, header: str) -> str:
    """The language of a page that is shown before anything else is known of the request.

    Args:
        app: prepared.
        header: ``Accept-Language``.
    """
    return best_language(_accepted(header), app.extensions[_EXTENSION])


def prefer_language(tag: str) -> None:
    """Take the language the person chose for themself before those their browser asks for."""
    g.own_languages = (tag,)
    choose_language()


def languages() -> tuple[str, ...]:
    """Every language pages can have, as catalogues are named; the default first."""
    return cast("tuple[str, ...]", current_app.extensions[_EXTENSION])


def language() -> str:
    """The language of the current page, as a catalogue is named (``pt_BR``)."""
    return cast("str", g.get("language", SOURCE_LANGUAGE)) if has_request_context() else SOURCE_LANGUAGE


def html_language() -> tuple[str, str]:
    """The values of ``lang`` and ``dir`` for the page."""
    return _html_language(language())


def gettext(message: str) -> str:
    """A text in the language of the current page."""
    return texts().gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """A text that depends on a number, in the language of the current page."""
    return texts().ngettext(singular, plural, number)


def texts() -> NullTranslations:
    """The catalogue of the current page's language."""
    return catalogue(language())


def _template_text(message: str, /, **variables: object) -> Markup:
    """What ``_()`` and ``trans`` of a template show: HTML, its variables escaped."""
    text = _markup(language(), message)
    return text % variables if variables else text


def _accepted(header: str) -> tuple[str, ...]:
    """The languages an ``Accept-Language`` header asks for, best first."""
    return _parsed(header) if len(header) <= _LONGEST_REMEMBERED else _parsed.__wrapped__(header)


@lru_cache(maxsize=512)
def _parsed(header: str) -> tuple[str, ...]:
    accepted = parse_accept_header(header, LanguageAccept)
    return tuple(tag for tag, _quality in islice(accepted, _MAX_WISHES))


@lru_cache(maxsize=64)
def _html_language(name: str) -> tuple[str, str]:
    return name.replace("_", "-"), text_direction(name)


@lru_cache(maxsize=4096)
def _markup(name: str, message: str) -> Markup:
    """A text of a template in a language; both are known to be few."""
    return Markup(catalogue(name).gettext(message))  # noqa: S704 - from our own templates and catalogues


def _isolated(text: str) -> Markup:
    """A text that keeps its own direction among words of another, such as a telephone number in Arabic."""
    return Markup("<bdi>{}</bdi>").format(text)
