"""The back channel as a fixture."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.oauth_token.backchannel import BackChannel, make_template


@pytest.fixture(scope="session")
def database_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def back(tmp_path: Path, database_template: Path) -> Iterator[BackChannel]:
    channel = BackChannel(tmp_path, database_template)
    channel.client()
    yield channel
    channel.close()
