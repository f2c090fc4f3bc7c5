"""The language of pages: what the application asks for, else what the browser prefers.

Texts go through gettext; the catalogues live in ``idp/web/translations``. English is the
language of the source and needs none.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from gettext import NullTranslations
from itertools import islice
from pathlib import Path
from typing import Any, cast

from babel import Locale, UnknownLocaleError
from babel.support import Translations
from flask import Flask, current_app, g, has_request_context, request

from idp.settings import Settings

FOLDER = Path(__file__).resolve().parents[1] / "translations"
SOURCE_LANGUAGE = "en"

_EXTENSION = "idp.locales"
_MAX_WISHES = 10


def prepare_translations(app: Flask, settings: Settings) -> None:
    """Teach the templates ``_()`` and ``translated()``, and note which languages there are."""
    found = sorted(path.parts[-3] for path in FOLDER.glob("*/LC_MESSAGES/messages.mo"))
    default = settings.pages.default_locale.replace("-", "_")
    app.extensions[_EXTENSION] = tuple(dict.fromkeys((default, SOURCE_LANGUAGE, *found)))
    app.jinja_env.add_extension("jinja2.ext.i18n")
    install = cast("Any", app.jinja_env).install_gettext_callables
    install(gettext, ngettext, newstyle=True)
    # Security: `_()` and trans mark their text as HTML and read % in it. Texts that come in a variable, some
    # of them from registrations, go through here instead and are escaped (row K2).
    app.jinja_env.globals["translated"] = gettext


def choose_language(ui_locales: Iterable[str] = ()) -> None:
    """Fix the language of the current page.

    Args:
        ui_locales: the application's wishes; unknown languages are passed over.
            Source: OpenID Connect Core §3.1.2.1.
    """
    available = cast("tuple[str, ...]", current_app.extensions[_EXTENSION])
    accepted = (tag for tag, _quality in request.accept_languages)
    g.language = best_language([*islice(ui_locales, _MAX_WISHES), *islice(accepted, _MAX_WISHES)], available)


def best_language(wishes: Sequence[str], available: Sequence[str]) -> str:
    """The first wish that can be met, a regional one by its language too; else the default."""
    for wish in wishes:
        tag = wish.replace("-", "_")
        for candidate in (tag, tag.partition("_")[0]):
            for language in available:
                if language.lower() == candidate.lower():
                    return language
    return available[0]


def language() -> str:
    """The language of the current page, as a catalogue is named (``pt_BR``)."""
    return cast("str", g.get("language", SOURCE_LANGUAGE)) if has_request_context() else SOURCE_LANGUAGE


def html_language() -> tuple[str, str]:
    """The values of ``lang`` and ``dir`` for the page."""
    name = language()
    try:
        direction = Locale.parse(name).text_direction
    except (UnknownLocaleError, ValueError):
        direction = "ltr"
    return name.replace("_", "-"), direction


def gettext(message: str) -> str:
    """A text in the language of the current page."""
    return _catalogue(language()).gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """A text that depends on a number, in the language of the current page."""
    return _catalogue(language()).ngettext(singular, plural, number)


@lru_cache(maxsize=64)
def _catalogue(name: str) -> NullTranslations:
    return Translations.load(FOLDER, [name])
