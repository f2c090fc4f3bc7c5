"""Password hashing that can occupy neither every thread nor every processor."""

import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Final, TypeVar

from idp.crypto import PasswordHasher
from idp.errors import Unavailable
from idp.fibers import assert_may_block
from idp.languages import marked
from idp.scheduling import interruptible

T = TypeVar("T")

_NICENESS: Final = 10
_SECOND: Final = timedelta(seconds=1)


class Busy(Unavailable):
    """More people sign in than can be waited for; ``retry_after`` says when there is room again."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(
            marked("Many people are signing in right now."),
            detail="no free password hashing slot",
            retry_after=max(retry_after, _SECOND),
        )


class BoundedHasher:
    """At most ``slots`` hashes at a time, a bounded number waiting, everybody else refused at once (row L8).

    A burst of sign-ins must not take the machine from the token endpoint, and two things keep it
    from that. The work runs on threads of its own at a lower priority: what the token endpoint
    leaves of the processor is theirs. And whoever cannot be served at once *waits*, for
    ``queue_timeout`` at most and first come, first served: waiting costs a thread and no
    processor, whereas a refusal costs a page and is followed by the next try. Sixteen
    connections that try again at each refusal left the token endpoint 10 % of its rate.

    Only ``waiting`` may wait, so that threads are left for other requests (`Settings` sees to it).

    Args:
        hasher: does the work; releases the interpreter's lock meanwhile, as Argon2 does.
        slots: hashes at a time, each with the memory of one.
        waiting: callers beyond these who may wait.
        queue_timeout: how long they do.
    """

    def __init__(self, hasher: PasswordHasher, *, slots: int, waiting: int, queue_timeout: timedelta) -> None:
        self._hasher = hasher
        self._most = slots + waiting
        self._in_hand = 0
        self._counting = threading.Lock()
        self._queue_timeout = queue_timeout
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="idp-hash", initializer=_lower_priority)

    def assert_room(self) -> None:
        """Refuse early, before anything is looked up, what would be refused at the hash.

        Holds nothing: whoever passes may still be refused there.

        Raises:
            Busy: nobody more may wait.
        """
        if self._in_hand >= self._most:
            raise Busy(self._queue_timeout)

    @property
    def in_hand(self) -> int:
        """How many callers hash or wait."""
        return self._in_hand

    def hash(self, password: str) -> str:
        """A new PHC string for the password.

        Raises:
            Busy: no slot became free in time.
        """
        return self._run(lambda: self._hasher.hash(password))

    def verify(self, password: str, phc: str | None) -> bool:
        """Whether the password made the string; the same work when there is no string (row L7).

        Raises:
            Busy: no slot became free in time.
        """
        if phc is None:
            self._run(lambda: self._hasher.verify_nothing(password))
            return False
        return self._run(lambda: self._hasher.verify(password, phc))

    def needs_rehash(self, phc: str) -> bool:
        """Whether the string was made with other parameters than the present ones."""
        return self._hasher.needs_rehash(phc)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, work: Callable[[], T]) -> T:
        assert_may_block()
        with self._counting:
            self.assert_room()
            # In the lock, so that who is counted first is served first.
            hashed = self._pool.submit(_interruptibly, work)
            self._in_hand += 1
        try:
            return self._wait(hashed)
        finally:
            with self._counting:
                self._in_hand -= 1

    def _wait(self, hashed: Future[T]) -> T:
        try:
            return hashed.result(self._queue_timeout.total_seconds())
        except TimeoutError as error:
            if hashed.cancel():  # it had not begun
                raise Busy(self._queue_timeout) from error
            return hashed.result()


def _interruptibly(work: Callable[[], T]) -> T:
    with interruptible():
        return work()


def _lower_priority() -> None:
    """Step behind the threads that answer requests; Linux gives each thread its own niceness.

    Not further than this: a thread holds the interpreter's lock for some microseconds before and
    after each hash, and everybody waits for one that has the lock but is not given the processor.
    """
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
