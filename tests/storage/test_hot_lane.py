"""Statements that go to PostgreSQL together: each gets its own answer, and nobody waits for another's lock.

| rule | test |
|---|---|
| one transaction, one commit | `test_those_who_came_meanwhile_go_together` |
| no lock is waited for in company | `test_a_locked_row_holds_up_its_own_request_alone` |
| one mistake costs one request | `test_a_mistake_costs_its_own_request_alone` |
| a table that changed | `test_a_table_that_changed_costs_no_further_requests` |
| promise: 503 in time | `test_who_waits_in_vain_is_told`, `test_one_time_out_*` |
| nobody knows what took effect | `test_a_lost_connection_is_told_to_all_who_were_on_it` |
| a claim is never made twice | `test_who_has_changed_something_never_begins_again` |

That a code is claimed once, however many try, is held by `served/test_single_use.py` through these lanes.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from idp.errors import Unavailable
from idp.fibers import FiberLoop, assert_may_block, current_fiber
from idp.settings import DatabaseSettings
from idp.storage import StatementCounter
from idp.storage.hot import create_hot_pool
from idp.storage.hot.postgresql_lane import PostgresLane, SharedStatement
from idp.storage.hot.postgresql_pool import PostgresPool

pytestmark = pytest.mark.postgresql

TRANSACTION = "SELECT pg_current_xact_id()::text, $1::text"
IN_TRANSACTION = SharedStatement(TRANSACTION, TRANSACTION)
MEETING = "SELECT 'met' FROM (SELECT pg_advisory_xact_lock(1)) AS met"
MEET = SharedStatement(MEETING, MEETING)
TAKE = SharedStatement(
    alone="UPDATE ephemeral SET counter = counter + 1 WHERE key = $1 RETURNING counter",
    together="""
        UPDATE ephemeral SET counter = counter + 1
        WHERE key = (SELECT key FROM ephemeral WHERE key = $1 FOR UPDATE SKIP LOCKED) RETURNING counter""",
)
PUT = "INSERT INTO ephemeral (key, counter, expires_at) VALUES ($1, 1, now()) RETURNING counter"

Row = tuple[Any, ...] | None
Asked = Sequence[tuple[SharedStatement, tuple[object, ...]]]
Answers = list[Future[Row]]


class Lane:
    """A lane for one crew at a time, and the loop that its requests run on."""

    def __init__(self, settings: DatabaseSettings) -> None:
        pool = create_hot_pool(settings, StatementCounter())
        assert isinstance(pool, PostgresPool)
        self.pool = pool
        self.loop = FiberLoop(threads=32)
        self.lane = PostgresLane(pool, width=1)

    def ask(self, statement: SharedStatement, parameters: tuple[object, ...]) -> Future[Row]:
        """In a fiber; the answer may be waited for in this thread."""
        return self.run(lambda: self.lane.change_row(statement, parameters))

    def run(self, work: Callable[[], Row]) -> Future[Row]:
        answer: Future[Row] = Future()

        def task() -> None:
            try:
                answer.set_result(work())
            except Exception as error:  # noqa: BLE001 - whatever it is, the test is told
                answer.set_exception(error)

        self.loop.run(task)
        return answer

    def fetch_row(self, statement: SharedStatement, parameters: tuple[object, ...]) -> Row:
        """In this thread, as under another server; opens the connection that fibers wait for."""
        return self.lane.fetch_row(statement, parameters)

    def settle(self) -> None:
        """Return when the loop has seen all that was asked so far: what comes later runs later."""
        seen = threading.Event()
        self.loop.run(seen.set)
        assert seen.wait(10)

    def close(self) -> None:
        self.loop.stop()
        self.pool.close()


@pytest.fixture
def new_lane(postgresql_settings: DatabaseSettings) -> Iterator[Callable[..., Lane]]:
    """Makes lanes; keyword arguments change the settings."""
    made: list[Lane] = []

    def make(**changes: object) -> Lane:
        made.append(Lane(postgresql_settings.model_copy(update=changes)))
        made[-1].fetch_row(IN_TRANSACTION, ("",))
        return made[-1]

    yield make
    for lane in made:
        lane.close()


@pytest.fixture
def database(postgresql_settings: DatabaseSettings) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgresql_settings.url, autocommit=True) as connection:
        yield connection


@contextmanager
def crew(lane: Lane, host: psycopg.Connection, asked: Asked) -> Iterator[Answers]:
    """Ask all of these while another request is on its way; it returns, so they go together."""
    host.execute("SELECT pg_advisory_lock(1)")
    first = lane.ask(MEET, ())
    while host.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() != (1,):
        pass
    answers = [lane.ask(statement, parameters) for statement, parameters in asked]
    lane.settle()
    host.execute("SELECT pg_advisory_unlock(1)")
    assert first.result() == ("met",)
    yield answers


def test_those_who_came_meanwhile_go_together(new_lane, database):
    names = ("a", "b", "c", "d")

    with crew(new_lane(), database, [(IN_TRANSACTION, (name,)) for name in names]) as answers:
        rows = [answer.result() for answer in answers]

    assert [row[1] for row in rows] == list(names), "each has its own answer"
    assert len({row[0] for row in rows}) == 1, "in one transaction"


def test_more_than_one_transaction_takes_go_in_several(new_lane, database):
    with crew(new_lane(), database, [(IN_TRANSACTION, (str(number),)) for number in range(40)]) as answers:
        rows = [answer.result() for answer in answers]

    assert [row[1] for row in rows] == [str(number) for number in range(40)]
    assert len({row[0] for row in rows}) == 2


def test_with_nobody_else_each_goes_alone(new_lane):
    lane = new_lane()

    in_fibers = [lane.ask(IN_TRANSACTION, ("a",)).result() for _ in range(3)]
    in_threads = [lane.fetch_row(IN_TRANSACTION, ("a",)) for _ in range(3)]

    assert len({row[0] for row in in_fibers + in_threads}) == 6


def test_a_thread_opens_the_connection_that_fibers_use(postgresql_settings):
    lane = Lane(postgresql_settings)
    runs = []

    def work() -> Row:
        runs.append("fiber" if current_fiber() else "thread")
        return lane.lane.fetch_row(IN_TRANSACTION, ("a",))

    try:
        rows = [lane.run(work).result(), lane.run(work).result()]
    finally:
        lane.close()

    assert [row[1] for row in rows] == ["a", "a"]
    assert runs == ["fiber", "thread", "fiber"]


def test_who_has_changed_something_never_begins_again(new_lane, database):
    """Row C1: begun again, a request would find its own claim and take it for a replay."""
    lane = new_lane()
    database.execute(PUT.replace("$1", "%s"), ("once",))
    runs = []

    def work() -> Row:
        runs.append(current_fiber() is not None)
        row = lane.lane.change_row(TAKE, ("once",))
        assert_may_block()
        return row

    assert lane.run(work).result() == (2,)
    assert runs == [True]
    assert database.execute("SELECT counter FROM ephemeral WHERE key = 'once'").fetchone() == (2,)


def test_a_locked_row_holds_up_its_own_request_alone(new_lane, database, postgresql_settings):
    lane = new_lane()
    for key in ("free", "locked"):
        database.execute(PUT.replace("$1", "%s"), (key,))
    with psycopg.connect(postgresql_settings.url) as other:
        other.execute("UPDATE ephemeral SET counter = 10 WHERE key = 'locked'")

        with crew(lane, database, [(TAKE, ("locked",)), (TAKE, ("free",))]) as (locked, free):
            assert free.result() == (2,), "the lock is still held"
            assert not locked.done()
            other.commit()
            assert locked.result() == (11,), "after the other's change"


@pytest.mark.parametrize("wrong", ["free", 7], ids=["refused by the server", "of the wrong kind"])
def test_a_mistake_costs_its_own_request_alone(new_lane, database, wrong):
    lane = new_lane()
    put = SharedStatement(PUT, PUT)
    assert lane.fetch_row(put, ("free",)) == (1,)

    with crew(lane, database, [(put, ("new",)), (put, (wrong,)), (TAKE, ("free",))]) as answers:
        new, mistaken, taken = answers
        assert new.result() == (1,)
        assert taken.result() == (2,), "once, though it was tried twice"
        with pytest.raises((psycopg.errors.UniqueViolation, TypeError)):
            mistaken.result()


def test_a_table_that_changed_costs_no_further_requests(new_lane, database):
    """A prepared statement remembers its types: its connection is replaced."""
    lane = new_lane(pool_size=1)
    look = SharedStatement("SELECT 1, value FROM changing", "SELECT 2, value FROM changing")
    database.execute("CREATE TABLE changing AS SELECT 5 AS value")
    try:
        with crew(lane, database, [(look, ()), (look, ())]) as answers:
            assert [answer.result() for answer in answers] == [(2, 5)] * 2
        database.execute("ALTER TABLE changing ALTER value TYPE text")

        for _ in range(2):
            with crew(lane, database, [(look, ()), (look, ())]) as answers:
                rows = [answer.result() for answer in answers]
        assert rows == [(2, "5")] * 2
    finally:
        database.execute("DROP TABLE changing")


def test_a_lost_connection_is_told_to_all_who_were_on_it(new_lane, database):
    """Nobody knows then what took effect; who comes after them finds a new connection."""
    lane = new_lane()
    end = "SELECT pg_terminate_backend(pg_backend_pid())::text"

    with crew(lane, database, [(IN_TRANSACTION, ("a",)), (SharedStatement(end, end), ())]) as answers:
        for answer in answers:
            with pytest.raises(Unavailable):
                answer.result()

    assert lane.fetch_row(IN_TRANSACTION, ("b",))[1] == "b"


def test_who_waits_in_vain_is_told(new_lane, database):
    """Fibers wait for no connection: threads do, and for a time."""
    lane = new_lane(pool_size=1, pool_timeout=timedelta(seconds=0.05))
    taken = lane.pool.take_idle()

    with pytest.raises(Unavailable) as refused:
        lane.ask(IN_TRANSACTION, ("a",)).result()
    lane.pool.give_back(taken)

    assert refused.value.detail == "no database connection in time"
    assert lane.ask(IN_TRANSACTION, ("b",)).result()[1] == "b", "the next one need not wait"


def test_one_time_out_counts_for_all_who_went_together(new_lane, database, postgresql_settings):
    """Asked again alone, each would wait for another one."""
    lane = new_lane(lock_timeout=timedelta(seconds=0.5))

    with psycopg.connect(postgresql_settings.url) as other:
        other.execute("LOCK TABLE ephemeral")
        with crew(lane, database, [(TAKE, (key,)) for key in "abc"]) as answers:
            for answer in answers:
                with pytest.raises(Unavailable) as refused:
                    answer.result()
                assert "LockNotAvailable" in (refused.value.detail or "")


def test_one_time_out_counts_for_those_who_waited_for_its_end(new_lane, database):
    lane = new_lane(lock_timeout=timedelta(seconds=0.5))
    database.execute("SELECT pg_advisory_lock(1)")

    first = lane.ask(MEET, ())
    while database.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() != (1,):
        pass
    others = [lane.ask(MEET, ()) for _ in range(2)]
    for answer in (first, *others):
        with pytest.raises(Unavailable):
            answer.result()
    database.execute("SELECT pg_advisory_unlock(1)")

    assert [answer.exception().detail for answer in others] == ["the database does not answer"] * 2
    assert lane.ask(IN_TRANSACTION, ("b",)).result()[1] == "b"


def test_many_who_find_no_connection_do_not_each_open_one(postgresql_settings):
    lane = Lane(postgresql_settings)

    try:
        rows = [answer.result() for answer in [lane.ask(IN_TRANSACTION, (str(n),)) for n in range(40)]]
        opened = sum(connection is not None for connection in lane.pool._slots)  # noqa: SLF001
    finally:
        lane.close()

    assert [row[1] for row in rows] == [str(number) for number in range(40)]
    assert 1 <= opened < 8
