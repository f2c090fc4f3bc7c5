"""Changes that go to SQLite together: one commit, and each request hears of its own result."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from idp.errors import Unavailable
from idp.fibers import FiberLoop, current_fiber
from idp.storage import StatementCounter
from idp.storage.hot.sqlite_lane import SqliteLane
from idp.storage.hot.sqlite_pool import SqlitePool, SqliteTransaction

_MILLISECONDS = 50
ADD = "INSERT INTO made (name, commits) VALUES (?1, ?2)"
Work = Callable[[SqliteTransaction], str | None]


class Counter(StatementCounter):
    """Counts over all threads."""

    total = 0

    def commit(self) -> None:
        self.total += 1
        super().commit()


class Lane:
    """A lane, the loop that its requests run on, and how often something was committed."""

    def __init__(self, path: Path) -> None:
        self.counter = Counter()
        self.pool = SqlitePool(path=str(path), observer=self.counter)
        self.lane = SqliteLane(self.pool)
        self.loop = FiberLoop(threads=4)

    def together(self, *works: Work) -> list[Future[tuple[str, str | None]]]:
        """Where each was answered last, and what; all of them come in one turn of the loop."""
        answers: list[Future[tuple[str, str | None]]] = [Future() for _ in works]

        def task(number: int) -> None:
            try:
                result = self.lane.change(works[number])
                answers[number].set_result(("fiber" if current_fiber() else "thread", result))
            except Exception as error:  # noqa: BLE001 - whatever it is, the test is told
                answers[number].set_exception(error)

        held, seen = threading.Event(), threading.Event()

        def hold() -> None:
            seen.set()
            held.wait(10)

        self.loop.run(hold)
        seen.wait(10)
        for number in range(len(works)):
            self.loop.run(lambda number=number: task(number))
        held.set()
        return answers


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "idp.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE made (name TEXT PRIMARY KEY, commits INTEGER)")
    connection.close()
    return path


@pytest.fixture
def lane(file: Path) -> Iterator[Lane]:
    made = Lane(file)
    yield made
    made.loop.stop()
    made.pool.close()


def names(file: Path) -> list[str]:
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT name FROM made ORDER BY name").fetchall()
    connection.close()
    return [name for (name,) in rows]


def add(name: str) -> Work:
    def work(transaction: SqliteTransaction) -> str:
        transaction.run(ADD, (name, 0))
        return name

    return work


def nothing(_transaction: SqliteTransaction) -> None:
    return None


def test_those_who_come_together_share_a_commit(lane: Lane, file: Path):
    answers = lane.together(*(add(name) for name in "abcd"), nothing)

    assert [answer.result(10) for answer in answers] == [("fiber", name) for name in (*"abcd", None)]
    assert names(file) == list("abcd")
    assert lane.counter.total == 1


def test_a_thread_goes_alone(lane: Lane, file: Path):
    assert [lane.lane.change(add(name)) for name in "ab"] == ["a", "b"]
    assert lane.counter.total == 2


def test_where_nobody_changes_anything_nothing_is_committed(lane: Lane):
    assert [answer.result(10)[1] for answer in lane.together(nothing, nothing)] == [None, None]
    assert lane.counter.total == 0


def test_one_mistake_costs_one_request(lane: Lane, file: Path):
    lane.lane.change(add("there"))

    new, mistaken, other = lane.together(add("new"), add("there"), add("other"))

    assert new.result(10) == ("thread", "new"), "begun again, and alone"
    assert other.result(10) == ("thread", "other")
    with pytest.raises(sqlite3.IntegrityError):
        mistaken.result(10)
    assert names(file) == ["new", "other", "there"]


def test_a_file_that_another_program_holds_is_told_to_all_in_time(lane: Lane, file: Path):
    """Row X8: the next ones find it free again."""
    lane.lane.change(add("first"))  # opens the connection
    (connection,) = lane.pool._idle  # noqa: SLF001 - a shorter patience than the five seconds of all
    connection.execute(f"PRAGMA busy_timeout = {_MILLISECONDS}")
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        for answer in lane.together(add("a"), add("b")):
            with pytest.raises(Unavailable):
                answer.result(10)
    finally:
        other.execute("ROLLBACK")
        other.close()

    assert [answer.result(10)[1] for answer in lane.together(add("c"))] == ["c"]
    assert names(file) == ["c", "first"]
