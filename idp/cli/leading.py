"""The threads of a server take turns at waiting for the next request.

Where all of them wait, a burst of requests wakes them all, for one request each, and each looks around for a
while before it sleeps again. That costs more than a tenth of what a token request does. So one waits, the
leader, and the others follow: they sleep here until it is held up.

Source: Schmidt, O'Ryan, Pyarali, Kircher, Buschmann, "Leader/Followers" (POSA, volume 2).
"""

import threading
import time
from collections.abc import Callable

_TRUSTED = 10.0
"""Seconds for which a thread that went to wait is surely still there; later its server may have ended it."""


class LeaderFollowers:
    """Where a server's threads come before and after each request.

    A leader that is about to wait says so (:func:`idp.fibers.assert_may_block`), and a follower takes its
    place at once. For a leader that is held up without a word, as by a body that does not come, a follower
    takes its place after ``patience``, or twice that at most.

    Args:
        patience: seconds.
        monotonic: seconds that never go back.
    """

    def __init__(self, patience: float = 0.1, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._leaders: dict[int, float] = {}
        """By thread, since when it waits for a request."""
        self._followers: list[tuple[int, threading.Lock]] = []
        """The thread and what it sleeps on; whoever came last is woken first, as its caches are warm."""
        self._taken = 0
        """Requests so far: whether anything goes on."""

    @property
    def followers(self) -> int:
        """How many threads sleep here."""
        return len(self._followers)

    def take(self) -> None:
        """This thread has been given a request, and may be held up by it."""
        with self._lock:
            self._leaders.pop(threading.get_ident(), None)
            self._taken += 1

    def promote(self) -> None:
        """This thread is about to be held up: unless another waits for requests, one shall."""
        if not self._followers:
            return
        with self._lock:
            if not self._followers or self._is_led():
                return
            thread, gate = self._followers.pop()
            self._leaders[thread] = self._monotonic()
        gate.release()

    def failed(self) -> None:
        """This thread brings an error to its server, and must not be kept: nobody has been answered yet."""
        with self._lock:
            self._leaders[threading.get_ident()] = self._monotonic()

    def done(self) -> None:
        """This thread has answered its request; returns when it should wait for the next one."""
        thread = threading.get_ident()
        with self._lock:
            if not self._is_led():
                self._leaders[thread] = self._monotonic()
                return
            gate = threading.Lock()
            gate.acquire()
            self._followers.append((thread, gate))
            seen = self._taken
        while not gate.acquire(timeout=self._patience):
            with self._lock:
                if seen != self._taken or (thread, gate) not in self._followers:
                    seen = self._taken
                    continue
                # Nothing was taken for a while: there is nothing to do, or the leader cannot.
                self._followers.remove((thread, gate))
                self._leaders[thread] = self._monotonic()
                return

    def _is_led(self) -> bool:
        newest = max(self._leaders.values(), default=None)
        if newest is not None and self._monotonic() - newest < _TRUSTED:
            return True
        self._leaders.clear()
        return False
