"""The whole protocol on every deployment: one worker or four, SQLite or PostgreSQL, with Redis or without.

The servers write their logs at the most talkative level, and no secret of the journey may be in there.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.databases import BOTH_DATABASES, new_postgresql_database
from tests.served.journey import take_the_whole_journey
from tests.served.rig import Served
from tests.services import RedisServer, new_redis


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    server = new_redis()
    if server is None:
        pytest.skip("no redis-server")
    with server:
        yield server


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("database", BOTH_DATABASES)
@pytest.mark.parametrize("cache", ["alone", pytest.param("redis", marks=pytest.mark.redis)])
def test_the_whole_protocol(
    request: pytest.FixtureRequest, tmp_path: Path, workers: int, database: str, cache: str
):
    """Rows X8, X10: the same answers on every deployment, and a log without secrets at DEBUG."""
    with ExitStack() as stack:
        url = stack.enter_context(new_postgresql_database()) if database == "postgresql" else None
        redis_url = request.getfixturevalue("redis").url if cache == "redis" else None
        served = stack.enter_context(
            Served(
                tmp_path, database_url=url, redis_url=redis_url, workers=workers,
                IDP_LOG_LEVEL="DEBUG", IDP_RATELIMIT_ENABLED="true",
            )
        )  # fmt: skip
        served.account()

        canary = take_the_whole_journey(served, served.client(), served.machine())

        assert served.stop() == 0
        log = served.log_text()
        canary.assert_silent_in(log)
        assert "token.code" in log or "oauth" in log, "the log is empty"
        assert "Traceback" not in log
