"""Failure counters in the database (rows L1, L2, L3, L6)."""

from datetime import timedelta
from threading import Thread

import pytest

from idp.authenticators import HARD_STOP, PasswordThrottle, blocked_for
from idp.authenticators.throttle import MEMORY
from idp.crypto import Secret
from idp.errors import Refused

KEY = Secret(b"t" * 32)


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (14, 512), (15, 900), (50, 900), (99, 900)],
)
def test_the_delay_grows_up_to_a_quarter_of_an_hour(failures, seconds):
    """L1: growing delay well before the stop."""
    assert blocked_for(failures) == timedelta(seconds=seconds)


def test_the_hundredth_failure_stops_for_long():
    """L1: no more than 100 consecutive failures (NIST SP 800-63B-4 §3.2.2)."""
    assert blocked_for(HARD_STOP) == MEMORY
    assert blocked_for(10**9) == MEMORY


class Attempts:
    """One counter, driven through its own transactions."""

    def __init__(self, database, repos, now):
        self.database = database
        self.throttle = PasswordThrottle(repos, KEY)
        self.now = now

    def fail(self, *keys):
        with self.database.transaction():
            return self.throttle.failed(keys, self.now)

    def ask(self, *keys):
        with self.database.transaction(write=False):
            self.throttle.before(keys, self.now)

    def succeed(self, *keys):
        with self.database.transaction():
            self.throttle.succeeded(keys)


@pytest.fixture
def attempts(database, repos, now):
    return Attempts(database, repos, now)


def test_after_five_failures_attempts_pause_and_then_pass_again(attempts):
    key = attempts.throttle.account_key("acc_1")
    for _ in range(4):
        attempts.fail(key)
        attempts.ask(key)
    attempts.fail(key)

    with pytest.raises(Refused) as caught:
        attempts.ask(key)
    assert caught.value.retry_after == timedelta(seconds=1)
    attempts.now += timedelta(seconds=1)
    attempts.ask(key)


def test_success_forgets_the_failures(attempts):
    key = attempts.throttle.account_key("acc_1")
    for _ in range(6):
        attempts.fail(key)

    attempts.succeed(key)

    attempts.ask(key)
    assert attempts.fail(key) == 1


def test_a_hundred_failures_stop_until_they_are_forgotten(attempts):
    key = attempts.throttle.account_key("acc_1")
    for _ in range(HARD_STOP):
        attempts.fail(key)

    attempts.now += timedelta(days=29)
    with pytest.raises(Refused):
        attempts.ask(key)
    attempts.now += timedelta(days=1)
    attempts.ask(key)
    assert attempts.fail(key) == 1


def test_known_and_unknown_names_pause_alike(attempts):
    """L6: an unknown name behaves as an account does."""
    known, unknown = attempts.throttle.account_key("acc_1"), attempts.throttle.name_key("nobody")
    refusals = []
    for key in (known, unknown):
        for _ in range(7):
            attempts.fail(key)
        with pytest.raises(Refused) as caught:
            attempts.ask(key)
        refusals.append((caught.value.description, caught.value.retry_after))

    assert refusals[0] == refusals[1]


def test_a_stranger_does_not_lock_out_a_known_device(attempts):
    """L3: the owner's device has its own counter."""
    account, device = attempts.throttle.account_key("acc_1"), attempts.throttle.device_key(b"d" * 32)
    for _ in range(HARD_STOP):
        attempts.fail(account)

    attempts.ask(device)


def test_counters_name_nobody_without_the_key(database, repos, now):
    """P6's logic for what people type as their name: a stolen table cannot be searched."""
    mine, other = PasswordThrottle(repos, KEY), PasswordThrottle(repos, Secret(b"u" * 32))

    assert mine.name_key("ada") != other.name_key("ada")
    assert mine.name_key("ada") != mine.account_key("ada")
    assert len(mine.name_key("\ud800")) == 32


def test_parallel_failures_are_all_counted(attempts, database):
    """L2, X12: counting is one atomic statement."""
    key = attempts.throttle.account_key("acc_1")
    threads = [Thread(target=lambda: [attempts.fail(key) for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert attempts.fail(key) == 21
