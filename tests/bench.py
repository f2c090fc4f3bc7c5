"""An empty provider for every test, on SQLite and on PostgreSQL, with a clock that stands still.

Migrating, making signing keys and starting is slow, so it is done once per test process and database.

    provider                    an empty provider; the same process for all tests, emptied between them
    new_provider(**sections)    started anew on a database of the test's own, with other settings; called
                                twice it gives two nodes on that database
    ada                         the account that signs in by default, holding every standard claim
    shop, kiosk, spa, robot     a confidential client (basic), one by post, a public one, a machine
"""

import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import Connection, MetaData, NullPool, create_engine
from sqlalchemy.engine import make_url

from idp.app import create_app
from idp.clock import FixedClock
from idp.container import Container
from idp.storage.changes import TOPICS
from tests.databases import commit_without_waiting, empty
from tests.provider import START, Client, Provider, make_provider, make_settings
from tests.services import postgresql_url
from tests.serving import choose_way

NewProvider = Callable[..., Provider]

EVERY_CLAIM: dict[str, Any] = {
    "name": "Ada King",
    "given_name": "Ada",
    "family_name": "King",
    "middle_name": "Augusta",
    "nickname": "Enchantress",
    "profile": "https://people.example/ada",
    "picture": "https://people.example/ada.png",
    "website": "https://ada.example/",
    "gender": "female",
    "birthdate": "1815-12-10",
    "zoneinfo": "Europe/London",
    "locale": "en-GB",
    "phone_number": "+44 20 7946 0000",
    "phone_number_verified": True,
    "address": {"street_address": "12 St James's Square", "locality": "London", "country": "UK"},
    "groups": ["staff", "editors"],
}
"""Every claim of OpenID Connect Core §5.1 that is not a column of the account, and groups."""


class SqliteTemplate:
    """A migrated database file with signing keys."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.keys = folder / "keys"
        make_provider(make_settings(folder)).close()

    @contextmanager
    def copy(self, folder: Path) -> Iterator[str]:
        """The address of a copy in this folder."""
        target = folder / "idp.sqlite3"
        shutil.copyfile(self._folder / "idp.sqlite3", target)
        target.chmod(0o600)
        yield f"sqlite:///{target}"

    def close(self) -> None:
        """Nothing to do: the folder is pytest's."""


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """One transaction on a connection that is closed afterwards."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


class PostgresqlTemplate:
    """A migrated database with signing keys, on a server that others use too."""

    def __init__(self, folder: Path, server: str) -> None:
        self._server = server
        self._name = f"idp_test_{os.getpid()}_{secrets.token_hex(4)}"
        self._copies: list[str] = []
        self._idle: list[str] = []
        self.keys = folder / "keys"
        self._run("CREATE DATABASE {}", self._name)
        commit_without_waiting(server, self._name)
        make_provider(make_settings(folder, self._url(self._name))).close()
        self._metadata = MetaData()
        with _connected(self._url(self._name)) as connection:
            self._metadata.reflect(connection)
            found = {
                table: [row._asdict() for row in connection.execute(table.select())]
                for table in self._metadata.sorted_tables
            }
        self._rows = {table: rows for table, rows in found.items() if rows}

    @contextmanager
    def copy(self, folder: Path) -> Iterator[str]:
        """The address of a copy, used again for another test.

        The server writes out everything it holds whenever a database is made or dropped, which takes half a
        second; to empty one takes a fiftieth of that.
        """
        del folder
        name = self._idle.pop() if self._idle else self._new_copy()
        yield self._url(name)
        self._restore(name)
        self._idle.append(name)

    def _new_copy(self) -> str:
        name = f"{self._name}_{len(self._copies) + 1}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, self._name)
        commit_without_waiting(self._server, name)
        self._copies.append(name)
        return name

    def _restore(self, name: str) -> None:
        """Make a copy what the template is."""
        with _connected(self._url(name)) as connection:
            empty(connection, reversed(self._metadata.sorted_tables))
            for table, rows in self._rows.items():
                connection.execute(table.insert(), rows)

    def close(self) -> None:
        """Drop the template and its copies."""
        for name in (*self._copies, self._name):
            self._drop(name)

    def _drop(self, name: str) -> None:
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _url(self, name: str) -> str:
        return self._server.rpartition("/")[0] + f"/{name}"

    def _run(self, statement: str, *names: str) -> None:
        query = sql.SQL(statement).format(*(sql.Identifier(name) for name in names))
        with psycopg.connect(self._server, autocommit=True) as connection:
            for attempt in range(20):
                try:
                    connection.execute(query)
                except psycopg.errors.ObjectInUse:  # the server has not yet noticed a closed connection
                    if attempt == 19:
                        raise
                    time.sleep(0.05)
                else:
                    return


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteTemplate]:
    template = SqliteTemplate(tmp_path_factory.mktemp("sqlite-template"))
    yield template
    template.close()


@pytest.fixture(scope="session")
def postgresql_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresqlTemplate]:
    server = postgresql_url()
    if server is None:
        pytest.skip("NO POSTGRESQL: half of the protocol tests are not run")
    template = PostgresqlTemplate(tmp_path_factory.mktemp("postgresql-template"), server)
    yield template
    template.close()


Template = SqliteTemplate | PostgresqlTemplate


class Bench:
    """One provider for test after test: in between its tables are emptied and its clock is set back.

    Starting a provider takes a fifth of a second, emptying it a fiftieth. Signing keys stay.
    """

    def __init__(self, app: Flask, clock: FixedClock) -> None:
        self._app = app
        self._clock = clock
        self._container: Container = app.extensions["idp"]
        metadata = MetaData()
        metadata.reflect(self._container.database.engine)
        kept = {"alembic_version", "change_counter"}
        self._tables = [table for table in reversed(metadata.sorted_tables) if table.name not in kept]
        self._counters = metadata.tables["change_counter"]
        self._keys = metadata.tables["signing_key"]
        with self._container.database.engine.connect() as connection:
            self._key_rows = [row._asdict() for row in connection.execute(self._keys.select())]

    def provider(self) -> Provider:
        """The provider as it was when it had just been started for the first time."""
        self._clock.advance(START - self._clock.now())
        self._container.issue_counter.flush()
        with self._container.database.engine.begin() as connection:
            empty(connection, self._tables)
            connection.execute(self._keys.insert(), self._key_rows)
            connection.execute(self._counters.update().values(version=self._counters.c.version + 1))
        for folder in (self._container.settings.mail.folder, self._container.settings.sms.folder):
            shutil.rmtree(folder, ignore_errors=True)
        provider = Provider(self._app, self._clock)
        provider.settle()
        return provider


def _bench(template: Template, folder: Path) -> Iterator[Bench]:
    clock = FixedClock(START)
    with template.copy(folder) as url, running(folder, url, template.keys, clock) as provider:
        with provider.container.database.transaction():
            for topic in TOPICS:
                provider.container.repos.changes.bump(topic, START)
        yield Bench(provider.app, clock)


@pytest.fixture(scope="session")
def sqlite_bench(
    sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    yield from _bench(sqlite_template, tmp_path_factory.mktemp("sqlite-bench"))


@pytest.fixture(scope="session")
def postgresql_bench(
    postgresql_template: PostgresqlTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    yield from _bench(postgresql_template, tmp_path_factory.mktemp("postgresql-bench"))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def dialect(request: pytest.FixtureRequest) -> str:
    """The database under test."""
    name: str = request.param
    return name


_BOTH_WAYS = Path(__file__).with_name("protocol")
"""Tests below this folder run in both ways; on SQLite only, since no server changes SQL."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of the protocol without a server and with it, unless they name their way."""
    named = any(mark.args[0] == "way" for mark in metafunc.definition.iter_markers("parametrize"))
    if "way" in metafunc.fixturenames and not named and _BOTH_WAYS in metafunc.definition.path.parents:
        ways = ["served"] if metafunc.config.getoption("--served") else ["direct", "served"]
        metafunc.parametrize("way", ways, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is served on PostgreSQL, unless everything is to be served."""
    if not config.getoption("--served"):
        items[:] = [item for item in items if not _is_served_on_postgresql(item)]


def _is_served_on_postgresql(item: pytest.Item) -> bool:
    parameters = (
        item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    )
    return parameters.get("way") == "served" and parameters.get("dialect") == "postgresql"


@pytest.fixture
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """How the provider under test is reached: "direct", or "served" by granian."""
    default = bool(request.config.getoption("--served"))
    chosen: str = getattr(request, "param", "served" if default else "direct")
    choose_way(served=chosen == "served")
    yield chosen
    choose_way(served=default)


@pytest.fixture
def provider(request: pytest.FixtureRequest, dialect: str, way: str) -> Provider:
    """An empty provider with signing keys, at noon of the first of March."""
    bench: Bench = request.getfixturevalue(f"{dialect}_bench")
    return bench.provider()


@pytest.fixture
def new_provider(
    request: pytest.FixtureRequest, dialect: str, way: str, tmp_path: Path
) -> Iterator[NewProvider]:
    """Makes providers on one database of the test's own; keyword arguments are sections of the settings.

    They share a clock. `provider` is another deployment: use one or the other.
    """
    template: Template = request.getfixturevalue(f"{dialect}_template")
    clock = FixedClock(START)
    with ExitStack() as stack:
        url = stack.enter_context(template.copy(tmp_path))

        def make(**sections: Any) -> Provider:
            return stack.enter_context(running(tmp_path, url, template.keys, clock, **sections))

        yield make


@contextmanager
def running(folder: Path, url: str, keys: Path, clock: FixedClock, **sections: Any) -> Iterator[Provider]:
    """A provider on a database that is ready."""
    settings = make_settings(folder, url, **{"keys": {"dir": keys}, **sections})
    provider = Provider(create_app(settings, clock=clock), clock)
    try:
        provider.settle()
        yield provider
    finally:
        provider.close()


@pytest.fixture
def ada(provider: Provider) -> dict[str, Any]:
    return provider.account("ada", email="ada@example.org", email_verified=True, claims=EVERY_CLAIM)


@pytest.fixture
def shop(provider: Provider, ada: dict[str, Any]) -> Client:
    """A confidential client; its refresh tokens do not rotate."""
    return provider.client("shop")


@pytest.fixture
def kiosk(provider: Provider, ada: dict[str, Any]) -> Client:
    """A confidential client that sends its secret in the form."""
    return provider.client("kiosk", auth_method="client_secret_post")


@pytest.fixture
def spa(provider: Provider, ada: dict[str, Any]) -> Client:
    """A public client; its refresh tokens rotate."""
    return provider.client("spa", auth_method="none")


@pytest.fixture
def robot(provider: Provider) -> Client:
    return provider.machine("robot", scope="jobs:run jobs:see")
