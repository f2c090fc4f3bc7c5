"""The database and Redis go away under a small load, and come back.

Without the database nothing is accepted that was not verified: everything stateful answers 503 with
Retry-After in time, what comes from memory goes on, and the service is back by itself. Redis is an
accelerator: nobody notices.
"""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from tests.provider import PASSWORD, Client
from tests.served.load import STATELESS, Load, Sample, a_whole_login, everyday, worst
from tests.served.rig import Served, dead_port_url, form_request, volley
from tests.services import LocalServer, new_postgresql, new_redis

ANSWERED_WITHIN = 3.0
"""Seconds: the promise for every request while the database is away."""
FROZEN_ANSWERED_WITHIN = 6.0
"""Seconds for those who were asking when it froze: a statement given up on, and a new connection tried."""
BACK_WITHIN = 5.0
"""Seconds after the database answers again."""
NOTICED_WITHIN = 3.0
"""Seconds after which even what needs no statement (client credentials) is refused: two failed polls."""


@dataclass(frozen=True)
class Site:
    """A provider with a database or a Redis of its own, an account and two clients."""

    served: Served
    server: LocalServer
    shop: Client
    robot: Client

    def everyday(self) -> Load:
        """What is asked all day, and people who sign in meanwhile."""
        questions = everyday(self.served, self.shop, self.robot)
        return Load({**questions, "login": lambda: a_whole_login(self.served, self.shop)})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """On PostgreSQL, with fewer connections than threads."""
    postgresql = new_postgresql()
    if postgresql is None:
        pytest.skip("no PostgreSQL binaries")
    with (
        postgresql,
        Served(
            tmp_path_factory.mktemp("outage"),
            database_url=postgresql.url,
            workers=2,
            IDP_DATABASE_POOL_SIZE="4",
        ) as served,
    ):
        served.account()
        yield Site(served, postgresql, served.client(), served.machine())
        assert "Traceback" not in served.log_text()


@pytest.mark.postgresql
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["stopped", "killed"])
def test_without_database_everything_stateful_is_503_until_it_is_back(site: Site, how: signal.Signals):
    """Rows X7, X8: 503 with Retry-After within 3 s, discovery and JWKS go on, back within 5 s."""
    pid = site.served.pid
    with site.everyday() as load:
        load.go_on(3)
        gone = load.now()
        site.server.stop(how)
        load.go_on(3, seconds=NOTICED_WITHIN + 1)
        returning = load.now()
        site.server.start()
        back = load.now()
        last_bad = load.go_on_until_good()

    assert all(sample.is_good for sample in load.since(0, until=gone - ANSWERED_WITHIN))
    assert_refused_decently(load.since(gone), gone)
    for sample in load.since(gone + NOTICED_WITHIN, until=returning - 0.1):
        assert sample.answer.status == (200 if sample.kind in STATELESS else 503), sample
    assert last_bad - back <= BACK_WITHIN
    assert site.served.pid == pid


@pytest.mark.postgresql
def test_a_frozen_database_does_not_keep_its_askers_for_ever(site: Site):
    """Row X8: a server that takes statements and says nothing is given up on; others are refused at once."""
    with site.everyday() as load:
        load.go_on(3)
        with frozen(site.server):
            began = load.now()
            load.go_on(3, seconds=NOTICED_WITHIN + 1)
            ended = load.now()
        last_bad = load.go_on_until_good()

    assert all(sample.answer.status in {200, 303, 503} for sample in load.samples)
    assert worst(load.since(began)) < FROZEN_ANSWERED_WITHIN
    later = load.since(began + NOTICED_WITHIN + 1, until=ended - 0.1)
    assert {s.answer.status for s in later if s.kind not in STATELESS} <= {503}
    assert worst(load.since(0, *STATELESS)) < 1
    assert last_bad - ended <= BACK_WITHIN


@pytest.mark.postgresql
@pytest.mark.parametrize("table", ["account", "change_counter"])
def test_a_lock_held_by_somebody_else_is_answered_in_time(site: Site, table: str):
    """Rows X7, X8: who cannot read says so; what needs no database goes on."""
    with site.everyday() as load:
        load.go_on(3)
        with locked(site.server.url, table):
            began = load.now()
            load.go_on(2, seconds=NOTICED_WITHIN + 1)
            ended = load.now()
        last_bad = load.go_on_until_good()

    assert_refused_decently(load.since(began), began)
    noticed = load.since(began + NOTICED_WITHIN, "userinfo", until=ended - 2)
    assert {sample.answer.status for sample in noticed} <= {503}
    assert last_bad - ended <= BACK_WITHIN


@pytest.mark.postgresql
def test_more_requests_than_connections_are_answered_in_time(site: Site):
    """Row X8: with every connection stuck, the rest do not wait for ever."""
    access_token = site.served.tokens(site.shop)["access_token"]
    request = form_request(site.served, "/introspect", {"token": access_token}, site.shop)
    started = Load.now()

    with locked(site.server.url, "account"):
        answers = volley(site.served, [request] * 12)

    assert Load.now() - started < ANSWERED_WITHIN + 0.5
    assert {answer.status for answer in answers} == {503}
    assert all(answer.header("Retry-After") for answer in answers)
    assert site.served.introspect(site.shop, access_token).json()["active"] is True


@pytest.mark.postgresql
def test_people_get_a_page_and_clients_get_json(site: Site):
    """Row X7: a public text and a request id, in the form the caller reads."""
    access_token = site.served.tokens(site.shop)["access_token"]

    with locked(site.server.url, "account", "interaction", "browser_session"):
        page = site.served.authorize(site.served.browser(), site.shop, **_PKCE)
        answer = site.served.userinfo(access_token)

    assert page.status == 503
    assert "Please try again in a moment" in page.text
    assert page.answer.header("X-Request-Id") in page.text
    assert answer.status == 503
    assert answer.json()["error"] == "temporarily_unavailable"
    assert answer.json()["request_id"] == answer.header("X-Request-Id")


def test_a_file_locked_by_another_program_is_answered_in_time(tmp_path: Path):
    """The same promise on SQLite: who cannot write says so, and reading goes on."""
    with Served(tmp_path, workers=2) as served:
        served.account()
        shop, robot = served.client(), served.machine()
        with Load(everyday(served, shop, robot)) as load:
            load.go_on(3)
            with closing(sqlite3.connect(tmp_path / "idp.sqlite3", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                began = load.now()
                load.go_on(2, seconds=NOTICED_WITHIN + 1)
                other.execute("ROLLBACK")
            ended = load.now()
            last_bad = load.go_on_until_good()

        assert_refused_decently(load.since(began), began)
        assert {sample.answer.status for sample in load.since(began, "userinfo", "introspection")} == {200}
        assert 503 in {sample.answer.status for sample in load.since(began, "refresh")}
        assert last_bad - ended <= BACK_WITHIN
        assert "Traceback" not in served.log_text()


@pytest.fixture(scope="module")
def cached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With a Redis that the tests may stop, and limits on."""
    redis = new_redis()
    if redis is None:
        pytest.skip("no redis-server")
    with (
        redis,
        Served(
            tmp_path_factory.mktemp("redis"),
            redis_url=redis.url,
            workers=2,
            IDP_RATELIMIT_ENABLED="true",
            IDP_RATELIMIT_LOGIN_PER_SOURCE="2000/minute",
        ) as served,
    ):
        served.account()
        yield Site(served, redis, served.client(), served.machine())
        assert "Traceback" not in served.log_text()


@pytest.mark.redis
@pytest.mark.parametrize("event", ["stopped", "killed", "flushed"])
def test_nobody_notices_what_happens_to_redis(cached: Site, event: str):
    """Redis is an accelerator: every answer is right, and none takes long (decision D1)."""
    with cached.everyday() as load:
        load.go_on(3)
        if event == "flushed":
            _flush(cached.server)
            load.go_on(5)
        else:
            cached.server.stop(signal.SIGKILL if event == "killed" else signal.SIGINT)
            load.go_on(5, seconds=1)
            cached.server.start()
            load.go_on(5, seconds=1)

    assert [str(sample) for sample in load.samples if not sample.is_good] == []
    assert {sample.answer.status for sample in load.since(0, "login")} == {303}, "somebody could not sign in"
    assert worst(load.samples) < ANSWERED_WITHIN


@pytest.mark.redis
def test_guessing_is_still_slowed_down_when_redis_was_emptied(cached: Site):
    """Row L2: the counters of an account outlive a flush and a stop of Redis."""
    cached.served.account("grace")
    with cached.served.pinned() as workers:
        assert len(workers) == 2
    for _ in range(5):
        _guess(cached, "grace", "wrong")

    _flush(cached.server)
    after_flush = _guess(cached, "grace", PASSWORD)
    for _ in range(3):
        _guess(cached, "grace", "wrong")
    cached.server.stop()
    try:
        after_stop = _guess(cached, "grace", PASSWORD)
    finally:
        cached.server.start()

    assert after_flush.status == 429
    assert after_stop.status == 429


def test_a_redis_that_was_never_there_changes_nothing(tmp_path):
    """Decision D1; and the limits of sources are kept in the database meanwhile."""
    with Served(
        tmp_path,
        redis_url=dead_port_url(),
        workers=2,
        IDP_RATELIMIT_ENABLED="true",
        IDP_RATELIMIT_LOGIN_PER_SOURCE="10/minute",
    ) as served:
        served.account()
        shop = served.client()
        with Load(everyday(served, shop, served.machine())) as load:
            load.go_on(3)
        statuses = [a_whole_login(served, shop).status for _ in range(16)]

        assert [str(sample) for sample in load.samples if not sample.is_good] == []
        assert statuses[0] == 303
        assert 429 in statuses, "the limit per source is gone"
        assert "Traceback" not in served.log_text()


_PKCE = {
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}


def assert_refused_decently(samples: list[Sample], began: float) -> None:
    """Good, or 503 with Retry-After, in time, and without a word about the inside."""
    for sample in samples:
        assert sample.seconds <= ANSWERED_WITHIN, sample
        if sample.is_good:
            continue
        assert sample.kind not in STATELESS, sample
        assert sample.answer.status == 503, f"{sample.began - began:.2f} s later: {sample}"
        assert int(sample.answer.header("Retry-After") or 0) >= 1, sample
        for inside in ("Traceback", "psycopg", "sqlalchemy", "SELECT"):
            assert inside not in sample.answer.text


@contextmanager
def locked(url: str, *tables: str) -> Iterator[None]:
    """Hold the strongest lock on some tables, as a careless migration would."""
    with psycopg.connect(url) as connection:
        connection.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


@contextmanager
def frozen(server: LocalServer) -> Iterator[None]:
    """Stop every process of the server where it stands."""
    pids = server.pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _guess(site: Site, username: str, password: str):
    page = site.served.authorize(site.served.browser(), site.shop, **_PKCE)
    return page.submit("login-submit", username=username, password=password).answer


def _flush(server: LocalServer) -> None:
    client = Redis.from_url(server.url)
    client.flushall()
    client.close()
