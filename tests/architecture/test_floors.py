"""Imports go downwards (docs/architecture.md): the contracts of pyproject.toml, and what they cannot say."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.sources import ROOT, sources

LINT = (
    "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True, no_logo=True))"
)

# One file for every contract, which breaks it.
VIOLATIONS = {
    "floors": ("tokens/__init__.py", "from idp import clients"),
    "cycles": ("oauth/first.py", "from idp.oauth import second"),
    "flask": ("keys/__init__.py", "import flask"),
    "flask-sqlalchemy": ("container/__init__.py", "import flask_sqlalchemy"),
    "stores": ("accounts/__init__.py", "from sqlalchemy import select"),
    "authlib": ("web/__init__.py", "from authlib.oauth2 import rfc6749"),
    "jose": ("login/__init__.py", "import joserfc"),
    "credentials": ("login/password.py", "import argon2"),
    "fibers": ("sessions/__init__.py", "import greenlet"),
    "egress": ("jobs/__init__.py", "import urllib3"),
}
HARMLESS = {
    "oauth/second.py": "from idp.oauth import first",
    "clients/__init__.py": "",
    "oauth/__init__.py": "",
}


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-c", LINT], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_contracts_hold() -> None:
    result = _lint_imports(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr


def test_every_contract_can_be_broken(tmp_path: Path) -> None:
    """A contract that no import can break guards nothing."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    files = {"__init__.py": "", "login/__init__.py": "", **HARMLESS, **dict(VIOLATIONS.values())}
    for name, text in files.items():
        path = tmp_path / "idp" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")

    result = _lint_imports(tmp_path)

    assert f"0 kept, {len(VIOLATIONS)} broken" in result.stdout, result.stdout + result.stderr


def _imported_modules(node: ast.AST) -> list[str]:
    """Names of the modules of ``idp`` that a statement imports, files behind a re-exported name excepted."""
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module is not None:
        fronted = _fronted_names(node.module)
        inner = [alias.name for alias in node.names if alias.name not in fronted]
        names = [node.module, *(f"{node.module}.{name}" for name in inner)]
    else:
        names = []
    return [name for name in names if name.startswith("idp.")]


def _fronted_names(module: str) -> set[str]:
    front = ROOT / module.replace(".", "/") / "__init__.py"
    fronts = [source for source in sources() if source.path == front]
    imports = [node for source in fronts for node in source.tree.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name for node in imports for alias in node.names}


def _is_room_file(name: str) -> bool:
    return name.count(".") > 1 and (ROOT / name.replace(".", "/")).with_suffix(".py").is_file()


def test_rooms_import_from_a_room_not_from_its_files() -> None:
    """A room's public names are those imported in its ``__init__.py``."""
    reached_past = [
        f"{source.name} imports {name}"
        for source in sources()
        for node in ast.walk(source.tree)
        for name in _imported_modules(node)
        if _is_room_file(name) and name.split(".")[1] != source.room and source.room != "__main__"
    ]

    assert reached_past == []


def test_no_import_hides_in_a_function_or_a_type_checking_block() -> None:
    """A hidden import is a cycle in waiting."""
    hidden = [
        f"{source.name}:{inner.lineno}"
        for source in sources()
        for outer in ast.walk(source.tree)
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef, ast.If, ast.Try))
        for inner in ast.walk(outer)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    ]

    assert hidden == []
