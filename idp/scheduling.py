"""Which thread the system interrupts for which.

A thread that is woken interrupts the one that runs, if that has had more of the processor. For a server
with more than one thread on a core this is dear: each answer wakes the thread that sends it, and each
request the one that reads it, in the middle of the work on another; a token request was interrupted twice.
Linux has a policy under which no thread is interrupted for another, ``SCHED_BATCH``: requests and answers
then go through each thread in groups. Somebody else's processor time it does not take.

It suits as long as every thread is done within a moment. A password hash takes tens of milliseconds, and a
request that comes meanwhile would wait for the end of the time slice. So while one is computed the usual
policy holds; see :func:`interruptible`.

Source: sched(7).
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_THREADS: Final = Path("/proc/self/task")


class _Policy:
    """That of the threads of this process."""

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        self.is_batch = False
        self.long_works = 0
        self.changing = threading.Lock()

    def add_long_work(self, count: int) -> None:
        with self.changing:
            before, self.long_works = self.long_works, self.long_works + count
            if not before or not self.long_works:
                _set_for_all(os.SCHED_OTHER if self.long_works else os.SCHED_BATCH)


_policy = _Policy()
os.register_at_fork(after_in_child=_policy.begin_anew)


def work_in_batches() -> None:
    """No thread of this process is interrupted for another one from now on.

    Threads that are started later take the policy of those that start them. Does nothing on systems other
    than Linux.
    """
    with suppress(AttributeError, OSError):
        _set_for_all(os.SCHED_BATCH)
        _policy.is_batch = True


@contextmanager
def interruptible() -> Iterator[None]:
    """Around work that keeps a processor for longer than a request may wait."""
    if not _policy.is_batch:
        yield
        return
    _policy.add_long_work(1)
    try:
        yield
    finally:
        _policy.add_long_work(-1)


def _set_for_all(policy: int) -> None:
    for thread in _THREADS.iterdir():
        with suppress(OSError):  # it has just ended
            os.sched_setscheduler(int(thread.name), policy, os.sched_param(0))
