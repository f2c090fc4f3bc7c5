"""The language of pages: what the application asks for, else what the browser prefers.

Texts go through gettext; the catalogues live in ``idp/web/translations``. English is the
language of the source and needs none.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from gettext import NullTranslations, translation
from itertools import islice
from pathlib import Path
from typing import Any, cast

from flask import Flask, current_app, g, has_request_context, request
from markupsafe import Markup
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from idp.settings import Settings

FOLDER = Path(__file__).resolve().parents[1] / "translations"
SOURCE_LANGUAGE = "en"

# Babel knows it too, but its data about all languages are 4 MiB in each worker for this alone.
_RIGHT_TO_LEFT = frozenset(
    "apc ar bal bgn ckb dv fa he ks lrc mzn nqo ps rhg sd sdh skr syr trw ug ur yi".split()  # noqa: SIM905
)
"""Languages written from right to left unless a script is named. Source: Unicode CLDR, ``characterOrder``."""
_SCRIPTS_RIGHT_TO_LEFT = frozenset({"Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"})

_EXTENSION = "idp.locales"
_MAX_WISHES = 10
_LONGEST_REMEMBERED = 200
"""Characters of an ``Accept-Language`` header whose meaning is remembered; browsers send fewer."""


def prepare_translations(app: Flask, settings: Settings) -> None:
    """Teach the templates ``_()`` and ``translated()``, and note which languages there are."""
    found = sorted(path.parts[-3] for path in FOLDER.glob("*/LC_MESSAGES/messages.mo"))
    default = settings.pages.default_locale.replace("-", "_")
    app.extensions[_EXTENSION] = tuple(dict.fromkeys((default, SOURCE_LANGUAGE, *found)))
    app.jinja_env.add_extension("jinja2.ext.i18n")
    install = cast("Any", app.jinja_env).install_gettext_callables
    install(gettext, ngettext, newstyle=True)
    # Jinja's wrapper makes a new template context for each text, a quarter of a page's time; ours
    # needs none, because only the language of the page decides.
    app.jinja_env.globals["gettext"] = _template_text
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
    wishes = [*islice(ui_locales, _MAX_WISHES), *_accepted(request.environ.get("HTTP_ACCEPT_LANGUAGE", ""))]
    g.language = best_language(wishes, available)


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
    return _html_language(language())


def gettext(message: str) -> str:
    """A text in the language of the current page."""
    return _catalogue(language()).gettext(message)


def ngettext(singular: str, plural: str, number: int) -> str:
    """A text that depends on a number, in the language of the current page."""
    return _catalogue(language()).ngettext(singular, plural, number)


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


def text_direction(name: str) -> str:
    """``ltr`` or ``rtl``, for a language with or without script and region: ``pt_BR``, ``az_Arab``."""
    spoken, *rest = name.split("_")
    scripts = [part for part in rest if len(part) == 4]  # noqa: PLR2004 - a script's length (RFC 5646 §2.2.3)
    is_rtl = scripts[0] in _SCRIPTS_RIGHT_TO_LEFT if scripts else spoken in _RIGHT_TO_LEFT
    return "rtl" if is_rtl else "ltr"


@lru_cache(maxsize=4096)
def _markup(name: str, message: str) -> Markup:
    """A text of a template in a language; both are known to be few."""
    return Markup(_catalogue(name).gettext(message))  # noqa: S704 - from our own templates and catalogues


@lru_cache(maxsize=64)
def _catalogue(name: str) -> NullTranslations:
    return translation("messages", FOLDER, [name], fallback=True)
