"""A value that somebody else publishes: renewed when it is old, kept when they are down."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Generic, TypeVar

from idp.clock import Clock
from idp.federation.errors import UpstreamUnavailable

T = TypeVar("T")

_LIFETIME = timedelta(hours=1).total_seconds()
_PAUSE = timedelta(minutes=1).total_seconds()
"""Between two attempts to renew a value that we have."""


class Kept(Generic[T]):
    """One published value. Safe to share between threads; one of them fetches, the others wait if they must.

    Args:
        fetch: asks for it; raises :class:`UpstreamUnavailable`.
        clock: tells durations.
    """

    def __init__(self, fetch: Callable[[], T], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._value: tuple[T] | None = None
        self._failure: UpstreamUnavailable | None = None
        self._attempts = 0
        self._renew_at = 0.0
        self._ask_again_at = 0.0

    def get(self) -> T:
        """The value, at most an hour old; an older one if it cannot be had now.

        Raises:
            UpstreamUnavailable: it never could be had so far.
        """
        value = self._value
        if value is not None and self._clock.monotonic() < self._renew_at:
            return value[0]
        attempts = self._attempts
        # An old value does while somebody else asks for a new one.
        if not self._lock.acquire(blocking=value is None) and value is not None:
            return value[0]
        try:
            value = self._value
            if value is not None and self._clock.monotonic() < self._renew_at:
                return value[0]
            if self._failure is not None and self._attempts != attempts:
                # Somebody tried while we waited: a provider that is slow today does not make a queue.
                raise UpstreamUnavailable(self._failure.detail)
            return self._try()
        finally:
            self._lock.release()

    def newer_than(self, seen: T) -> T:
        """A value other than ``seen``, because that one does not do; asked for at most once a minute.

        Returns:
            The value as it is now, which may be ``seen`` again.
        """
        with self._lock:
            value = self._value
            if value is None or value[0] is not seen:
                return seen if value is None else value[0]
            now = self._clock.monotonic()
            if now < self._ask_again_at:
                return seen
            self._ask_again_at = now + _PAUSE
            return self._try()

    def _try(self) -> T:
        self._attempts += 1
        try:
            value = self._fetch()
        except UpstreamUnavailable as error:
            self._failure = error
            if self._value is None:
                raise
            self._renew_at = self._clock.monotonic() + _PAUSE
            return self._value[0]
        self._failure = None
        self._value = (value,)
        self._renew_at = self._clock.monotonic() + _LIFETIME
        return value
