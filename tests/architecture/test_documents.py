"""The documents speak of what is there: every file they name exists, every link leads somewhere."""

import re
from pathlib import Path

import pytest

from idp.clients.metadata import FIELDS
from idp.federation import FIELDS as PROVIDER_FIELDS
from tests.architecture.sources import ROOT

DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("examples/*.md")),
    *sorted(ROOT.glob("deploy/**/*.md")),
]

# Folders of ours; what stands behind one of them in a document is a path from the root.
_NAMED = re.compile(r"(?<![\w/.-])((?:idp|tests|docs|templates|migrations|examples|deploy)/[\w./*-]*)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


@each_document
def test_every_file_a_document_names_exists(path: Path) -> None:
    named = {match.rstrip("./-") for match in _NAMED.findall(path.read_text(encoding="utf-8"))}
    missing = sorted(name for name in named if "*" not in name and not _is_there(name))

    assert missing == []


@each_document
def test_every_link_leads_somewhere(path: Path) -> None:
    text = _FENCED.sub("", path.read_text(encoding="utf-8"))
    broken = [link for link in _LINK.findall(text) if "://" not in link and not _resolves(path, link)]

    assert broken == []


def test_every_member_of_client_metadata_is_documented_with_its_default() -> None:
    """docs/clients.md, table of the metadata: the members of FIELDS in their order, with their defaults."""
    text = (ROOT / "docs/clients.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", text, re.MULTILINE)

    assert [name for name, _ in rows] == list(FIELDS)
    for name, shown in rows:
        default = FIELDS[name][1]
        # What has no default of its own follows from other members, and the table says how.
        assert default is None or shown.strip() == _written(default), name


def test_every_member_of_a_provider_is_documented_with_its_default() -> None:
    """docs/providers.md, table of the members: those of FIELDS in their order, with their defaults."""
    text = (ROOT / "docs/providers.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", text, re.MULTILINE)

    assert [name for name, _ in rows] == list(PROVIDER_FIELDS)
    for name, shown in rows:
        default = PROVIDER_FIELDS[name][1]
        # What has no default of its own follows from the preset, or from other members.
        said_otherwise = default is None or name in {"scopes", "authorization_origins"}
        assert said_otherwise or shown.strip() == _written([] if default == {} else default), name


def test_the_tests_that_show_a_statement_quote_it() -> None:
    """docs/security.md: whoever follows a row to a test finds the row named there."""
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    rows = {row[1]: row[0] for row in re.finditer(r"^\| ([A-Z]\d+) \|.*$", text, re.MULTILINE)}
    silent = {
        name
        for name, row in rows.items()
        for file in re.findall(r"`(tests/[\w/]+\.py)`", row)
        if not re.search(rf"\b{name}\b", (ROOT / file).read_text(encoding="utf-8"))
    }

    assert rows
    assert all("`tests/" in row for row in rows.values())
    assert silent <= _SHOWN_WITHOUT_A_WORD


_SHOWN_WITHOUT_A_WORD = frozenset({"X17"})  # the lock files' tests speak of packages, not of rows


def test_every_decision_is_in_the_index() -> None:
    """docs/decisions/README.md names each page once, and no number is used twice."""
    pages = sorted(path.name for path in ROOT.glob("docs/decisions/[0-9]*.md"))
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")

    assert sorted(link for link in _LINK.findall(index) if "/" not in link) == pages
    assert len({name[:4] for name in pages}) == len(pages)


def _is_there(name: str) -> bool:
    return (ROOT / name).exists() or name in _MADE_LATER


_MADE_LATER = frozenset(
    {
        "deploy/secrets/postgresql_password",  # by deploy/prepare
        "tests/node/node_modules",  # by make test
    }
)


def _resolves(document: Path, link: str) -> bool:
    target, _, fragment = link.partition("#")
    path = (document.parent / target).resolve() if target else document
    if not path.exists():
        return False
    if not fragment:
        return True
    headings = _HEADING.findall(path.read_text(encoding="utf-8"))
    return fragment in {_anchor(heading) for heading in headings}


def _anchor(heading: str) -> str:
    """The fragment that common renderers give a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")


def _written(default: object) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, list):
        return ", ".join(f"`{value}`" for value in default) or "none"
    return f"`{default}`"
