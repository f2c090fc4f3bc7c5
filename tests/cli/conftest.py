"""Commands as scripts run them, with settings in the environment."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from idp.cli.main import commands
from idp.storage.migrations import upgrade
from tests.provider import make_settings

Run = Callable[..., Any]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "IDP_DATABASE_URL": f"sqlite:///{tmp_path / 'idp.sqlite3'}",
        "IDP_KEYS_DIR": str(tmp_path / "keys"),
        "IDP_PASSWORDS_ARGON2_MEMORY_KIB": "64",
        "IDP_PASSWORDS_ARGON2_PASSES": "1",
    }


@pytest.fixture
def invoke(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Result]:
    for name in [name for name in os.environ if name.startswith("IDP_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, text: str | bytes = "") -> Result:
        return CliRunner().invoke(commands, arguments, env=environment, input=text)

    return call


@pytest.fixture
def idp(invoke: Callable[..., Result], tmp_path: Path) -> Run:
    """Run a command on a migrated database; its JSON, or the error it ended with."""
    upgrade(make_settings(tmp_path).database)

    def run(*arguments: str, text: str | bytes = "") -> Any:
        result = invoke(*arguments, text=text)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run
