"""Every language says everything, with the same placeholders; the server reads what translators wrote."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from tests.architecture.sources import ROOT
from tests.catalogues import FOLDER, catalogue, collected, compiled, languages, texts

_PLACEHOLDER = re.compile(r"%\((\w+)\)s|%(?!%)\w|%%")
_TAG = re.compile(r"</?\w+[^>]*>")

each_language = pytest.mark.parametrize("language", languages())


@cache
def sources() -> Catalog:
    return collected()


@cache
def translated(language: str) -> Catalog:
    return catalogue(language)


def _forms(message: Message) -> list[tuple[str, str]]:
    """Each translation of a message beside the text it has to agree with."""
    if isinstance(message.id, tuple):
        return [(message.id[1], string) for string in message.string]
    return [(message.id, message.string)]


def test_there_are_german_and_a_language_from_right_to_left() -> None:
    assert {"ar", "de"} <= set(languages())


@each_language
def test_a_catalogue_has_every_text_and_no_other(language: str) -> None:
    """`make messages` brings the catalogues up to date; docs/languages.md says how to go on."""
    wanted = {message.id for message in texts(sources())}
    there = {message.id for message in texts(translated(language))}

    assert wanted - there == set()
    assert there - wanted == set()


@each_language
def test_every_text_is_translated_and_none_is_a_guess(language: str) -> None:
    empty = [message.id for message in texts(translated(language)) if not all(s for _, s in _forms(message))]
    fuzzy = [message.id for message in texts(translated(language)) if message.fuzzy]

    assert empty == []
    assert fuzzy == []
    assert list(translated(language).obsolete) == []


@each_language
def test_placeholders_and_elements_are_those_of_the_source(language: str) -> None:
    """A missing name stops the page; an element more would be HTML of the translator's."""
    wrong = [
        (source, string)
        for message in texts(translated(language))
        for source, string in _forms(message)
        if not _agree(source, string, is_plural=isinstance(message.id, tuple))
    ]

    assert wrong == []


def _agree(source: str, string: str, *, is_plural: bool) -> bool:
    wanted, given = set(_PLACEHOLDER.findall(source)), set(_PLACEHOLDER.findall(string))
    # "one day" needs no number.
    fits = given <= wanted if is_plural else given == wanted
    return fits and sorted(_TAG.findall(source)) == sorted(_TAG.findall(string))


@each_language
def test_a_text_ends_as_its_source_does(language: str) -> None:
    """A sentence stays a sentence, and a label stays a label."""
    ends = str.maketrans("؟،", "?,")
    wrong = [
        (source, string)
        for message in texts(translated(language))
        for source, string in _forms(message)
        if (source[-1] in ".:?,") != (string.translate(ends)[-1] in ".:?,")
    ]

    assert wrong == []


@each_language
def test_what_the_server_reads_is_what_the_translators_wrote(language: str) -> None:
    """The compiled catalogue is committed beside its source, so that nothing has to be built."""
    stored = (FOLDER / language / "LC_MESSAGES" / "messages.mo").read_bytes()

    assert stored == compiled(translated(language)), "run `make messages`"


_TRANSLATED = re.compile(r"\{%-?\s*trans\b.*?\{%-?\s*endtrans\s*-?%\}", re.DOTALL)
# A word for the style sheet, and attributes in a macro of their own.
_NOT_READ = re.compile(r"\{% block frame %\}.*?\{% endblock %\}|\bdata-[\w-]+=")
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_UNREAD = re.compile(r"<(style|script)\b.*?</\1>|<!doctype html>", re.DOTALL | re.IGNORECASE)
_READ_ATTRIBUTE = re.compile(r"""\b(?:alt|aria-label|placeholder|title)=(?:"([^"]*)"|'([^']*)')""")
_ELEMENT = re.compile(r"<[^>]*>")
_SAME_EVERYWHERE = {"UTC", "SMS"}

_TEMPLATES = sorted(
    path for path in (ROOT / "templates").rglob("*") if path.suffix in {".html", ".txt", ".jinja"}
)


@pytest.mark.parametrize("path", _TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_no_word_stands_in_a_template_outside_of_the_catalogues(path: Path) -> None:
    bare = _TRANSLATED.sub(" ", _NOT_READ.sub(" ", path.read_text(encoding="utf-8")))
    bare = _UNREAD.sub(" ", _JINJA.sub(" ", bare))
    read = [*(one or other for one, other in _READ_ATTRIBUTE.findall(bare)), _ELEMENT.sub(" ", bare)]
    words = set(re.findall(r"[A-Za-z]{2,}", " ".join(read)))

    assert words <= _SAME_EVERYWHERE
