"""One conformance suite for every ephemeral store, and what happens when Redis goes away."""

import secrets
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from idp.errors import Unavailable
from idp.settings import RedisSettings
from idp.storage import StatementCounter, Window
from idp.storage.ephemeral import FallbackEphemeral, SqlEphemeral
from idp.storage.hot import create_hot_pool, create_window_store
from idp.storage.with_redis import RedisEphemeral, connect_redis
from tests.services import new_redis, redis_url
from tests.storage.threads import in_parallel
from tests.storage.throwaway import database

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=1)
LATER = NOW + timedelta(minutes=10)


def connect(url):
    client = connect_redis(RedisSettings(url=url))
    assert client is not None
    return client


@contextmanager
def in_sql(settings, engine):
    pool = create_hot_pool(settings, StatementCounter())
    yield SqlEphemeral(engine, create_window_store(pool))
    pool.close()


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("fallback", marks=pytest.mark.redis),
        "fallback without redis",
    ]
)
def store(request, tmp_path):
    if request.param in {"sqlite", "postgresql"}:
        with database(request.param, tmp_path) as (settings, engine), in_sql(settings, engine) as made:
            yield made
        return
    url = "redis://127.0.0.1:1/0" if "without" in request.param else redis_url()
    if url is None:
        pytest.skip("no Redis")
    with (
        connect(url) as client,
        database("sqlite", tmp_path) as (settings, engine),
        in_sql(settings, engine) as second,
    ):
        first = RedisEphemeral(client)
        yield first if request.param == "redis" else FallbackEphemeral(first, second)


@pytest.fixture
def key():
    """Other people's keys may be in the same Redis."""
    return f"test:{secrets.token_hex(8)}"


def test_what_was_put_is_there_until_it_expires(store, key):
    store.put(key, b"\0\xffvalue", expires_at=SOON, now=NOW)

    assert store.get(key, NOW) == b"\0\xffvalue"
    assert store.get(key, SOON - timedelta(microseconds=1)) == b"\0\xffvalue"
    assert store.get(key, SOON) is None
    assert store.get(key + "other", NOW) is None


def test_a_second_put_replaces(store, key):
    store.put(key, b"1", expires_at=SOON, now=NOW)
    store.put(key, b"", expires_at=LATER, now=NOW)

    assert store.get(key, SOON) == b""


def test_putting_what_has_expired_already(store, key):
    store.put(key, b"1", expires_at=NOW, now=NOW)

    assert store.get(key, NOW) is None


def test_taking_gives_the_value_once(store, key):
    store.put(key, b"1", expires_at=SOON, now=NOW)

    assert store.take(key, NOW) == b"1"
    assert store.take(key, NOW) is None
    assert store.get(key, NOW) is None


def test_taking_what_has_expired_gives_nothing(store, key):
    store.put(key, b"1", expires_at=SOON, now=NOW)

    assert store.take(key, SOON) is None


def test_adding_succeeds_once_until_it_expires(store, key):
    assert store.add_if_absent(key, b"1", expires_at=SOON, now=NOW)
    assert not store.add_if_absent(key, b"2", expires_at=LATER, now=NOW)
    assert store.get(key, NOW) == b"1"

    assert store.add_if_absent(key, b"3", expires_at=LATER, now=SOON)
    assert store.get(key, SOON) == b"3"


def test_a_counter_keeps_the_expiry_of_its_first_addition(store, key):
    assert store.counter(key, NOW) == (0, None)
    assert store.increment(key, 2, expires_at=SOON, now=NOW) == 2
    assert store.increment(key, 3, expires_at=LATER, now=NOW) == 5
    assert store.counter(key, NOW) == (5, SOON)
    assert store.counter(key, SOON) == (0, None)


def test_a_counter_starts_anew_after_its_expiry(store, key):
    store.increment(key, 5, expires_at=SOON, now=NOW)

    assert store.increment(key, 1, expires_at=LATER, now=SOON) == 1
    assert store.counter(key, SOON) == (1, LATER)


def test_keys_may_be_any_text(store, key):
    store.put(f"{key}:ü/%_ {{x}}", b"1", expires_at=SOON, now=NOW)

    assert store.get(f"{key}:ü/%_ {{x}}", NOW) == b"1"


def together(count, action):
    """The results of ``action`` called by several threads at the same moment."""
    return in_parallel(count, lambda _: action())


def test_of_many_takers_one_gets_it(store, key):
    """C1's shape: whatever may be taken once goes to exactly one of several callers."""
    store.put(key, b"1", expires_at=SOON, now=NOW)

    results = together(6, lambda: store.take(key, NOW))

    assert results.count(b"1") == 1
    assert results.count(None) == 5


def test_of_many_adders_one_succeeds(store, key):
    assert together(6, lambda: store.add_if_absent(key, b"1", expires_at=SOON, now=NOW)).count(True) == 1


def test_no_addition_is_lost(store, key):
    results = together(6, lambda: store.increment(key, 1, expires_at=SOON, now=NOW))

    assert sorted(results) == [1, 2, 3, 4, 5, 6]


def window(name, *, limit=3, part=0.5, expires_at=LATER):
    """A window of a minute that is half over."""
    minute = 60_000_000
    return Window(f"{name}/0", f"{name}/1", int(minute * part), minute, limit, expires_at)


def following(of):
    """The window after this one, at its beginning."""
    return of._replace(previous=of.current, current=of.current + "+", remaining=of.length)


def test_a_window_counts_until_it_is_full(store, key):
    tallies = [store.count(window(key), NOW) for _ in range(5)]

    assert [tally.total for tally in tallies] == [1, 2, 3, None, None]
    assert [tally.current for tally in tallies] == [0, 1, 2, 3, 3]
    assert store.count(window(key), LATER).total == 1


def test_the_window_before_fades(store, key):
    for _ in range(3):
        store.count(window(key), NOW)
    begun = following(window(key))

    assert store.count(begun, NOW) == (3, 0, 3, 0, None)
    assert store.count(begun._replace(remaining=begun.length // 3), NOW).total == 1
    assert store.count(begun._replace(remaining=begun.length // 3 - 1), NOW).total == 2


def test_a_full_window_stops_another_one(store, key):
    """L2: after too many failures attempts are not even counted."""
    full = window(key + "full", limit=1)
    store.count(full, NOW)

    tally = store.count(window(key), NOW, unless_full=full)

    assert tally == (0, 1, 0, 0, None)
    assert store.count(window(key), NOW, unless_full=full._replace(limit=2)).total == 1
    assert store.count(full._replace(limit=9), NOW).total == 2


def test_of_many_at_the_last_place_none_is_lost(store, key):
    tallies = together(6, lambda: store.count(window(key, limit=6), NOW))

    assert sorted(tally.total for tally in tallies) == [1, 2, 3, 4, 5, 6]


# --- Redis away


@pytest.fixture
def own_redis():
    server = new_redis()
    if server is None:
        pytest.skip("no redis-server")
    with server:
        yield server


class Stopwatch:
    """Seconds that pass when the test says so."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.mark.redis
def test_a_flushed_redis_forgets_but_fails_nothing(own_redis, key):
    """Redis flushed: a performance event, not an error."""
    with connect(own_redis.url) as client:
        store = RedisEphemeral(client)
        store.increment(key, 5, expires_at=SOON, now=NOW)

        client.flushall()

        assert store.counter(key, NOW) == (0, None)
        assert store.increment(key, 1, expires_at=SOON, now=NOW) == 1
        client.script_flush()
        assert store.increment(key, 1, expires_at=SOON, now=NOW) == 2


@pytest.mark.redis
def test_nobody_notices_that_redis_stops_and_comes_back(own_redis, tmp_path, key):
    """Redis lost: the database takes over at once; afterwards Redis is used again."""
    watch = Stopwatch()
    with (
        connect(own_redis.url) as client,
        database("sqlite", tmp_path) as (settings, engine),
        in_sql(settings, engine) as second,
    ):
        store = FallbackEphemeral(RedisEphemeral(client, monotonic=watch), second)
        store.increment(key, 1, expires_at=SOON, now=NOW)
        assert second.counter(key, NOW) == (0, None)

        own_redis.stop()
        assert store.increment(key, 1, expires_at=SOON, now=NOW) == 1
        assert second.counter(key, NOW)[0] == 1

        own_redis.start()
        assert store.increment(key, 1, expires_at=SOON, now=NOW) == 2  # the pause is not over
        watch.seconds += 1.0
        assert store.increment(key, 7, expires_at=SOON, now=NOW) == 7
        assert second.counter(key, NOW)[0] == 2


@pytest.mark.redis
def test_a_dead_redis_is_not_asked_again_for_a_second(own_redis, key):
    watch = Stopwatch()
    with connect(own_redis.url) as client:
        store = RedisEphemeral(client, monotonic=watch)
        store.put(key, b"1", expires_at=SOON, now=NOW)
        own_redis.stop()
        with pytest.raises(Unavailable, match="cannot answer"):
            store.get(key, NOW)

        own_redis.start()
        with pytest.raises(Unavailable) as caught:
            store.get(key, NOW)
        assert caught.value.detail == "redis failed a moment ago"

        watch.seconds += 1.0
        assert store.get(key, NOW) is None


def test_with_both_stores_away_the_answer_is_unavailable(key):
    """X8: fail closed."""
    with connect("redis://127.0.0.1:1/0") as client:
        away = RedisEphemeral(client)
        with pytest.raises(Unavailable):
            FallbackEphemeral(away, away).get(key, NOW)


def test_without_a_url_there_is_no_redis():
    assert connect_redis(RedisSettings()) is None
