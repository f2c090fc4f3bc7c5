"""The catalogues of translations: texts are collected from the sources, and catalogues brought up to date.

``python -m tests.catalogues`` (``make messages``) does both, compiles what is complete, and says what is not.
``python -m tests.catalogues fr`` begins a language.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "idp/translations"

# What a text stands in: a call of gettext, a mark where it is defined, or an error that a page shows.
_CALLS = ("_", "gettext", "marked")
_ERRORS = ("Conflict", "Invalid", "NotFound", "Refused", "ShownError", "Unavailable")
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "ngettext": (1, 2),
    **dict.fromkeys((*_CALLS, *_ERRORS), None),
}


def collected() -> Catalog:
    """Every text that a person may read, from code and templates."""
    with (FOLDER / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    template = Catalog(project="idp", charset="utf-8")
    found = sorted(
        (name, line, text)
        for name, line, text, _comments, _context in extract_from_dir(
            ROOT, methods, options, KEYWORDS, directory_filter=_is_ours
        )
        if any(text if isinstance(text, tuple) else (text,))
    )
    for name, _line, text in found:
        template.add(text, locations=[(name, 0)])
    return template


def _is_ours(directory: str) -> bool:
    inside = Path(directory).relative_to(ROOT).parts
    return not inside or (inside[0] in {"idp", "templates"} and "__pycache__" not in inside)


def languages() -> list[str]:
    """The languages that have a catalogue."""
    return sorted(path.parts[-3] for path in FOLDER.glob("*/LC_MESSAGES/messages.po"))


def catalogue(language: str) -> Catalog:
    """The catalogue of a language as it is."""
    path = _path(language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


class _WithoutDates(Catalog):
    """A catalogue whose head says what gettext needs: the same texts give the same bytes at any time."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        kind = "text/plain; charset=utf-8"
        return [("Content-Type", kind), ("Plural-Forms", self.plural_forms)]

    @mime_headers.setter
    def mime_headers(self, headers: list[tuple[str, str]]) -> None:
        """Reading sets what is not kept."""


def compiled(source: Catalog) -> bytes:
    """A catalogue as the server reads it."""
    made = _WithoutDates(locale=source.locale, charset="utf-8", fuzzy=False)
    made._num_plurals, made._plural_expr = source.num_plurals, source.plural_expr  # noqa: SLF001 - no other way
    for message in texts(source):
        made.add(message.id, message.string)
    into = io.BytesIO()
    write_mo(into, made)
    return into.getvalue()


def texts(source: Catalog) -> Iterator[Message]:
    """The messages of a catalogue without its head."""
    return (message for message in source if message.id)


def update(language: str, template: Catalog) -> list[str]:
    """Bring one catalogue up to date and compile it; the texts it lacks."""
    path = _path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = catalogue(language) if path.exists() else Catalog(locale=language, charset="utf-8")
    made = Catalog(locale=language, charset="utf-8", project="idp", fuzzy=False)
    missing = []
    for wanted in texts(template):
        had = kept.get(wanted.id)
        string = had.string if had is not None and not had.fuzzy else ""
        if isinstance(wanted.id, tuple) and not isinstance(string, tuple):
            string = ("",) * kept.num_plurals
        made.add(wanted.id, string, locations=[(name, None) for name, _ in wanted.locations])
        if not (all(string) if isinstance(string, tuple) else string):
            missing.append(wanted.id[0] if isinstance(wanted.id, tuple) else wanted.id)
    into = io.BytesIO()
    write_po(into, made, width=110, omit_header=True)
    # As it stands there: Babel's own rule for Arabic has the forms in another order than translators do.
    path.write_bytes(_HEAD % (language.encode(), kept.plural_forms.encode()) + into.getvalue())
    path.with_suffix(".mo").write_bytes(compiled(catalogue(language)))
    return missing


_HEAD = b"""\
# Made by `make messages`; docs/languages.md says how to work on it.
msgid ""
msgstr ""
"Language: %s\\n"
"Plural-Forms: %s\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def _path(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


def main(wanted: list[str]) -> None:
    """Bring all catalogues up to date, and begin those that are named."""
    template = collected()
    for language in sorted({*languages(), *wanted}):
        missing = update(language, template)
        print(f"{language}: {len(missing)} of {len(template)} texts are not translated yet")
        for text in missing[:20]:
            print(f"    {text[:100]!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
