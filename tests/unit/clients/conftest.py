import pytest

from idp.crypto import Secret
from idp.storage import ChangeFeed, Database, plain_session, repositories
from idp.storage.change_sources import create_change_source

SECRET_KEY = Secret(b"c" * 32)


@pytest.fixture
def secret_key():
    return SECRET_KEY


@pytest.fixture
def feed(database_settings, clock):
    made = ChangeFeed(create_change_source(database_settings), clock)
    yield made
    made.stop()


@pytest.fixture
def own_database(database):
    """A database on a session of its own, as directories need it."""
    return Database(database.engine, plain_session(database.engine))


@pytest.fixture
def own_repos(own_database):
    return repositories(own_database.session)
