"""Client-credentials tokens are counted in batches, and no failed flush loses a count."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from idp.audit import IssueCounter, issue_counter
from tests.unit.keys.deployment import START, assembled

MINUTE = timedelta(minutes=1)


@pytest.fixture
def idp(database, repos):
    return assembled(database, repos)


@pytest.fixture
def counter(idp):
    return IssueCounter(idp.database, idp.repos)


def stored(idp, client_id="shop"):
    with idp.database.transaction(write=False):
        rows = idp.repos.issue_counts.list_for_client(client_id, START - 60 * MINUTE, START + 60 * MINUTE)
        return {(row.minute - START) // MINUTE: row.count for row in rows}


def test_counts_are_kept_by_client_and_minute(idp, counter):
    for second in (0, 30, 59, 60):
        counter.count("shop", START + timedelta(seconds=second))
    counter.count("other", START)

    assert counter.flush() == 3

    assert stored(idp) == {0: 3, 1: 1}
    assert stored(idp, "other") == {0: 1}


def test_flushes_add_up(idp, counter):
    for _ in range(3):
        counter.count("shop", START)
        counter.flush()

    assert stored(idp) == {0: 3}


def test_nothing_to_flush_writes_nothing(idp, counter):
    with idp.database.statements.measure() as measured:
        assert counter.flush() == 0

    assert measured.commits == 0


def test_counting_writes_nothing(idp, counter):
    """No client_credentials request writes to the database."""
    with idp.database.statements.measure() as measured:
        counter.count("shop", START)

    assert len(measured.statements) == 0
    assert counter.flush() == 1


def test_failed_flush_keeps_the_counts(idp, counter):
    """Nothing is lost while the database is away."""
    counter.count("shop", START)
    with idp.database.transaction():
        idp.database.session().execute(text("ALTER TABLE issue_count RENAME TO away"))

    with pytest.raises(Exception, match="issue_count"):
        counter.flush()
    counter.count("shop", START)
    with idp.database.transaction():
        idp.database.session().execute(text("ALTER TABLE away RENAME TO issue_count"))
    counter.flush()

    assert stored(idp) == {0: 2}


def test_memory_is_bounded_and_sums_stay_right(idp, counter, monkeypatch):
    monkeypatch.setattr(issue_counter, "MAX_ENTRIES", 3)
    for minute in range(10):
        counter.count("shop", START + minute * MINUTE)
    counter.count("new", START)

    assert counter.flush() == 4

    assert stored(idp) == {0: 1, 1: 1, 2: 8}
    assert stored(idp, "new") == {0: 1}


def test_threads_count_every_token(idp, counter):
    threads = [
        threading.Thread(target=lambda: [counter.count("shop", START) for _ in range(500)]) for _ in range(4)
    ]

    for thread in threads:
        thread.start()
    counter.flush()
    for thread in threads:
        thread.join()
    counter.flush()

    assert sum(stored(idp).values()) == 2000
