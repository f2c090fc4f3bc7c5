"""Workers hear of changes, and say so when they cannot."""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from idp.clock import FixedClock, SystemClock
from idp.errors import Unavailable
from idp.settings import DatabaseSettings, RedisSettings
from idp.storage.change_sources import ChangeSnapshot, create_change_source
from idp.storage.changes import TOPICS, ChangeFeed
from idp.storage.database import begin_write
from idp.storage.with_redis import RedisSignals, connect_redis
from tests.services import new_postgresql, new_redis
from tests.storage.throwaway import database, tables

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PATIENCE = 10


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def place(request, tmp_path):
    with database(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def feed(place):
    feed = ChangeFeed(create_change_source(place[0]), FixedClock(NOW))
    yield feed
    feed.stop()


def bump(place, topic):
    _, engine = place
    with begin_write(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO change_counter (topic, version, changed_at) VALUES (:topic, 1, :at)"
                " ON CONFLICT (topic) DO UPDATE SET version = change_counter.version + 1"
            ),
            {"topic": topic, "at": 0 if engine.dialect.name == "sqlite" else NOW},
        )


class Calls(list):
    """A subscriber that counts, and lets a test wait for the next call."""

    def __init__(self):
        super().__init__()
        self.called = threading.Event()
        self.error = None

    def __call__(self):
        self.append(1)
        self.called.set()
        if self.error:
            raise self.error


def test_a_change_is_told_once_to_those_concerned(place, feed):
    clients, keys = Calls(), Calls()
    feed.subscribe("clients", clients)
    feed.subscribe("keys", keys)
    assert feed.poll()

    bump(place, "clients")
    assert feed.poll()
    assert feed.poll()

    assert (len(clients), len(keys)) == (1, 0)


def test_what_changed_before_the_first_poll_is_told(place, feed):
    """A copy may have been loaded before the worker first looked."""
    bump(place, "clients")
    calls = Calls()
    feed.subscribe("clients", calls)

    feed.poll()

    assert len(calls) == 1


def test_a_restored_backup_is_a_change(place, feed):
    bump(place, "clients")
    bump(place, "clients")
    calls = Calls()
    feed.subscribe("clients", calls)
    feed.poll()

    with begin_write(place[1]) as connection:
        connection.execute(text("UPDATE change_counter SET version = 1"))
    feed.poll()

    assert len(calls) == 2


def test_a_change_that_was_not_committed_is_none(place, feed):
    bump(place, "clients")
    calls = Calls()
    feed.subscribe("clients", calls)
    feed.poll()

    def fail():
        with begin_write(place[1]) as connection:
            connection.execute(text("UPDATE change_counter SET version = version + 1"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    feed.poll()

    assert len(calls) == 1


def test_a_subscriber_that_failed_is_called_again_and_two_failures_close_the_door(place, feed):
    """X8: copies that could not be renewed are not used."""
    calls = Calls()
    feed.subscribe("clients", calls)
    bump(place, "clients")
    calls.error = RuntimeError("no")

    assert not feed.poll()
    assert not feed.is_down
    assert not feed.poll()
    assert feed.is_down
    with pytest.raises(Unavailable):
        feed.assert_available()

    calls.error = None
    assert feed.poll()
    assert not feed.is_down
    feed.assert_available()
    assert len(calls) == 3


def test_topics_are_a_closed_list(feed):
    for topic in TOPICS:
        feed.subscribe(topic, lambda: None)
    with pytest.raises(ValueError, match="unknown topic"):
        feed.subscribe("client", lambda: None)


def test_the_thread_follows_changes_by_itself(place):
    feed = ChangeFeed(create_change_source(place[0]), FixedClock(NOW), poll_interval=timedelta(seconds=0.05))
    calls = Calls()
    feed.subscribe("clients", calls)
    feed.start()

    bump(place, "clients")

    assert calls.called.wait(PATIENCE)
    feed.stop()
    assert not feed.is_down


def test_the_worker_that_changed_something_looks_at_once(place):
    feed = ChangeFeed(create_change_source(place[0]), FixedClock(NOW), poll_interval=timedelta(hours=1))
    calls = Calls()
    feed.subscribe("clients", calls)
    feed.start()

    bump(place, "clients")
    feed.notify("clients")

    assert calls.called.wait(PATIENCE)
    feed.stop()


def test_a_poll_that_hangs_counts_as_lost():
    """X8: neither an answer nor an error is no knowledge either."""
    released, entered = threading.Event(), threading.Event()

    class Hanging:
        def read(self):
            entered.set()
            released.wait(PATIENCE)
            return ChangeSnapshot({}, None)

        def close(self):
            pass

    seconds = [0.0]
    feed = ChangeFeed(Hanging(), FixedClock(NOW), monotonic=lambda: seconds[0])
    released.set()
    feed.start()
    released.clear()
    entered.clear()
    feed.notify("clients")
    assert entered.wait(PATIENCE)
    assert not feed.is_down

    seconds[0] = 3.5
    assert feed.is_down
    released.set()
    feed.stop()


def test_whoever_starts_without_a_database_is_down_at_once(tmp_path):
    """X8: a new worker's copies are as old as its master; the first look that fails is one too many."""
    missing = DatabaseSettings(url=f"sqlite:///{tmp_path}/missing.sqlite3")
    feed = ChangeFeed(create_change_source(missing), FixedClock(NOW), poll_interval=timedelta(hours=1))

    feed.start()

    assert feed.is_down
    feed.stop()


def test_an_sqlite_file_that_is_missing_is_not_made(tmp_path):
    settings = DatabaseSettings(url=f"sqlite:///{tmp_path}/missing.sqlite3")
    feed = ChangeFeed(create_change_source(settings), FixedClock(NOW))

    assert not feed.poll()
    assert not (tmp_path / "missing.sqlite3").exists()


@pytest.mark.postgresql
def test_a_lost_postgresql_closes_the_door_and_opens_it_again(caplog):
    """Database lost: everything stateful answers 503; back by itself when the database is."""
    server = new_postgresql()
    if server is None:
        pytest.skip("no PostgreSQL binaries")
    with server, tables(DatabaseSettings(url=server.url)) as made:
        feed = ChangeFeed(create_change_source(made[0]), FixedClock(NOW))
        bump(made, "clients")
        calls = Calls()
        feed.subscribe("clients", calls)
        assert feed.poll()

        made[1].dispose()
        server.stop()
        started = time.monotonic()
        with caplog.at_level(logging.ERROR):
            assert not feed.poll()
            assert not feed.is_down
            assert not feed.poll()
        assert feed.is_down
        assert time.monotonic() - started < 3
        assert [record.getMessage() for record in caplog.records] == ["changes.down"]

        server.start()
        bump(made, "clients")
        assert feed.poll()
        assert not feed.is_down
        assert len(calls) == 2
        feed.stop()


@pytest.mark.redis
def test_redis_makes_it_sooner_and_may_come_and_go(place):
    """Redis lost or back: nobody notices but for the delay."""
    server = new_redis()
    if server is None:
        pytest.skip("no redis-server")
    with server:
        redis = connect_redis(RedisSettings(url=server.url))
        feeds = [
            ChangeFeed(
                create_change_source(place[0]),
                FixedClock(NOW),
                RedisSignals(redis),
                poll_interval=timedelta(hours=1),
            )
            for _ in range(2)
        ]
        calls = Calls()
        feeds[1].subscribe("clients", calls)
        for feed in feeds:
            feed.start()
        for _ in range(2):
            wait_until(lambda: redis.pubsub_numsub("idp:changes")[0][1] == 2)
            calls.called.clear()
            bump(place, "clients")
            # Again and again: whoever failed to tell a moment ago does not try for a second.
            wait_until(lambda: feeds[0].notify("clients") or calls.called.is_set())

            server.stop()
            feeds[0].notify("clients")
            assert not feeds[0].is_down
            server.start()
        for feed in feeds:
            feed.stop()
        redis.close()


def wait_until(question):
    """Until the answer is yes; errors count as no."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if question():
                return
        except OSError:
            pass
        threading.Event().wait(0.02)
    pytest.fail("it never became true")


class Told:
    """A source that says it is a certain time."""

    def __init__(self, ahead):
        self.ahead = ahead

    def read(self):
        return ChangeSnapshot({}, SystemClock.uncorrected() + self.ahead)

    def close(self):
        pass


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(minutes=-5)])
def test_the_clock_follows_the_database(ahead):
    """Clock skew: every node decides about expiry in the database's time."""
    clock = SystemClock()
    feed = ChangeFeed(Told(ahead), clock)

    feed.poll()

    assert abs(clock.now() - SystemClock.uncorrected() - ahead) < timedelta(seconds=1)


def test_the_clock_does_not_jitter():
    clock = SystemClock()
    feed = ChangeFeed(Told(timedelta(microseconds=500)), clock)

    feed.poll()

    assert clock.now() - SystemClock.uncorrected() <= timedelta(0)


def test_a_poll_is_one_statement_on_a_connection_of_its_own(place, feed):
    """Requests that hold every pooled connection do not make the database look lost."""
    settings, engine = place
    held = [engine.connect() for _ in range(settings.pool_size)]

    assert feed.poll()

    for connection in held:
        connection.close()
