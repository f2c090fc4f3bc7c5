"""The ephemeral store in Redis, which may be absent, slow or emptied at any moment."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from redis import Redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from idp.errors import Unavailable
from idp.fibers import assert_may_block
from idp.settings import RedisSettings
from idp.storage.records import Tally, Window
from idp.storage.types import from_microseconds, to_microseconds

_PREFIX = "idp:e:"
_STAMP = 17  # digits of the expiry before a value, in microseconds: enough until the year 5138
_PAUSE = 1.0

# KEYS[1]; ARGV: stamped value, now, milliseconds to live
_ADD = """
local held = redis.call('GET', KEYS[1])
if held and tonumber(string.sub(held, 1, 17)) > tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 1
"""

# KEYS[1]; ARGV: amount, now, expiry, milliseconds to live
_INCREMENT = """
local expiry = redis.call('HGET', KEYS[1], 'e')
if not expiry or tonumber(expiry) <= tonumber(ARGV[2]) then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'e', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return redis.call('HINCRBY', KEYS[1], 'c', ARGV[1])
"""

# KEYS: previous and current counter of the other window, then of the one to add to. ARGV: now, expiry,
# milliseconds to live; remaining, length and limit * length of the other window, then of the one to add to.
_COUNT = """
local function count(key)
  local held = redis.call('HMGET', key, 'c', 'e')
  if not held[1] or tonumber(held[2]) <= tonumber(ARGV[1]) then return 0 end
  return tonumber(held[1])
end
local tally = {count(KEYS[1]), count(KEYS[2]), count(KEYS[3]), count(KEYS[4])}
local function room(previous, current, first)
  return previous * ARGV[first] + current * ARGV[first + 1] < tonumber(ARGV[first + 2])
end
if room(tally[1], tally[2], 4) and room(tally[3], tally[4], 7) then
  if tally[4] == 0 then
    redis.call('DEL', KEYS[4])
    redis.call('HSET', KEYS[4], 'e', ARGV[2])
    redis.call('PEXPIRE', KEYS[4], ARGV[3])
  end
  tally[5] = redis.call('HINCRBY', KEYS[4], 'c', 1)
end
return tally
"""


def connect_redis(settings: RedisSettings) -> Redis | None:
    """A client that gives up soon, or None if no Redis is configured. Connects when first used.

    The library's own defaults would let one dead server hold a request for a minute.
    """
    if settings.url is None:
        return None
    client: Redis = Redis.from_url(
        str(settings.url),
        socket_connect_timeout=settings.connect_timeout.total_seconds(),
        socket_timeout=settings.timeout.total_seconds(),
        # One more try: pooled connections are stale after a restart of the server.
        retry=Retry(ExponentialWithJitterBackoff(base=0.01, cap=0.05), 1),
        health_check_interval=30,
        client_name="idp",
    )
    return client


class RedisEphemeral:
    """An :class:`EphemeralStore` in Redis.

    After a failure it answers ``Unavailable`` for a second without trying, so that a dead
    server costs nothing per request. The caller's ``now`` decides about expiry, as in SQL;
    Redis' own expiry only cleans up.

    Args:
        redis: from :func:`connect_redis`.
        monotonic: seconds that never go back, for the pause.
    """

    def __init__(self, redis: Redis, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._monotonic = monotonic
        self._paused_until = float("-inf")
        self._add = redis.register_script(_ADD)
        self._increment = redis.register_script(_INCREMENT)
        self._count = redis.register_script(_COUNT)

    def put(self, key: str, value: bytes, *, expires_at: datetime, now: datetime) -> None:
        """Keep a value, replacing what was there."""
        stamped, left = _stamp(expires_at) + value, _left(expires_at, now)
        self._try(lambda: self._redis.set(_PREFIX + key, stamped, px=left))

    def get(self, key: str, now: datetime) -> bytes | None:
        """The value, if there is one."""
        return _unstamp(self._try(lambda: self._redis.get(_PREFIX + key)), now)

    def take(self, key: str, now: datetime) -> bytes | None:
        """The value, removing it: of several callers one gets it."""
        return _unstamp(self._try(lambda: self._redis.getdel(_PREFIX + key)), now)

    def add_if_absent(self, key: str, value: bytes, *, expires_at: datetime, now: datetime) -> bool:
        """Keep a value unless there is one; True for the one caller that did."""
        arguments: list[bytes | int] = [
            _stamp(expires_at) + value,
            to_microseconds(now),
            _left(expires_at, now),
        ]
        return bool(self._try(lambda: self._add(keys=[_PREFIX + key], args=arguments)))

    def increment(self, key: str, amount: int, *, expires_at: datetime, now: datetime) -> int:
        """Add to a counter and return the sum."""
        arguments = [amount, to_microseconds(now), to_microseconds(expires_at), _left(expires_at, now)]
        return int(self._try(lambda: self._increment(keys=[_PREFIX + key], args=arguments)))

    def counter(self, key: str, now: datetime) -> tuple[int, datetime | None]:
        """A counter's sum and expiry."""
        count, expiry = self._try(lambda: self._redis.hmget(_PREFIX + key, ["c", "e"]))
        if count is None or expiry is None or int(expiry) <= to_microseconds(now):
            return 0, None
        return int(count), from_microseconds(int(expiry))

    def count(self, window: Window, now: datetime, *, unless_full: Window | None = None) -> Tally:
        """Add one to a sliding window with room: one round trip."""
        other = unless_full or window
        keys = [other.previous, other.current, window.previous, window.current]
        arguments = [to_microseconds(now), to_microseconds(window.expires_at), _left(window.expires_at, now)]
        for each in (other, window):
            arguments += [each.remaining, each.length, each.limit * each.length]
        tally = self._try(lambda: self._count(keys=[_PREFIX + key for key in keys], args=arguments))
        return Tally._make((*tally, None)[:5])

    def _try(self, call: Callable[[], Any]) -> Any:
        assert_may_block()
        if self._monotonic() < self._paused_until:
            raise Unavailable(detail="redis failed a moment ago")
        try:
            return call()
        except (RedisError, OSError) as error:
            self._paused_until = self._monotonic() + _PAUSE
            raise Unavailable(detail=f"redis: {type(error).__name__}") from error


def _stamp(expires_at: datetime) -> bytes:
    return b"%0*d" % (_STAMP, max(0, to_microseconds(expires_at)))


def _unstamp(data: bytes | None, now: datetime) -> bytes | None:
    if data is None or int(data[:_STAMP]) <= to_microseconds(now):
        return None
    return data[_STAMP:]


def _left(expires_at: datetime, now: datetime) -> int:
    """Milliseconds to live; Redis refuses zero."""
    return max(1, (expires_at - now) // timedelta(milliseconds=1))
