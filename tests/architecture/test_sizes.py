"""Small files, small functions, one clock (docs/architecture.md, size budget)."""

import ast

import pytest

from tests.architecture.sources import Source, lines_of, sources

FILE_LIMIT = 400
FUNCTION_LIMIT = 60

# What asks the machine for the time of day; monotonic clocks measure spans and are free.
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "today"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}

each_file = pytest.mark.parametrize("source", sources(), ids=lambda source: source.name)


@each_file
def test_a_file_stays_under_the_limit(source: Source) -> None:
    assert len(source.text.splitlines()) < FILE_LIMIT


@each_file
def test_a_function_stays_under_the_limit(source: Source) -> None:
    lengths = {f"{source.name}:{node.lineno} {node.name}": lines_of(node) for node in source.functions()}

    assert {name: length for name, length in lengths.items() if length >= FUNCTION_LIMIT} == {}


@each_file
def test_only_the_clock_asks_for_the_time(source: Source) -> None:
    """Time is an argument; a rule that asks the machine cannot be tested at another hour."""
    if source.name == "idp/clock.py":
        return
    asked = [
        f"{source.name}:{node.lineno}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and (_last_name(node.value), node.attr) in CLOCKS
    ]

    assert asked == []


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
