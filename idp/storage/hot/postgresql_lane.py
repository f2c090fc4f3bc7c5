"""Statements of several requests in one round trip and one transaction.

A statement alone costs a message each way, a switch to another process and a commit. While a few are on
their way, those that come in the meantime gather and then go together: under load that halves what the
database spends on each and takes a quarter from this process; with little to do each goes at once and alone.

Who goes together shares a transaction, and holds what it has locked until the last one is through. So
none of them may wait for a lock, or two such crowds could wait for each other: each has a second form that
passes over locked rows. What found nothing in that form is asked again alone, in the form that waits.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from idp.errors import Unavailable
from idp.observability import get_logger
from idp.storage.hot.postgresql_connection import RolledBack
from idp.storage.hot.postgresql_pool import PostgresPool

_log = get_logger(__name__)

_MOST = 16
"""Statements in one transaction: who is in it waits for all of them."""
_IN_VAIN = 0.25
"""Part of the pool's time-out. Who has waited so long while those before found no answer does not wait for
one more time-out of the database: that is longer than a request may take."""


class SharedStatement(NamedTuple):
    """One statement in both its forms, with the same parameters."""

    alone: str
    """May wait for locks."""
    together: str
    """Waits for nothing: what is locked does not exist for it. The same text if it takes no locks."""


class _Request:
    """One thread's statement; written by whoever has it in hand: the thread itself, or its leader."""

    __slots__ = ("began", "crew", "error", "is_decided", "parameters", "row", "statement", "turn")

    def __init__(self, statement: SharedStatement, parameters: tuple[object, ...]) -> None:
        self.began = time.monotonic()
        self.statement = statement
        self.parameters = parameters
        self.turn = threading.Lock()
        self.turn.acquire()
        self.crew: list[_Request] = []
        """Whom this thread has to lead once it is its turn; empty: somebody did its work."""
        self.row: tuple[Any, ...] | None = None
        self.error: Unavailable | None = None
        self.is_decided = False


class PostgresLane:
    """Where the statements of one kind queue up.

    Args:
        pool: whose connections are used.
        width: crews on their way at a time, each on a connection of its own.
    """

    def __init__(self, pool: PostgresPool, width: int) -> None:
        self._pool = pool
        self._gate = threading.Lock()
        self._free = width
        self._queue: deque[_Request] = deque()

    def __len__(self) -> int:
        """How many wait for a crew."""
        return len(self._queue)

    def fetch_row(self, statement: SharedStatement, parameters: tuple[object, ...]) -> tuple[Any, ...] | None:
        """As :meth:`PostgresPool.fetch_row`, with others where there are any.

        Raises:
            Unavailable: no connection or no answer in time.
        """
        request = None
        with self._gate:
            if self._free:
                self._free -= 1
            else:
                request = _Request(statement, parameters)
                self._queue.append(request)
        if request is None:
            is_answered = False
            try:
                row = self._pool.fetch_row(statement.alone, parameters)
                is_answered = True
            finally:
                self._hand_over(is_answered=is_answered)
            return row
        self._wait(request)
        if request.crew:
            self._lead(request.crew)
        if request.error is not None:
            raise request.error
        if request.is_decided:
            return request.row
        return self._pool.fetch_row(statement.alone, parameters)

    def change_row(
        self, statement: SharedStatement, parameters: tuple[object, ...]
    ) -> tuple[Any, ...] | None:
        """As :meth:`PostgresPool.change_row`, with others where there are any."""
        row = self.fetch_row(statement, parameters)
        if row is not None:
            self._pool.note_commit()
        return row

    def _wait(self, request: _Request) -> None:
        """Until a leader has done the work, or it is this thread's turn to lead."""
        if request.turn.acquire(timeout=self._pool.timeout):
            return
        with self._gate:
            if request in self._queue:
                self._queue.remove(request)
                raise Unavailable(detail="no database connection in time")
        # Somebody has it in hand, and a connection has an end to its patience.
        request.turn.acquire()

    def _lead(self, crew: Sequence[_Request]) -> None:
        """Run the statements of all of them, and tell each what came of it."""
        is_answered = True
        try:
            self._run(crew)
        except RolledBack as error:
            # Nobody is decided: each asks again alone, and hears of its own error. Its kind only: the words
            # of the database may quote a value.
            fields = {"requests": len(crew), "reason": type(error.__cause__).__name__}
            _log.warning("storage.rolled_back", extra={"fields": fields})
        except BaseException as error:
            is_answered = False
            _tell(crew, error.detail if isinstance(error, Unavailable) else type(error).__name__)
            if not isinstance(error, Unavailable):
                raise
        finally:
            self._hand_over(is_answered=is_answered)
            for request in crew[1:]:
                request.turn.release()

    def _run(self, crew: Sequence[_Request]) -> None:
        if len(crew) == 1:
            crew[0].row = self._pool.fetch_row(crew[0].statement.alone, crew[0].parameters)
            crew[0].is_decided = True
            return
        rows = self._pool.fetch_rows([(one.statement.together, one.parameters) for one in crew])
        for request, row in zip(crew, rows, strict=True):
            alone, together = request.statement
            request.row = row
            request.is_decided = row is not None or alone is together

    def _hand_over(self, *, is_answered: bool) -> None:
        """Let the next in the queue lead all who wait with it."""
        late: list[_Request] = []
        crew: list[_Request] = []
        with self._gate:
            if not is_answered:
                latest = time.monotonic() - self._pool.timeout * _IN_VAIN
                while self._queue and self._queue[0].began < latest:
                    late.append(self._queue.popleft())
            if self._queue:
                crew = [self._queue.popleft() for _ in range(min(_MOST, len(self._queue)))]
            else:
                self._free += 1
        if crew:
            crew[0].crew = crew
            crew[0].turn.release()
        _tell(late, "the database does not answer")
        for request in late:
            request.turn.release()


def _tell(requests: Sequence[_Request], detail: str) -> None:
    for request in requests:
        request.error = Unavailable(detail=detail)
