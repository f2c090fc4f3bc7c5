"""The connections of the hot paths on SQLite: what is rolled back, what is thrown away."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import SimpleQueue

import pytest

from idp.errors import Unavailable
from idp.settings import DatabaseSettings
from idp.storage import StatementCounter
from idp.storage.hot import create_hot_pool
from idp.storage.hot.sqlite_pool import SqlitePool, WritersTurn
from tests.storage.threads import in_parallel

BUMP = "UPDATE change_counter SET version = version + 1 WHERE topic = ?1"
VERSION = "SELECT version FROM change_counter WHERE topic = ?1"
TOPIC = ("clients",)


@pytest.fixture
def statements() -> StatementCounter:
    return StatementCounter()


@pytest.fixture
def pool(sqlite_settings: DatabaseSettings, statements: StatementCounter) -> Iterator[SqlitePool]:
    made = create_hot_pool(sqlite_settings, statements)
    assert isinstance(made, SqlitePool)
    with made.transaction() as transaction:
        transaction.run("DELETE FROM change_counter WHERE topic = ?1", TOPIC)
        transaction.run("INSERT INTO change_counter (topic, version, changed_at) VALUES (?1, 0, 0)", TOPIC)
    yield made
    made.close()


def test_a_transaction_is_one_commit(pool, statements):
    with statements.measure() as measured, pool.transaction() as transaction:
        transaction.run(BUMP, TOPIC)
        transaction.run(BUMP, TOPIC)

    assert (len(measured.statements), measured.commits) == (2, 1)
    assert pool.fetch_row(VERSION, TOPIC) == (2,)


def test_a_transaction_that_changed_nothing_is_no_commit(pool, statements):
    with statements.measure() as measured, pool.transaction() as transaction:
        transaction.run(BUMP, ("unknown",))

    assert measured.commits == 0


@pytest.mark.parametrize(
    ("sql", "raised"),
    [
        ("SELECT * FROM nowhere", Unavailable),
        (
            "INSERT INTO change_counter (topic, version, changed_at) VALUES ('clients', 1, 0)",
            sqlite3.IntegrityError,
        ),
    ],
)
def test_a_failure_rolls_everything_back(pool, statements, sql, raised):
    """And the next one finds a connection that works."""

    def fail() -> None:
        with pool.transaction() as transaction:
            transaction.run(BUMP, TOPIC)
            transaction.run(sql, ())

    for _ in range(3):
        with statements.measure() as measured, pytest.raises(raised):
            fail()
        assert measured.commits == 0

    assert pool.fetch_row(VERSION, TOPIC) == (0,)


def test_an_error_of_the_caller_goes_through_as_it_is(pool):
    def interrupted() -> None:
        with pool.transaction() as transaction:
            transaction.run(BUMP, TOPIC)
            raise KeyError("x")

    with pytest.raises(KeyError) as caught:
        interrupted()

    assert caught.value.__cause__ is None
    assert pool.fetch_row(VERSION, TOPIC) == (0,)


def test_who_meets_a_locked_file_is_told(pool, sqlite_settings):
    path = sqlite_settings.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable), pool.transaction() as transaction:
            transaction.run(BUMP, TOPIC)
        assert pool.fetch_row(VERSION, TOPIC) == (0,)
        other.execute("ROLLBACK")

    with pool.transaction() as transaction:
        transaction.run(BUMP, TOPIC)
    assert pool.fetch_row(VERSION, TOPIC) == (1,)


def test_fifty_threads_lose_nothing(pool):
    def bump(_: int) -> None:
        with pool.transaction() as transaction:
            transaction.run(BUMP, TOPIC)

    in_parallel(50, bump)

    assert pool.fetch_row(VERSION, TOPIC) == (50,)


def test_one_writer_at_a_time_and_none_is_refused(pool):
    """Each connection by itself would look again and again, and some would give up."""

    def bump(_: int) -> None:
        with pool.transaction() as transaction:
            transaction.run(BUMP, TOPIC)

    with ThreadPoolExecutor(32) as threads:
        list(threads.map(bump, range(320)))

    assert pool.fetch_row(VERSION, TOPIC) == (320,)


def test_a_failed_transaction_gives_the_turn_back(pool):
    with pytest.raises(Unavailable), pool.transaction() as transaction:
        transaction.run("SELECT * FROM nowhere", ())

    with pool.transaction() as transaction:
        transaction.run(BUMP, TOPIC)

    assert pool.fetch_row(VERSION, TOPIC) == (1,)


def test_who_gets_no_turn_in_time_is_told():
    turn = WritersTurn(patience=0.01)
    turn.take()

    with pytest.raises(Unavailable):
        turn.take()


def test_who_waited_for_a_writer_that_was_locked_out_does_not_wait_once_more():
    moments = SimpleQueue()

    def monotonic() -> float:
        moments.put(None)
        return time.monotonic()

    turn = WritersTurn(patience=60, monotonic=monotonic)
    turn.take()
    moments.get()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(turn.take)
        moments.get()  # it has begun to wait
        turn.note_locked_out()
        turn.give_back()
        with pytest.raises(Unavailable):
            waiting.result()

    turn.take()
