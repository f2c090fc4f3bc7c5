"""The loop that requests wait on: what must block begins again elsewhere, and no task harms another."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextvars import ContextVar

import pytest

from idp.fibers import Fiber, FiberLoop, assert_may_block, current_fiber

WAIT = 10.0
number: ContextVar[int] = ContextVar("number")


@pytest.fixture
def loop() -> Iterator[FiberLoop]:
    made = FiberLoop(threads=2)
    yield made
    made.stop()


def run(loop: FiberLoop, work: Callable[[], object]) -> Future[object]:
    """The result of a task, which may begin several times."""
    done: Future[object] = Future()
    loop.run(lambda: done.set_result(work()))
    return done


def test_tasks_run_in_fibers_of_one_thread(loop):
    places = [run(loop, lambda: (current_fiber() is not None, threading.get_ident())) for _ in range(100)]

    assert {place.result(WAIT)[0] for place in places} == {True}
    assert len({place.result(WAIT)[1] for place in places} - {threading.get_ident()}) == 1


def test_a_thread_of_its_own_may_block():
    assert current_fiber() is None
    assert_may_block()


def test_what_must_block_begins_again_in_a_thread(loop):
    runs = []

    def work() -> str:
        runs.append(current_fiber() is not None)
        assert_may_block()
        return "blocked"

    assert run(loop, work).result(WAIT) == "blocked"
    assert runs == [True, False]


def test_what_has_changed_something_goes_on_where_it_is(loop):
    def work() -> str:
        current_fiber().has_changed = True
        assert_may_block()
        return "went on"

    def asks_again() -> bool:
        return current_fiber() is not None and not current_fiber().has_changed

    assert run(loop, work).result(WAIT) == "went on"
    assert run(loop, asks_again).result(WAIT), "the next task in the same fiber begins anew"


def test_a_fiber_waits_while_others_run(loop):
    waiting: list[Fiber] = []

    def waits() -> str:
        waiting.append(current_fiber())
        return current_fiber().suspend()

    first = run(loop, waits)
    others = [run(loop, lambda: "at once") for _ in range(20)]
    assert {other.result(WAIT) for other in others} == {"at once"}
    assert not first.done()
    run(loop, lambda: waiting[0].loop.call_soon(waiting[0].switch, "resumed")).result(WAIT)

    assert first.result(WAIT) == "resumed"


def test_each_fiber_has_a_context_of_its_own(loop):
    waiting: list[Fiber] = []

    def work(own: int) -> int:
        token = number.set(own)
        waiting.append(current_fiber())
        if len(waiting) < 3:
            current_fiber().suspend()
        else:
            for fiber in waiting[:2]:
                fiber.loop.call_soon(fiber.switch)
        seen = number.get()
        number.reset(token)
        return seen

    answers = [run(loop, lambda own=own: work(own)) for own in range(3)]

    assert [answer.result(WAIT) for answer in answers] == [0, 1, 2]


def test_a_task_that_fails_harms_no_other(loop, caplog):
    def fails() -> None:
        raise SystemExit(1)

    with caplog.at_level(logging.ERROR):
        for _ in range(100):
            loop.run(fails)
        assert run(loop, lambda: "alive").result(WAIT) == "alive"

    assert caplog.messages == ["a task failed"] * 100


def test_tasks_of_many_threads_all_run(loop):
    """Nobody's task is left in the inbox of a loop that has just fallen asleep."""
    answers: list[Future[object]] = []

    def hand_over() -> None:
        for _ in range(500):
            answer = run(loop, lambda: True)
            answers.append(answer)
            answer.result(WAIT)

    threads = [threading.Thread(target=hand_over) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 2000
    assert all(answer.result(0) for answer in answers)
