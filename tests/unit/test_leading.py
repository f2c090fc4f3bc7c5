"""One thread of a server waits for requests, the others follow, and who is held up holds up nobody else."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from idp.cli.leading import LeaderFollowers
from idp.fibers import assert_may_block, before_blocking

WAIT = 10.0
FOREVER = 1000.0
"""Seconds of patience that no test uses up."""


class Thread:
    """A thread of a server: it takes requests, and goes back for the next one."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)

    def __call__(self, work: Callable[[], None]) -> Future[None]:
        return self._pool.submit(work)


@pytest.fixture
def first() -> Thread:
    return Thread()


@pytest.fixture
def second() -> Thread:
    return Thread()


@pytest.fixture
def turns(first) -> Iterator[LeaderFollowers]:
    made = LeaderFollowers(FOREVER)
    yield made
    first(made.take).result(WAIT)
    made.promote()  # or the other thread would wait for the end of the tests


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end, "it did not come about"


def test_without_a_leader_a_thread_goes_back(turns, first):
    first(turns.take).result(WAIT)
    first(turns.done).result(WAIT)
    assert turns.followers == 0


def test_beside_a_leader_a_thread_follows(turns, first, second):
    first(turns.done).result(WAIT)

    waiting = second(turns.done)

    until(lambda: turns.followers == 1)
    assert not waiting.done()


def test_a_leader_that_is_about_to_wait_is_followed_at_once(turns, first, second):
    first(turns.done).result(WAIT)
    waiting = second(turns.done)
    until(lambda: turns.followers == 1)

    first(turns.take).result(WAIT)
    first(turns.promote).result(WAIT)

    waiting.result(WAIT)
    assert turns.followers == 0


def test_whoever_may_block_says_so_by_asking(turns, first, second):
    first(turns.done).result(WAIT)
    waiting = second(turns.done)
    until(lambda: turns.followers == 1)

    first(turns.take).result(WAIT)
    first(lambda: before_blocking(turns.promote)).result(WAIT)
    first(assert_may_block).result(WAIT)

    waiting.result(WAIT)


def test_nobody_is_woken_while_another_waits_for_requests(turns, first, second):
    first(turns.done).result(WAIT)
    waiting = second(turns.done)
    until(lambda: turns.followers == 1)

    turns.promote()
    turns.promote()

    assert turns.followers == 1
    assert not waiting.done()


def test_a_leader_that_says_nothing_is_followed_before_long(first, second):
    turns = LeaderFollowers(patience=0.01)
    first(turns.done).result(WAIT)
    waiting = second(turns.done)
    until(lambda: turns.followers == 1)

    first(turns.take).result(WAIT)

    waiting.result(WAIT)


def test_while_requests_are_taken_who_follows_stays(first, second):
    patience = 0.01
    turns = LeaderFollowers(patience)
    first(turns.done).result(WAIT)
    waiting = second(turns.done)
    until(lambda: turns.followers == 1)

    end = time.monotonic() + 10 * patience
    while time.monotonic() < end:
        turns.take()

    assert not waiting.done()
    waiting.result(WAIT)  # nothing is taken any more


def test_a_leader_of_long_ago_may_be_gone(first, second):
    moment = 1000.0
    turns = LeaderFollowers(FOREVER, lambda: moment)
    first(turns.done).result(WAIT)
    moment += 11

    second(turns.done).result(WAIT)

    assert turns.followers == 0


def test_an_error_is_never_kept(turns, first, second):
    first(turns.done).result(WAIT)

    second(turns.failed).result(WAIT)

    assert turns.followers == 0
