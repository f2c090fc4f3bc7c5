"""Changes of several requests in one SQLite transaction: one turn to write, one flush of the disk.

Requests that run in fibers (:mod:`idp.fibers`) gather while the loop begins the others that have come, and
then go together. A request in a thread of its own goes alone.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from idp.errors import Unavailable
from idp.fibers import Fiber, MustBlock, current_fiber
from idp.storage.hot.sqlite_pool import SqlitePool, SqliteTransaction

_MOST = 32
"""Changes in one transaction: who is in it waits for all of them, and so does whoever wants to write."""

T = TypeVar("T")
Work = Callable[[SqliteTransaction], T | None]
"""Runs its statements, and says ``None`` if it changed nothing."""


class _Request(NamedTuple):
    fiber: Fiber
    work: Work[Any]


class SqliteLane:
    """Where changes gather.

    All its fibers run on one loop, so nothing here needs a lock. The loop's thread does the writing: whoever
    else waits on it wants to write too, and SQLite lets one write at a time.

    Args:
        pool: whose connections are used.
    """

    def __init__(self, pool: SqlitePool) -> None:
        self._pool = pool
        self._waiting: deque[_Request] = deque()

    def change(self, work: Work[T]) -> T | None:
        """Run ``work`` in a transaction; in a fiber, with others where there are any.

        Raises:
            Unavailable: the file cannot be used, or another one's transaction took too long.
            MustBlock: this can only be done alone; nothing was changed.
        """
        fiber = current_fiber()
        if fiber is None:
            with self._pool.transaction() as transaction:
                return work(transaction)
        self._waiting.append(_Request(fiber, work))
        if len(self._waiting) == 1:
            # Soon and not now: whoever comes in the same turn of the loop goes along.
            fiber.loop.call_soon(self._write, fiber.loop)
        result: T | None = fiber.suspend()
        if result is not None:
            fiber.has_changed = True
        return result

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._waiting:
            return
        requests = [self._waiting.popleft() for _ in range(min(_MOST, len(self._waiting)))]
        if self._waiting:
            loop.call_soon(self._write, loop)
        try:
            with self._pool.transaction() as transaction:
                results = [request.work(transaction) for request in requests]
        except Unavailable as unavailable:
            # Who has gathered behind them does not wait for one more time-out: that would be too long.
            late, self._waiting = self._waiting, deque()
            for request in (*requests, *late):
                request.fiber.throw(Unavailable(detail=unavailable.detail))
        except Exception:  # noqa: BLE001 - each hears of its own error, alone
            for request in requests:
                request.fiber.throw(MustBlock())
        else:
            for request, result in zip(requests, results, strict=True):
                request.fiber.switch(result)
