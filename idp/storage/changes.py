"""The change feed: every worker learns within a second or so what another one has changed.

A change bumps a counter in its own transaction (``repos.changes.bump``). Every worker polls
the counters; a Redis message after the commit only makes it look sooner. A worker that cannot
poll does not know what was revoked meanwhile, so it says so and everything stateful answers
503 (rows X8 and T16).
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from idp.clock import Clock, SystemClock
from idp.errors import Unavailable
from idp.observability import get_logger
from idp.storage.change_sources import ChangeSource

TOPICS = frozenset({"clients", "resources", "keys", "providers", "deployment"})
"""What can change. A topic names what a worker may have cached, not a table."""

_FAILURES_UNTIL_DOWN = 2
_COALESCE = 0.02
_LONGEST_ROUND_TRIP = timedelta(milliseconds=200)
_CLOCK_TOLERANCE = timedelta(milliseconds=2)

_log = get_logger(__name__)


class ChangeSignals(Protocol):
    """A faster way to hear of changes, which may be down or lose some."""

    def announce(self, topic: str) -> None:
        """Say that a topic has changed. Never raises."""
        ...

    def listen(self, heard: threading.Event, stopping: threading.Event) -> None:
        """Set ``heard`` whenever something was announced, or may have been, until ``stopping`` is set."""
        ...


class ChangeFeed:
    """Polls the change counters and tells the rooms that keep copies.

    Args:
        source: from ``create_change_source``.
        clock: a ``SystemClock`` is corrected to the database's time along the way.
        signals: from ``connect_shared``; None does without.
        poll_interval: ``settings.changes.poll_interval``.
        monotonic: seconds that never go back; real ones even where ``clock`` stands still.
    """

    def __init__(
        self,
        source: ChangeSource,
        clock: Clock,
        signals: ChangeSignals | None = None,
        *,
        poll_interval: timedelta = timedelta(seconds=1),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._clock = clock
        self._monotonic = monotonic
        self._signals = signals
        self._interval = poll_interval.total_seconds()
        self._subscribers: dict[str, list[Callable[[], None]]] = {}
        self._versions: dict[str, int] = {}
        self._failures = 0
        self._last_success = monotonic()
        self._polling = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def subscribe(self, topic: str, callback: Callable[[], None]) -> None:
        """Call ``callback`` when the topic has changed; at the first poll that is since ever.

        It runs in the polling thread, should only mark copies as outdated or reload them, and
        is called again with the next poll if it raises.

        Raises:
            ValueError: there is no such topic.
        """
        if topic not in TOPICS:
            raise ValueError(f"unknown topic: {topic}")
        self._subscribers.setdefault(topic, []).append(callback)

    def poll(self) -> bool:
        """Look for changes now and call the subscribers concerned.

        Returns:
            whether everything is known and applied; a second failure in a row means ``is_down``.
        """
        with self._polling:
            if self._stopping.is_set():
                return False  # or a connection would be opened that nobody closes
            try:
                self._apply(self._read())
            except Exception as error:  # noqa: BLE001 - whatever went wrong, copies may be outdated: fail closed
                self._failed(error)
                return False
            if self._failures >= _FAILURES_UNTIL_DOWN:
                _log.warning("changes.up")
            self._failures = 0
            self._last_success = self._monotonic()
            return True

    @property
    def is_down(self) -> bool:
        """Whether this worker no longer knows what has changed."""
        if self._failures >= _FAILURES_UNTIL_DOWN:
            return True
        # A poll that hangs neither fails nor succeeds.
        return bool(self._threads) and self._monotonic() - self._last_success > 2 * self._interval + 1

    def assert_available(self) -> None:
        """Refuse to answer from copies that may be outdated.

        Raises:
            Unavailable: the feed is down.
        """
        if self.is_down:
            raise Unavailable(detail="the change feed is down")

    def notify(self, topic: str) -> None:
        """Say after the commit that a topic has changed, so that workers look at once. Never raises."""
        self._wake.set()
        if self._signals is not None:
            self._signals.announce(topic)

    def start(self) -> None:
        """Poll once, then keep polling in a thread of its own until :meth:`stop`."""
        if self._threads:
            return
        self._stopping.clear()
        # Copies may be as old as the process this one was forked from: here one failure is one too many.
        self._failures = max(self._failures, _FAILURES_UNTIL_DOWN - 1)
        self.poll()
        self._threads = [threading.Thread(target=self._keep_polling, name="changes", daemon=True)]
        if self._signals is not None:
            listening = (self._wake, self._stopping)
            self._threads.append(
                threading.Thread(target=self._signals.listen, args=listening, name="signals", daemon=True)
            )
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads and close the connection."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads:
            thread.join(timeout=5)
        self._threads = []
        with self._polling:
            self._source.close()

    def _read(self) -> dict[str, int]:
        """The present versions; sets the clock right along the way."""
        before, corrected_before = SystemClock.uncorrected(), self._clock.now()
        snapshot = self._source.read()
        round_trip = SystemClock.uncorrected() - before
        if snapshot.database_now is not None and isinstance(self._clock, SystemClock):
            half = round_trip / 2
            error = abs(snapshot.database_now - (corrected_before + half))
            # Within what the measurement can tell the clock is left alone, so that it does not jitter.
            if round_trip <= _LONGEST_ROUND_TRIP and error > half + _CLOCK_TOLERANCE:
                self._clock.correct(database_now=snapshot.database_now, local_now=before + half)
        return dict(snapshot.versions)

    def _apply(self, versions: dict[str, int]) -> None:
        for topic in sorted(versions):
            if self._versions.get(topic) == versions[topic]:
                continue
            for callback in self._subscribers.get(topic, ()):
                callback()
            # Noted only now: a callback that failed is called again.
            self._versions[topic] = versions[topic]

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        detail = error.detail if isinstance(error, Unavailable) else f"{type(error).__name__}: {error}"
        if self._failures == _FAILURES_UNTIL_DOWN:
            _log.error("changes.down", extra={"fields": {"detail": detail}})
        elif self._failures < _FAILURES_UNTIL_DOWN:
            _log.warning("changes.poll_failed", extra={"fields": {"detail": detail}})

    def _keep_polling(self) -> None:
        while not self._stopping.is_set():
            if self._wake.wait(self._interval):
                # Several changes at once are one look.
                self._stopping.wait(_COALESCE)
            self._wake.clear()
            if not self._stopping.is_set():
                self.poll()
