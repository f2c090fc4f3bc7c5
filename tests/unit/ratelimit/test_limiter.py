"""Limits per source: a sliding window over the ephemeral store (L2), failing open into memory."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.clock import FixedClock
from idp.errors import Refused, Unavailable
from idp.ratelimit import Limit, RateLimiter, normalised_source
from idp.ratelimit.counters import MemoryCounters
from idp.ratelimit.keys import counter_key
from idp.settings import RatelimitSettings, RedisSettings
from idp.storage import Window
from idp.storage.ephemeral import SqlEphemeral
from idp.storage.hot import create_hot_pool, create_window_store
from idp.storage.with_redis import RedisEphemeral, connect_redis
from tests.services import redis_url

START = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SETTINGS = RatelimitSettings(login_per_source="5/minute", login_spray_per_source="3/15 minutes")
SOURCE = "192.0.2.7"


class Away:
    """A store that does not answer, and counts how often it was asked."""

    def __init__(self):
        self.asked = 0

    def count(self, window, now, *, unless_full=None):
        self.asked += 1
        raise Unavailable(detail="away")


def limiter(store=None, settings=SETTINGS, clock=None):
    return RateLimiter(store or MemoryCounters(), settings, clock or FixedClock(START))


def allowed(limits, now=START, key=SOURCE, limit=Limit.LOGIN_PER_SOURCE, attempts=20):
    """How many of ``attempts`` in a row go through."""
    count = 0
    for _ in range(attempts):
        try:
            limits.hit(limit, key, now)
        except Refused:
            continue
        count += 1
    return count


def test_limit_is_the_one_of_the_settings():
    assert allowed(limiter()) == 5


def test_every_limit_has_a_rate():
    for limit in Limit:
        assert allowed(limiter(), limit=limit, attempts=500) > 0


def test_sources_do_not_share_a_limit():
    limits = limiter()
    allowed(limits)

    assert allowed(limits, key="192.0.2.8") == 5


def test_limits_do_not_share_a_count():
    limits = limiter()
    allowed(limits)

    assert allowed(limits, limit=Limit.LOGIN_SPRAY) == 3


def test_workers_share_the_store():
    """L2: the counters are the store's, not the worker's."""
    store = MemoryCounters()
    allowed(limiter(store))

    assert allowed(limiter(store)) == 0


def test_database_counts(database, database_settings):
    """Without Redis the counters are in the database."""
    pool = create_hot_pool(database_settings, database.statements)
    store = SqlEphemeral(database.engine, create_window_store(pool))
    allowed(limiter(store))

    assert allowed(limiter(store)) == 0
    pool.close()


@pytest.mark.redis
def test_redis_counts():
    url = redis_url()
    if url is None:
        pytest.skip("no Redis: neither a server nor a binary to start one")
    client = connect_redis(RedisSettings(url=url))
    source = f"source-{uuid.uuid4()}"

    assert allowed(limiter(RedisEphemeral(client)), key=source) == 5
    assert allowed(limiter(RedisEphemeral(client)), key=source) == 0
    client.close()


def test_window_slides():
    """A burst at the turn of the minute does not get twice the rate."""
    limits = limiter()
    end = START + 59 * SECOND
    assert allowed(limits, now=end) == 5

    assert allowed(limits, now=START + 61 * SECOND) == 1
    assert allowed(limits, now=START + 180 * SECOND) == 5


@given(st.integers(min_value=0, max_value=59), st.integers(min_value=1, max_value=12))
def test_waiting_as_told_is_enough(second, attempts):
    """``Retry-After`` is honest: after it, there is room."""
    limits = limiter()
    now = START + second * SECOND
    allowed(limits, now=now, attempts=attempts)
    allowed(limits, now=now + 30 * SECOND)
    with pytest.raises(Refused) as caught:
        limits.hit(Limit.LOGIN_PER_SOURCE, SOURCE, now + 30 * SECOND)

    wait = caught.value.retry_after
    assert wait is not None
    assert SECOND <= wait <= timedelta(minutes=2)

    limits.hit(Limit.LOGIN_PER_SOURCE, SOURCE, now + 30 * SECOND + wait)


def test_another_limit_refuses_without_being_counted():
    """L2: sprayed failures stop attempts, attempts are no failures."""
    limits = limiter()
    both = {"unless_exhausted": Limit.LOGIN_SPRAY}
    for _ in range(4):
        limits.hit(Limit.LOGIN_PER_SOURCE, SOURCE, START, **both)
    assert allowed(limits, limit=Limit.LOGIN_SPRAY) == 3

    with pytest.raises(Refused) as caught:
        limits.hit(Limit.LOGIN_PER_SOURCE, SOURCE, START, **both)
    assert caught.value.detail == "rate 3/15 minute"
    assert allowed(limits) == 1


def test_switched_off_lets_everything_pass():
    """``IDP_RATELIMIT_ENABLED=false``, for test benches."""
    assert allowed(limiter(settings=RatelimitSettings(enabled=False)), attempts=500) == 500


def test_store_that_is_away_is_replaced_by_memory():
    """Redis and database lost: per-worker buckets, and no waiting for the store at each attempt."""
    store, clock = Away(), FixedClock(START)
    limits = limiter(store, clock=clock)

    assert allowed(limits) == 5
    assert store.asked == 1

    clock.advance(2 * SECOND)
    allowed(limits, attempts=1)
    assert store.asked == 2


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8::1", "2001:db8:0:0:ffff::9", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("2001:DB8::1", "2001:db8::1", True),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("unix:", "", False),
    ],
)
def test_addresses_of_one_subscriber_are_one_source(first, second, same):
    """An IPv6 subscriber chooses freely within a /64."""
    assert (normalised_source(first) == normalised_source(second)) is same


def test_address_inside_a_longer_key_is_normalised():
    assert counter_key("x", "2001:db8::1 shop") == counter_key("x", "2001:db8::2 shop")
    assert counter_key("x", "2001:db8::1 shop") != counter_key("x", "2001:db8::1 other")


@given(st.text(), st.text())
def test_counters_have_short_names_that_keep_sources_apart(first, second):
    one, other = counter_key("x", f"a{first}"), counter_key("x", f"a{second}")

    assert len(one) == 22
    assert (one == other) is (f"a{first}" == f"a{second}")


def window(name, **changes):
    values = {"remaining": 30, "length": 60, "limit": 100, "expires_at": START + SECOND}
    return Window(f"{name}/0", f"{name}/1", **values | changes)


def test_memory_is_bounded():
    counters = MemoryCounters(capacity=10)
    for number in range(100):
        counters.count(window(str(number)), START)

    assert counters.count(window("99"), START).current == 1
    assert counters.count(window("0"), START).current == 0


def test_counters_end_at_their_time():
    counters = MemoryCounters()
    for _ in range(3):
        counters.count(window("a"), START)

    assert counters.count(window("a"), START).total == 4
    assert counters.count(window("a", expires_at=START + 9 * SECOND), START + SECOND).total == 1
