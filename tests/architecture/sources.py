"""The project's Python files, read and parsed once for the tests of this folder."""

import ast
import functools
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file of ``idp``."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The path as people write it: ``idp/oauth/server.py``."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def room(self) -> str:
        """The first part below ``idp``: ``oauth``, ``clock`` for ``clock.py``; empty for ``idp`` itself."""
        first = self.path.relative_to(ROOT / "idp").parts[0]
        return first.removesuffix(".py").replace("__init__", "")

    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function and method, also inner ones."""
        return [
            node for node in ast.walk(self.tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]


@functools.cache
def sources() -> tuple[Source, ...]:
    """All files of ``idp``, in the order of their paths."""
    paths = sorted((ROOT / "idp").rglob("*.py"))
    texts = [(path, path.read_text(encoding="utf-8")) for path in paths]
    return tuple(Source(path, text, ast.parse(text, str(path))) for path, text in texts)


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Length in lines, from the first decorator to the end, docstring not counted."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    docstring = node.body[0] if ast.get_docstring(node) is not None else None
    return (node.end_lineno or 0) - first + 1 - _height(docstring)


def _height(node: ast.stmt | None) -> int:
    return 0 if node is None else (node.end_lineno or 0) - node.lineno + 1
