"""A sign-out and a code exchange at the same moment, on a database with several writers."""

import threading
import time

import psycopg
import pytest

from tests.databases import new_postgresql_database
from tests.provider import make_provider, make_settings
from tests.transport import Answer

pytestmark = pytest.mark.postgresql

LOCK_WAIT = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture
def url():
    with new_postgresql_database() as made:
        yield made


@pytest.fixture
def provider(url, tmp_path):
    made = make_provider(make_settings(tmp_path, url))
    yield made
    made.close()


def test_exchange_waits_for_a_sign_out_under_way(url, provider):
    """S5: no token family is opened for a session whose sign-out has begun and found no family to end."""
    provider.account("ada")
    shop = provider.client("shop", require_pkce=False)
    code = provider.code(shop)
    answers: list[Answer] = []
    exchange = threading.Thread(target=lambda: answers.append(provider.exchange(shop, code)))

    with psycopg.connect(url) as sign_out, psycopg.connect(url, autocommit=True) as watcher:
        sign_out.execute("UPDATE browser_session SET ended_at = now(), end_reason = 'logout'")
        exchange.start()
        deadline = time.monotonic() + 5
        while not answers and time.monotonic() < deadline:
            if watcher.execute(LOCK_WAIT).fetchone() != (0,):
                break
        sign_out.commit()
    exchange.join()

    assert answers[0].status == 400, answers[0].text
    assert answers[0].json()["error"] == "invalid_grant"
