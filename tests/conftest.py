"""Databases for the tests: freshly migrated, one kind or both.

``database_settings`` runs a test on SQLite and on PostgreSQL; ``sqlite_settings`` and ``postgresql_settings``
give one of them. What stands on them: ``database``, ``repos``, ``own_database``, ``own_repos`` and ``feed``.
"""

import shutil
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from idp.clock import FixedClock
from idp.settings import DatabaseSettings, SecretUrl
from idp.storage import (
    ChangeFeed,
    Database,
    Repositories,
    create_change_source,
    create_engine,
    plain_session,
    repositories,
)
from idp.storage.migrations import upgrade
from tests.databases import BOTH_DATABASES, new_postgresql_database
from tests.serving import choose_way

pytest_plugins = ("tests.bench",)  # the providers of protocol, pages, journeys and properties


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--served", action="store_true", help="reach every provider through a granian server")


def pytest_configure(config: pytest.Config) -> None:
    choose_way(served=bool(config.getoption("--served")))


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture
def clock(now: datetime) -> FixedClock:
    return FixedClock(now)


@pytest.fixture(scope="session")
def _migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite3"
    upgrade(DatabaseSettings(url=SecretUrl(f"sqlite:///{path}")))
    return path


@pytest.fixture(scope="session")
def _migrated_postgresql_url() -> Iterator[str]:
    """A migrated database of this test process; emptied after each test that used it."""
    with new_postgresql_database() as url:
        upgrade(DatabaseSettings(url=SecretUrl(url)))
        yield url


@pytest.fixture
def sqlite_settings(_migrated_sqlite_file: Path, tmp_path: Path) -> DatabaseSettings:
    path = tmp_path / "idp.sqlite3"
    shutil.copyfile(_migrated_sqlite_file, path)
    return DatabaseSettings(url=SecretUrl(f"sqlite:///{path}"))


@pytest.fixture
def postgresql_settings(_migrated_postgresql_url: str) -> Iterator[DatabaseSettings]:
    yield DatabaseSettings(url=SecretUrl(_migrated_postgresql_url))
    with psycopg.connect(_migrated_postgresql_url) as connection:
        connection.execute(_empty_every_table(connection))


def _empty_every_table(connection: psycopg.Connection) -> bytes:
    """Many statements in one text, for one question to the server. Cheaper than TRUNCATE for few rows."""
    tables = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    ).fetchall()
    # Every foreign key cascades, so any order will do.
    statements = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for (table,) in tables]
    return sql.SQL("; ").join(statements).as_bytes(connection)


@pytest.fixture(params=BOTH_DATABASES)
def database_settings(request: pytest.FixtureRequest) -> DatabaseSettings:
    settings: DatabaseSettings = request.getfixturevalue(f"{request.param}_settings")
    return settings


@pytest.fixture
def database(database_settings: DatabaseSettings) -> Iterator[Database]:
    engine = create_engine(database_settings)
    opened = Database(engine, plain_session(engine))
    yield opened
    opened.dispose()


@pytest.fixture
def repos(database: Database) -> Repositories:
    return repositories(database.session)


@pytest.fixture
def own_database(database: Database) -> Database:
    """A database on a session of its own, as directories need it."""
    return Database(database.engine, plain_session(database.engine))


@pytest.fixture
def own_repos(own_database: Database) -> Repositories:
    return repositories(own_database.session)


@pytest.fixture
def feed(database_settings: DatabaseSettings, clock: FixedClock) -> Iterator[ChangeFeed]:
    made = ChangeFeed(create_change_source(database_settings), clock)
    yield made
    made.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Captured output travels between processes as UTF-8: halves of surrogate pairs are written out."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report
