"""The connections of the hot paths on PostgreSQL: who waits, what is thrown away, what comes back.

| rule | test |
|---|---|
| promise: 503 in time | `test_who_gets_no_connection_in_time_is_told` |
| a server that is silent | `test_a_silent_server_is_given_up_on` |
| recovery by itself | `test_after_a_restart_one_request_fails` |
| nothing leaks | `test_a_mistake_of_ours_costs_no_connection` |
| bounded connections | `test_fifty_threads_share_three_connections` |
| values | `test_values_come_back_as_they_went` |
| X12: several statements, all or nothing | `test_a_transaction_*` |
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from idp.errors import Unavailable
from idp.settings import DatabaseSettings, SecretUrl
from idp.storage import StatementCounter
from idp.storage.hot import create_hot_pool
from idp.storage.hot.postgresql_pool import PostgresPool
from tests.services import LocalServer, new_postgresql
from tests.storage.threads import in_parallel

pytestmark = pytest.mark.postgresql

BACKEND = "SELECT pg_backend_pid()"

NewPool = Callable[..., PostgresPool]


@pytest.fixture
def new_pool(postgresql_settings: DatabaseSettings) -> Iterator[NewPool]:
    """Makes pools on the test database; keyword arguments change the settings."""
    made: list[PostgresPool] = []

    def make(settings: DatabaseSettings = postgresql_settings, /, **changes: object) -> PostgresPool:
        pool = create_hot_pool(settings.model_copy(update=changes), StatementCounter())
        assert isinstance(pool, PostgresPool)
        made.append(pool)
        return pool

    yield make
    for pool in made:
        pool.close()


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    """A server that the tests may stop."""
    postgresql = new_postgresql()
    if postgresql is None:
        pytest.skip("no PostgreSQL binaries")
    with postgresql:
        yield postgresql


@contextmanager
def meeting(url: str) -> Iterator[Callable[[int], None]]:
    """Hold the lock that `_meet` wants; gives what waits until so many want it: each has a connection."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with psycopg.connect(url, autocommit=True) as host:
        host.execute("SELECT pg_advisory_lock(1)")

        def arrived(visitors: int) -> None:
            while host.execute(waiting).fetchone() != (visitors,):
                pass

        yield arrived


def _meet(pool: PostgresPool) -> int:
    row = pool.fetch_row("SELECT pg_backend_pid() FROM (SELECT pg_advisory_xact_lock_shared(1)) AS met", ())
    assert row is not None
    pid: int = row[0]
    return pid


def _open(pool: PostgresPool, url: str, count: int) -> set[int]:
    """Have that many connections opened; their backends."""
    pids: list[int] = []
    threads = [threading.Thread(target=lambda: pids.append(_meet(pool))) for _ in range(count)]
    with meeting(url) as arrived:
        for thread in threads:
            thread.start()
        arrived(count)
    for thread in threads:
        thread.join()
    return set(pids)


def test_values_come_back_as_they_went(new_pool):
    values = (
        "Zoë ✓", b"\x00\xff", 2**62, 2**31 - 1, -3, True, False,
        datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
        None,
    )  # fmt: skip
    types = ("text", "bytea", "bigint", "integer", "smallint", "boolean", "boolean", *["timestamptz"] * 3)
    columns = ", ".join(f"${number}::{name}" for number, name in enumerate(types, 1))

    row = new_pool().fetch_row(f"SELECT {columns}", values)

    assert row == values
    assert row[7].utcoffset() == timedelta(0)


@pytest.mark.parametrize("document", ['{"a": ["é"]}', '{"a": ["é"]}'.encode()], ids=["str", "bytes"])
def test_json_goes_as_text_and_comes_as_bytes(new_pool, document):
    assert new_pool().fetch_row("SELECT $1::jsonb", (document,)) == ('{"a": ["é"]}'.encode(),)


def test_a_naive_time_is_refused(new_pool):
    with pytest.raises(TypeError):
        new_pool().fetch_row("SELECT $1::timestamptz", (datetime(2026, 1, 1),))  # noqa: DTZ001 - that is the point


def test_a_statement_larger_than_the_socket_takes_at_once_is_sent(new_pool):
    text = "x" * 20_000_000

    assert new_pool().fetch_row("SELECT length($1::text)", (text,)) == (len(text),)


def test_one_connection_serves_one_after_the_other(new_pool):
    pool = new_pool()

    assert len({pool.fetch_row(BACKEND, ()) for _ in range(10)}) == 1


def test_fifty_threads_share_three_connections(new_pool):
    pool = new_pool(pool_size=3)

    rows = in_parallel(
        50,
        lambda number: [pool.fetch_row("SELECT $1::bigint, pg_backend_pid()", (number,)) for _ in range(20)],
    )

    assert [[row[0] for row in mine] for mine in rows] == [[number] * 20 for number in range(50)]
    assert len({row[1] for mine in rows for row in mine}) <= 3


def test_who_gets_no_connection_in_time_is_told(new_pool, postgresql_settings):
    pool = new_pool(pool_size=1, pool_timeout=timedelta(seconds=0.1))
    visitor = threading.Thread(target=lambda: _meet(pool))

    with meeting(postgresql_settings.url) as arrived:
        visitor.start()
        arrived(1)
        with pytest.raises(Unavailable) as refused:
            pool.fetch_row("SELECT 1", ())
    visitor.join()

    assert refused.value.detail == "no database connection in time"
    assert pool.fetch_row("SELECT 1", ()) == (1,)


def test_a_lock_not_had_in_time_keeps_the_connection(new_pool, postgresql_settings):
    """The server is well: what failed is the statement."""
    pool = new_pool(lock_timeout=timedelta(seconds=0.05))
    before = pool.fetch_row(BACKEND, ())

    with psycopg.connect(postgresql_settings.url) as other:
        other.execute("LOCK TABLE account IN ACCESS EXCLUSIVE MODE")
        for _ in range(2):
            with pytest.raises(Unavailable) as refused:
                pool.fetch_row("SELECT count(*) FROM account", ())
            assert "LockNotAvailable" in (refused.value.detail or "")
        other.rollback()

    assert pool.fetch_row("SELECT count(*) FROM account", ()) == (0,)
    assert pool.fetch_row(BACKEND, ()) == before


@pytest.mark.parametrize(
    ("sql", "parameters", "error"),
    [
        ("SELEC", (), psycopg.errors.SyntaxError),
        ("SELECT 1 / $1::bigint", (0,), psycopg.errors.DivisionByZero),
        ("SELECT $1::text", (), ValueError),
        ("SELECT $1::text", ("\ud800",), UnicodeEncodeError),
        ("SELECT 1.5::numeric", (), KeyError),
    ],
)
def test_a_mistake_of_ours_costs_no_connection(new_pool, sql, parameters, error):
    """Whatever goes wrong, the only slot is free again."""
    pool = new_pool(pool_size=1)

    for _ in range(3):
        with pytest.raises(error):
            pool.fetch_row(sql, parameters)
        assert pool.fetch_row("SELECT 1", ()) == (1,)


def test_a_table_that_changed_costs_one_request(new_pool, postgresql_settings):
    """A prepared statement remembers its types: after a migration its connection is replaced."""
    pool = new_pool()
    with psycopg.connect(postgresql_settings.url, autocommit=True) as owner:
        owner.execute("CREATE TABLE changing (value integer)")
        try:
            assert pool.fetch_row("SELECT * FROM changing", ()) is None
            owner.execute("ALTER TABLE changing ALTER value TYPE text")

            with pytest.raises(psycopg.errors.FeatureNotSupported):
                pool.fetch_row("SELECT * FROM changing", ())
            assert pool.fetch_row("SELECT * FROM changing", ()) is None
        finally:
            owner.execute("DROP TABLE changing")


def test_when_one_connection_is_lost_the_idle_ones_are_replaced(new_pool, postgresql_settings):
    url = postgresql_settings.url
    pool = new_pool(pool_size=4)
    lost = _open(pool, url, 4)
    with psycopg.connect(url, autocommit=True) as admin:
        for pid in lost:
            admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    with pytest.raises(Unavailable):
        pool.fetch_row("SELECT 1", ())

    assert not lost & _open(pool, url, 4)


def test_connections_are_replaced_when_idle_for_long_or_old(postgresql_settings):
    """Something on the way may have dropped a connection that nobody used."""
    moment = [0.0]
    pool = PostgresPool(
        conninfo=postgresql_settings.url,
        extra_options="",
        settings=postgresql_settings,
        observer=StatementCounter(),
        monotonic=lambda: moment[0],
    )
    backends = []
    for moment[0] in (0.0, 599.0, 1200.0, *range(1700, 5500, 500)):
        backends.append(pool.fetch_row(BACKEND, ()))
    pool.close()

    assert backends[0] == backends[1] != backends[2], "idle for more than ten minutes"
    assert len(set(backends[2:])) == 2, "an hour after it was opened"


def test_a_closed_pool_is_unavailable(new_pool):
    pool = new_pool()
    pool.fetch_row("SELECT 1", ())
    pool.close()

    with pytest.raises(Unavailable):
        pool.fetch_row("SELECT 1", ())


def test_after_a_restart_one_request_fails(new_pool, server):
    """And while the server is away, each is refused at once."""
    pool = new_pool(DatabaseSettings(url=SecretUrl(server.url)), pool_size=4)
    _open(pool, server.url, 4)

    server.stop(signal.SIGKILL)
    for _ in range(6):
        with pytest.raises(Unavailable):
            pool.fetch_row("SELECT 1", ())
    server.start()

    assert [pool.fetch_row("SELECT 1", ()) for _ in range(8)] == [(1,)] * 8


def test_a_silent_server_is_given_up_on(new_pool, server):
    """It took the statement and never answers: the connection is thrown away, the next one is new."""
    pool = new_pool(DatabaseSettings(url=SecretUrl(server.url)), statement_timeout=timedelta(seconds=0.05))
    assert pool.fetch_row(BACKEND, ()) is not None
    pids = server.pids()

    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable) as refused:
            pool.fetch_row("SELECT 1", ())
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    assert "no answer within 0.55 s" in (refused.value.detail or "")
    assert pool.fetch_row("SELECT 1", ()) == (1,)


LIMITED = "INSERT INTO ephemeral (key, counter, expires_at) VALUES ($1, 1, now()) RETURNING key"
HELD = "SELECT count(*) FROM ephemeral"


def test_a_transaction_commits_once_what_several_statements_changed(new_pool, postgresql_settings):
    pool = create_hot_pool(postgresql_settings, counter := StatementCounter())

    with pool.transaction() as transaction:
        assert transaction.fetch_row(LIMITED, ("a",)) == ("a",)
        assert transaction.fetch_row(LIMITED, ("b",)) == ("b",)
        assert new_pool().fetch_row(HELD, ()) == (0,), "nobody else sees it yet"

    assert pool.fetch_row(HELD, ()) == (2,)
    assert (counter.statements, counter.commits) == (3, 1)
    pool.close()


def test_a_transaction_that_fails_leaves_nothing_and_a_fresh_connection(new_pool):
    pool = new_pool(pool_size=1)

    def insert(*keys: object) -> None:
        with pool.transaction() as transaction:
            for key in keys:
                transaction.fetch_row(LIMITED, (key,))

    with pytest.raises(psycopg.errors.UniqueViolation):
        insert("a", "a")
    with pytest.raises(TypeError):
        insert("a", 1)

    assert pool.fetch_row(HELD, ()) == (0,)
