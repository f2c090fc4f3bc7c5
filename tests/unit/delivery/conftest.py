"""Messages on a database of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from idp.clock import FixedClock
from idp.settings import DatabaseSettings
from idp.storage import Database, create_engine, plain_session, repositories
from tests.mail_server import Certificates
from tests.post import Post


@pytest.fixture
def make_post(
    tmp_path: Path, sqlite_settings: DatabaseSettings, clock: FixedClock
) -> Iterator[Callable[..., Post]]:
    engine = create_engine(sqlite_settings)
    database = Database(engine, plain_session(engine))

    def make(**sections: Any) -> Post:
        return Post(tmp_path, database, repositories(database.session), clock, **sections)

    yield make
    database.dispose()


@pytest.fixture
def post(make_post: Callable[..., Post]) -> Post:
    return make_post()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))
