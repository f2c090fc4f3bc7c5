"""The committed locks pin everything by hash and name no host (docs/decisions/0001-dependencies.md)."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.sources import ROOT

LOCKS = sorted(ROOT.glob("requirements*.lock"))
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)(?P<marker> ; [^\\]+)? \\$", re.MULTILINE)


def _pins(path: Path) -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for match in PIN.finditer(path.read_text(encoding="utf-8")):
        pins.setdefault(match["name"], set()).add(match["version"])
    return pins


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _asked_for(*groups: str) -> list[Requirement]:
    project = _project()
    lines = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["demo"]]
    for group in groups:
        lines += [line for line in project["dependency-groups"][group] if isinstance(line, str)]
    return [Requirement(line) for line in lines]


def test_both_locks_are_there() -> None:
    assert [path.name for path in LOCKS] == ["requirements-dev.lock", "requirements.lock"]


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_holds_pins_and_hashes_and_no_address(path: Path) -> None:
    """Neither an index nor a file's address: the machine that installs decides where from."""
    lines = path.read_text(encoding="utf-8").splitlines()
    odd = [
        line
        for line in lines
        if not PIN.match(line) and not re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line)
    ]

    assert odd == []


@pytest.mark.parametrize(
    ("name", "groups"), [("requirements.lock", ["build"]), ("requirements-dev.lock", ["build", "dev"])]
)
def test_a_lock_fits_the_project_file(name: str, groups: list[str]) -> None:
    """A range changed without `make lock` is found here."""
    pins = _pins(ROOT / name)
    unfit = [
        str(requirement)
        for requirement in _asked_for(*groups)
        if not all(map(requirement.specifier.contains, pins.get(canonicalize_name(requirement.name), {"0"})))
    ]

    assert unfit == []


def test_the_tools_do_not_change_what_runs() -> None:
    """Tests run on exactly the versions that are installed in earnest."""
    runtime, tools = _pins(ROOT / "requirements.lock"), _pins(ROOT / "requirements-dev.lock")

    assert {name: tools.get(name) for name in runtime} == runtime


def test_the_node_lock_names_no_registry() -> None:
    lock = json.loads((ROOT / "tests/node/package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}

    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
