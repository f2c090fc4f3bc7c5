"""Rooms open with their contract, and every public name says what it does."""

import ast

import pytest

from tests.architecture.sources import Source, sources

CONTRACT_LIMIT = 20
ROOMS = [source for source in sources() if source.path.name == "__init__.py" and source.room]

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@pytest.mark.parametrize("source", ROOMS, ids=lambda source: source.name)
def test_a_room_opens_with_a_short_contract(source: Source) -> None:
    """What it owns, what it does not, who calls it, the reading order."""
    contract = ast.get_docstring(source.tree)

    assert contract
    assert len(contract.splitlines()) <= CONTRACT_LIMIT


@pytest.mark.parametrize("source", ROOMS, ids=lambda source: source.name)
def test_a_room_front_holds_imports_only(source: Source) -> None:
    others = [ast.unparse(node) for node in source.tree.body[1:] if not _is_front(node)]

    assert others == []


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.name)
def test_public_names_are_documented(source: Source) -> None:
    silent = [name for name in _public(source.tree, source.name) if name.endswith("()")]

    assert silent == []


def _is_front(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return [ast.unparse(target) for target in node.targets] == ["__all__"]
    return isinstance(node, (ast.Import, ast.ImportFrom))


def _public(node: ast.Module | ast.ClassDef, place: str) -> list[str]:
    """Names below ``place``; those without a docstring end in ``()``."""
    names = []
    for child in node.body:
        if isinstance(child, Documented) and not child.name.startswith("_"):
            name = f"{place}:{child.lineno} {child.name}"
            names.append(name if ast.get_docstring(child) else name + "()")
            if isinstance(child, ast.ClassDef):
                names += _public(child, place)
    return names
