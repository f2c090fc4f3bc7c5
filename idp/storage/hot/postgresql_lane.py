"""Statements of several requests in one round trip and one transaction.

A statement alone costs a message each way, a switch to another process and a commit. Requests that run in
fibers (:mod:`idp.fibers`) gather while others are on their way, and then go together. A request in a thread
of its own goes alone.

Who goes together shares a transaction, and holds what it has locked until the last one is through. So
none of them may wait for a lock, or two such crowds could wait for each other: each has a second form that
passes over locked rows. What found nothing in that form begins again alone, in the form that waits.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from idp.errors import Unavailable
from idp.fibers import Fiber, MustBlock, current_fiber
from idp.observability import get_logger
from idp.storage.connections import Unanswered
from idp.storage.hot.postgresql_connection import TIME_OUTS, HotConnection, RolledBack, Together
from idp.storage.hot.postgresql_pool import PostgresPool

_log = get_logger(__name__)

LANE_WIDTH = 2
"""Crews of one lane under way: while the database works on one, the next gathers, and neither side idles."""

_MOST = 32
"""Statements in one transaction: who is in it waits for all of them."""

_LOOK_AGAIN = 0.02
"""Seconds, while there is no connection to send anything on."""


class SharedStatement(NamedTuple):
    """One statement in both its forms, with the same parameters."""

    alone: str
    """May wait for locks."""
    together: str
    """Waits for nothing: what is locked does not exist for it. The same text if it takes no locks."""


class _Request(NamedTuple):
    fiber: Fiber
    statement: SharedStatement
    parameters: tuple[object, ...]


class PostgresLane:
    """Where the statements of one kind gather.

    All its fibers run on one loop, so nothing here needs a lock.

    Args:
        pool: whose connections are used.
        width: crews on their way at a time, each on a connection of its own.
    """

    def __init__(self, pool: PostgresPool, width: int) -> None:
        self._pool = pool
        self._width = width
        self._under_way = 0
        self._to_threads = 1
        self._waiting: deque[_Request] = deque()

    def fetch_row(self, statement: SharedStatement, parameters: tuple[object, ...]) -> tuple[Any, ...] | None:
        """As :meth:`PostgresPool.fetch_row`; in a fiber, with others where there are any.

        Raises:
            Unavailable: no connection or no answer in time.
            MustBlock: this can only be asked alone; nothing was changed.
        """
        fiber = current_fiber()
        if fiber is None:
            return self._pool.fetch_row(statement.alone, parameters)
        self._waiting.append(_Request(fiber, statement, parameters))
        if len(self._waiting) == 1 and self._under_way < self._width:
            # Soon and not now: whoever comes in the same turn of the loop goes along.
            fiber.loop.call_soon(self._send, fiber.loop)
        row: tuple[Any, ...] | None = fiber.suspend()
        return row

    def change_row(
        self, statement: SharedStatement, parameters: tuple[object, ...]
    ) -> tuple[Any, ...] | None:
        """As :meth:`PostgresPool.change_row`, otherwise as :meth:`fetch_row`."""
        row = self.fetch_row(statement, parameters)
        if row is not None:
            self._pool.observer.commit()
            fiber = current_fiber()
            if fiber is not None:
                fiber.has_changed = True
        return row

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let as many as may go together go."""
        if not self._waiting or self._under_way >= self._width:
            return
        connection = self._pool.take_idle()
        if connection is None:
            if not self._under_way:
                # To open a connection, or to wait for one, is for threads: for few at first, as what one of
                # them opens may serve all, then for twice as many each time.
                _begin_again(self._taken(min(self._to_threads, len(self._waiting))))
                self._to_threads *= 2
                if self._waiting:
                    loop.call_later(_LOOK_AGAIN, self._send, loop)
            return
        self._to_threads = 1
        requests = self._taken(min(_MOST, len(self._waiting)))
        for request in requests:
            self._pool.observer.statement(request.statement.together)
        self._under_way += 1
        _Crew(self, loop, requests, connection).send()

    def _taken(self, count: int) -> list[_Request]:
        return [self._waiting.popleft() for _ in range(count)]

    def arrived(self, crew: "_Crew", error: BaseException | None = None) -> str | None:
        """A crew is through, and its connection free for the next.

        Returns:
            What its requests are to be told, if the database is to blame for the error.
        """
        self._under_way -= 1
        told = None
        try:
            self._pool.give_back(crew.connection, error)
        except Unavailable as unavailable:
            told = unavailable.detail
        if isinstance(error, TIME_OUTS):
            # Who has waited behind them does not wait for one more time-out: that would be too long.
            _refuse(self._taken(len(self._waiting)), "the database does not answer")
        self._send(crew.loop)
        return told


class _Crew:
    """Requests on their way together."""

    def __init__(
        self,
        lane: PostgresLane,
        loop: asyncio.AbstractEventLoop,
        requests: Sequence[_Request],
        connection: HotConnection,
    ) -> None:
        self._lane = lane
        self._requests = requests
        self._answers: Together
        self._patience: asyncio.TimerHandle
        self._socket: int
        self.loop = loop
        self.connection = connection

    def send(self) -> None:
        """Ask the database, and wait for it on the loop."""
        try:
            self._answers = self.connection.begin_together(
                [(one.statement.together, one.parameters) for one in self._requests]
            )
        except BaseException as error:  # noqa: BLE001 - whatever it is, the requests have to hear of it
            self._end(error)
            return
        self._patience = self.loop.call_later(self.connection.patience, self._time_out)
        self._socket = self.connection.socket  # kept: a lost connection does not know its own any more
        self.loop.add_reader(self._socket, self._receive)

    def _receive(self) -> None:
        try:
            rows = self._answers.receive()
        except BaseException as error:  # noqa: BLE001 - as above
            self._stop_waiting()
            self._end(error)
            return
        if rows is None:
            return
        self._stop_waiting()
        # The next are sent before these go on: the database works meanwhile.
        self._lane.arrived(self)
        for (fiber, statement, _), row in zip(self._requests, rows, strict=True):
            if row is None and statement.alone is not statement.together:
                fiber.throw(MustBlock())
            else:
                fiber.switch(row)

    def _time_out(self) -> None:
        self._stop_waiting()
        self._end(Unanswered(f"no answer within {self.connection.patience} s"))

    def _stop_waiting(self) -> None:
        self._patience.cancel()
        self.loop.remove_reader(self._socket)

    def _end(self, error: BaseException) -> None:
        told = self._lane.arrived(self, error)
        if isinstance(error, RolledBack):
            # Nobody is decided: each asks again alone, and hears of its own error. Its kind only: the words
            # of the database may quote a value.
            fields = {"requests": len(self._requests), "reason": type(error.__cause__).__name__}
            _log.warning("storage.rolled_back", extra={"fields": fields})
            _begin_again(self._requests)
            return
        _refuse(self._requests, told or type(error).__name__)
        if told is None:
            raise error  # a mistake of ours: the loop logs it


def _begin_again(requests: Sequence[_Request]) -> None:
    for request in requests:
        request.fiber.throw(MustBlock())


def _refuse(requests: Sequence[_Request], detail: str) -> None:
    for request in requests:
        request.fiber.throw(Unavailable(detail=detail))
