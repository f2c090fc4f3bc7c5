"""Requests that wait without a thread of their own: fibers on one event loop.

Most of what a token request costs beyond its own work is threads taking turns: each that waits for the
database sleeps, is woken, and queues for Python's lock. A fiber (a greenlet) is suspended and resumed by a
function call instead, and code that runs in one is written like any other. Fibers share one thread, so none
may wait for anything else than what it was made for. Whatever would keep the thread waiting calls
:func:`assert_may_block` first; the request then begins again in a thread, where it may.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from greenlet import getcurrent, greenlet

_AT_ONCE = 16
"""Fibers begun before those are looked after that wait."""
_KEPT = 64
"""Fibers that stay when they have nothing to do."""


class MustBlock(BaseException):
    """What runs in a fiber would have to wait for something that no fiber can wait for.

    Not an ``Exception``: no error of a request, and nobody but the loop handles it.
    """


class Fiber(greenlet):
    """One task on its way."""

    loop: asyncio.AbstractEventLoop
    """Of its thread: what the fiber waits for is watched there, and resumes it from a callback."""
    has_changed = False
    """Whether it has changed something that lasts. From then on it cannot begin again, and may block."""

    def suspend(self) -> Any:
        """Wait until somebody calls ``switch`` or ``throw``; what that was called with."""
        return self.parent.switch()


def current_fiber() -> Fiber | None:
    """The fiber that runs this code, if one does."""
    here = getcurrent()
    return here if isinstance(here, Fiber) else None


def assert_may_block() -> None:
    """Called before anything that can keep the thread waiting: a statement, a request to another server.

    Raises:
        MustBlock: in a fiber that can begin again in a thread.
    """
    fiber = current_fiber()
    if fiber is None:
        stand_in: Callable[[], None] | None = getattr(_thread, "stand_in", None)
        if stand_in is not None:
            stand_in()
    elif not fiber.has_changed:
        raise MustBlock


def before_blocking(stand_in: Callable[[], None]) -> None:
    """Have something called whenever this thread, outside of fibers, may be kept waiting."""
    _thread.stand_in = stand_in


_thread = threading.local()


class FiberLoop:
    """A thread that runs tasks as fibers; it starts with the first one.

    Args:
        threads: how many of those that must block may do so at a time. The others wait for a thread.
    """

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="idp-blocking")
        self._idle: list[Fiber] = []
        self._inbox: deque[Callable[[], None]] = deque()
        self._is_asleep = False
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop

    def run(self, task: Callable[[], None]) -> None:
        """Run a task soon, in a fiber; from the beginning in a thread, if it has to block.

        Args:
            task: raises nothing of its own.
        """
        if self._thread is None:
            self._begin()
        self._inbox.append(task)
        if self._is_asleep:
            self._is_asleep = False
            self._loop.call_soon_threadsafe(self._turn)

    def stop(self) -> None:
        """End the threads; what waits is left as it is."""
        with self._start:
            if self._thread is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
        self._threads.shutdown(wait=False)

    def _begin(self) -> None:
        with self._start:
            if self._thread is None:
                self._loop = asyncio.new_event_loop()
                self._loop.call_soon(self._turn)
                thread = threading.Thread(target=self._serve, name="idp-fibers", daemon=True)
                thread.start()
                self._thread = thread

    def _serve(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _turn(self) -> None:
        """Begin what has come in."""
        inbox, idle = self._inbox, self._idle
        for _ in range(min(_AT_ONCE, len(inbox))):
            if not idle:
                fiber = Fiber(self._live)
                fiber.loop = self._loop
                fiber.switch(fiber)
            idle.pop().switch(inbox.popleft())
        self._is_asleep = True
        if inbox:  # more than one turn takes; or put in just now, by somebody who thought us awake
            self._is_asleep = False
            self._loop.call_soon(self._turn)

    def _live(self, fiber: Fiber) -> None:
        """One task after the other: a new fiber would cost the memory of its stack, and to map it."""
        while len(self._idle) < _KEPT:
            self._idle.append(fiber)
            task: Callable[[], None] = fiber.suspend()
            fiber.has_changed = False
            try:
                task()
            except MustBlock:
                self._threads.submit(task)
            except BaseException as error:  # noqa: BLE001 - no task may end the thread that all others need
                self._loop.call_exception_handler({"message": "a task failed", "exception": error})
