"""News of changes through Redis: said after the commit, heard by every worker."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from redis import Redis
from redis.client import PubSub
from redis.exceptions import RedisError

_CHANNEL = "idp:changes"
_PAUSE = 1.0
_LISTEN = 1.0


class RedisSignals:
    """See ``ChangeSignals``.

    Args:
        redis: from :func:`connect_redis`.
        monotonic: seconds that never go back, for the pause after a failure.
    """

    def __init__(self, redis: Redis, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._monotonic = monotonic
        self._paused_until = float("-inf")

    def announce(self, topic: str) -> None:
        """Say that a topic has changed. Never raises."""
        if self._monotonic() < self._paused_until:
            return
        try:
            self._redis.publish(_CHANNEL, topic)
        except (RedisError, OSError):
            self._paused_until = self._monotonic() + _PAUSE

    def listen(self, heard: threading.Event, stopping: threading.Event) -> None:
        """Set ``heard`` whenever something was announced, or may have been, until ``stopping`` is set."""
        while not stopping.is_set():
            subscription: PubSub = self._redis.pubsub(  # type: ignore[no-untyped-call]  # the library leaves it untyped
                ignore_subscribe_messages=True
            )
            with suppress(RedisError, OSError):
                _follow(subscription, heard, stopping)
            with suppress(RedisError, OSError):
                subscription.close()
            stopping.wait(_PAUSE)


def _follow(subscription: PubSub, heard: threading.Event, stopping: threading.Event) -> None:
    subscription.subscribe(_CHANNEL)
    # What was said before we listened may have been missed.
    heard.set()
    while not stopping.is_set():
        if subscription.get_message(timeout=_LISTEN) is not None:
            heard.set()
