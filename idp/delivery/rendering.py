"""From a template and its values to the words of a message.

There is one template for each mail, and each is rendered twice: for ``mail/layout.txt`` and for
``mail/layout.html``, with the pieces of ``mail/parts.txt`` and ``mail/parts.html``. So text and HTML
say the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from idp.delivery.message import Message
from idp.languages import (
    available_languages,
    best_language,
    catalogue,
    date_and_time,
    text_direction,
)
from idp.shipped import find_templates

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*(?:/[a-z][a-z0-9_]*)?")
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DIRECTION_OVERRIDES: Final = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_EMPTY_LINES: Final = re.compile(r"\n{3,}")
_LONGEST_VALUE: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A mail in words."""

    subject: str
    """One line."""
    text: str
    html: str
    language: str
    """Tag for ``Content-Language``."""


class Renderer:
    """Renders messages; safe to share between threads.

    Args:
        issuer: every link in a message begins with it (row V2).
        brand_name: who the message is from.
        default_locale: language of people whose own is not there.
    """

    def __init__(self, *, issuer: str, brand_name: str, default_locale: str) -> None:
        self._issuer = issuer
        self._brand_name = brand_name
        self._languages = available_languages(default_locale)
        self._environments: dict[tuple[str, str], Environment] = {}

    def mail(self, message: Message) -> Rendered:
        """The subject, the text and the HTML of a mail.

        Raises:
            ValueError: a link leads elsewhere; the template has another name than templates have.
            TemplateError: there is no such template, or a value is missing.
        """
        language = self._language(message.locale)
        values = self._values(message.values)
        return Rendered(
            subject=_one_line(self._render("txt", language, message.template, values, part="subject")),
            text=_text(self._render("txt", language, message.template, values)),
            html=self._render("html", language, message.template, values),
            language=language.replace("_", "-"),
        )

    def sms(self, template: str, locale: str, values: Mapping[str, Any]) -> str:
        """The text of an SMS.

        Raises:
            ValueError, TemplateError: as :meth:`mail`.
        """
        language = self._language(locale)
        found = self._environment("txt", language).get_template(f"sms/{_checked(template)}.txt")
        return found.render(**self._values(values), brand_name=self._brand_name).strip()

    def _render(
        self, form: str, language: str, template: str, values: Mapping[str, Any], *, part: str | None = None
    ) -> str:
        found = self._environment(form, language).get_template(f"mail/{_checked(template)}.jinja")
        zone = values.get("zone")
        context = {
            **values,
            "layout": f"mail/layout.{form}",
            "parts": f"mail/parts.{form}",
            "brand_name": self._brand_name,
            "issuer": self._issuer,
            "language": language.replace("_", "-"),
            "direction": text_direction(language),
            "moment": lambda text: date_and_time(datetime.fromisoformat(text), language, zone),
        }
        if part is None:
            return found.render(context)
        # A page has its title inside; a mail has its subject apart.
        return "".join(found.blocks[part](found.new_context(context)))

    def _language(self, locale: str) -> str:
        return best_language([locale], self._languages)

    def _environment(self, form: str, language: str) -> Environment:
        """Jinja decides on escaping when it compiles, so there is an environment for each form."""
        key = (form, language)
        if key not in self._environments:
            made = Environment(
                loader=FileSystemLoader(find_templates()),
                autoescape=form == "html",  # noqa: S701 - off for text alone
                undefined=StrictUndefined,
                trim_blocks=True,
                lstrip_blocks=True,
                extensions=["jinja2.ext.i18n"],
                auto_reload=False,
            )
            texts = catalogue(language)
            cast("Any", made).install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)
            self._environments[key] = made
        return self._environments[key]

    def _values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values, harmless in every place of a message.

        Security: a name with line breaks would write paragraphs of its own into a mail from us, and a
        link elsewhere would be ours to the reader (row V2).
        """
        for name, value in values.items():
            is_link = name == "link" or name.endswith("_link")
            if (
                is_link
                and value is not None
                and not str(value).startswith((f"{self._issuer}/", f"{self._issuer}?"))
            ):
                raise ValueError(f"the link in {name} does not begin with the issuer")
        return {name: _one_line(value) if isinstance(value, str) else value for name, value in values.items()}


def _checked(template: str) -> str:
    if not _NAME.fullmatch(template):
        raise ValueError(f"{template!r} cannot be the name of a template")
    return template


def _one_line(text: str) -> str:
    plain = _DIRECTION_OVERRIDES.sub("", _BREAKS.sub(" ", text))
    return " ".join(plain.split())[:_LONGEST_VALUE]


def _text(text: str) -> str:
    return _EMPTY_LINES.sub("\n\n", text).strip() + "\n"
