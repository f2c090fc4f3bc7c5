"""Which thread the system interrupts for which.

A thread that is woken interrupts the one that runs, if that has had more of the processor. For a server
with more than one thread on a core this is dear: each answer wakes the thread that sends it, and each
request the one that reads it, in the middle of the work on another; a token request was interrupted twice.
Linux has a policy under which no thread is interrupted for another, ``SCHED_BATCH``: requests and answers
then go through each thread in groups. Somebody else's processor time it does not take.

It suits as long as every thread is done within a moment. A password hash takes tens of milliseconds, and a
request that comes meanwhile would wait for the end of the time slice. So while hashes are computed, and for
a moment after the last one, the usual policy holds: to change it takes a call for each thread.

Source: sched(7).
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

_THREADS: Final = "/proc/self/task"
_MOMENT: Final = 0.2
"""Seconds."""


class _Policy:
    """That of the threads of this process."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.begin_anew()

    def begin_anew(self) -> None:
        self.is_batch_wanted = False
        self.is_batch = False
        self._long_works = 0
        self._last_ended = 0.0
        self._changing = threading.Lock()

    def want_batches(self) -> None:
        self._set(os.SCHED_BATCH)
        self.is_batch_wanted = self.is_batch = True

    def begin_long_work(self) -> None:
        with self._changing:
            self._long_works += 1
            if self.is_batch:
                self.is_batch = False
                self._set(os.SCHED_OTHER)

    def end_long_work(self) -> None:
        with self._changing:
            self._long_works -= 1
            self._last_ended = self._monotonic()

    def settle(self) -> None:
        with self._changing:
            if not self._long_works and self._monotonic() - self._last_ended > _MOMENT and not self.is_batch:
                self._set(os.SCHED_BATCH)
                self.is_batch = True

    @staticmethod
    def _set(policy: int) -> None:
        for thread in os.listdir(_THREADS):  # noqa: PTH208 - an object for each thread would cost as much again
            with suppress(OSError):  # it has just ended
                os.sched_setscheduler(int(thread), policy, os.sched_param(0))


_policy = _Policy()
os.register_at_fork(after_in_child=_policy.begin_anew)


def work_in_batches() -> None:
    """No thread of this process is interrupted for another one from now on.

    Threads that are started later take the policy of those that start them. Does nothing on systems other
    than Linux.
    """
    with suppress(AttributeError, OSError):
        _policy.want_batches()


@contextmanager
def interruptible() -> Iterator[None]:
    """Around work that keeps a processor for longer than a request may wait."""
    if not _policy.is_batch_wanted:
        yield
        return
    _policy.begin_long_work()
    try:
        yield
    finally:
        _policy.end_long_work()


def settle() -> None:
    """Back to batches, if nothing long has been computed for a moment; called with every request."""
    if _policy.is_batch_wanted and not _policy.is_batch:
        _policy.settle()
