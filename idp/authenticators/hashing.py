"""Password hashing that can occupy neither every thread nor every processor."""

import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final, TypeVar

from idp.crypto import PasswordHasher
from idp.errors import Unavailable

T = TypeVar("T")

_NICENESS: Final = 10
_WAITING_PER_SLOT: Final = 2


class BoundedHasher:
    """At most ``slots`` hashes at a time, few waiting, everybody else refused at once (row L8).

    A burst of sign-ins must not take the machine from the token endpoint. So the work runs on
    threads of its own at a lower priority, a caller waits at most ``queue_timeout`` for a slot,
    and when twice as many callers wait as there are slots, the next one does not wait at all:
    otherwise the waiting alone would use up the threads that answer requests.
    """

    def __init__(self, hasher: PasswordHasher, *, slots: int, queue_timeout: timedelta) -> None:
        self._hasher = hasher
        self._free = threading.BoundedSemaphore(slots)
        self._admitted = threading.BoundedSemaphore(slots * (1 + _WAITING_PER_SLOT))
        self._queue_timeout = queue_timeout.total_seconds()
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="idp-hash", initializer=_lower_priority)

    def hash(self, password: str) -> str:
        """A new PHC string for the password.

        Raises:
            Unavailable: no slot became free in time.
        """
        return self._run(lambda: self._hasher.hash(password))

    def verify(self, password: str, phc: str | None) -> bool:
        """Whether the password made the string; the same work when there is no string (row L7).

        Raises:
            Unavailable: no slot became free in time.
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
        if not self._admitted.acquire(blocking=False):
            raise _busy()
        try:
            if not self._free.acquire(timeout=self._queue_timeout):
                raise _busy()
            try:
                return self._pool.submit(work).result()
            finally:
                self._free.release()
        finally:
            self._admitted.release()


def _busy() -> Unavailable:
    return Unavailable(
        "Many people are signing in right now. Please try again in a moment.",
        detail="no free password hashing slot",
        retry_after=timedelta(seconds=1),
    )


def _lower_priority() -> None:
    """Step behind the threads that answer token requests; Linux gives each thread its own niceness."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
