"""What is shipped: templates and migrations live at the top of the repository and inside the wheel."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT


def _build(target: str, source: Path, into: Path) -> Path:
    """Build with the installed hatchling: no network, no isolation."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(into)]
    result = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return next(path for path in into.iterdir() if path.suffix in {".whl", ".gz"})


def _files_below(name: str) -> set[str]:
    paths = (path for path in (ROOT / name).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(ROOT).as_posix() for path in paths}


@pytest.fixture(scope="module")
def source_distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = _build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", folder], check=True)
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def wheel_names(source_distribution: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Built from the source distribution, as an index or a distributor would."""
    with zipfile.ZipFile(_build("wheel", source_distribution, tmp_path_factory.mktemp("wheel"))) as wheel:
        return set(wheel.namelist())


@pytest.mark.parametrize("folder", ["templates", "migrations"])
def test_the_wheel_carries_the_top_level_folders(folder: str, wheel_names: set[str]) -> None:
    expected = _files_below(folder)

    assert expected
    assert {f"idp/_data/{name}" for name in expected} <= wheel_names


def test_the_wheel_carries_the_package_and_nothing_else(wheel_names: set[str]) -> None:
    package = {name for name in wheel_names if not name.startswith("idp-")}

    assert _files_below("idp") == {name for name in package if not name.startswith("idp/_data/")}
    assert {name.split("/")[0] for name in package} == {"idp"}


def test_the_source_distribution_carries_no_secrets_and_no_data(source_distribution: Path) -> None:
    top = {path.name for path in source_distribution.iterdir()}
    keys = source_distribution / "keys"

    assert {"idp", "templates", "migrations", "tests", "LICENSE", "README.md", "pyproject.toml"} <= top
    assert not top & {"var", ".venv", "idp.toml"}
    assert [path.name for path in keys.iterdir()] == ["README.md"]
