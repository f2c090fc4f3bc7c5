"""The vocabulary is closed, documented, and its page is current."""

import ast
import re
from pathlib import Path

import pytest

from idp.audit import AuditEvent, describe_events, reference_markdown

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "audit-events.md"
SECRETS = re.compile(r"password|token$|code$|secret$|cookie|verifier")


def test_every_event_is_described():
    described = describe_events()

    assert [entry.event for entry in described] == list(AuditEvent)
    assert all(entry.meaning and entry.detail for entry in described)


@pytest.mark.parametrize("event", AuditEvent)
def test_names_are_subject_object_action(event):
    assert re.fullmatch(r"[a-z]+(\.[a-z]+){1,2}", event.value)


def test_page_is_current():
    assert PAGE.read_text() == reference_markdown(), (
        "run: python -m idp.audit.reference > docs/audit-events.md"
    )


def test_no_event_has_a_field_for_a_secret():
    """X10. ``secret`` of a rotation is the name of its row."""
    fields = {field for entry in describe_events() for field in entry.fields}

    assert {field for field in fields if SECRETS.search(field)} == {"secret"}


def test_code_records_only_the_documented_fields():
    """Convention 12: a detail written out beside its event has the docstring's fields."""
    documented = {entry.event.name: entry.fields for entry in describe_events()}
    undocumented = [
        f"{path.relative_to(ROOT)}:{line} {event}: {', '.join(sorted(unknown))}"
        for path in sorted((ROOT / "idp").rglob("*.py"))
        for line, event, fields in _recorded(ast.parse(path.read_text()))
        if (unknown := fields - documented.get(event, frozenset()))
    ]

    assert not undocumented, undocumented


def _recorded(module):
    """Calls with an event and a ``detail`` written out as a dictionary."""
    for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
        events = [a.attr for a in call.args if isinstance(a, ast.Attribute) and _is_vocabulary(a.value)]
        details = [k.value for k in call.keywords if k.arg == "detail" and isinstance(k.value, ast.Dict)]
        for event, detail in zip(events, details, strict=False):
            names = {key.value for key in detail.keys if isinstance(key, ast.Constant)}
            yield call.lineno, event, names


def _is_vocabulary(node):
    return isinstance(node, ast.Name) and node.id == "AuditEvent"
