"""Failure counters in the database (rows L1, L2, L3, L6)."""

from datetime import timedelta
from threading import Thread

import pytest

from idp.authenticators import HARD_STOP, MEMORY, PAUSES, PasswordThrottle, blocked_for
from idp.crypto import Secret
from idp.errors import Refused
from idp.ids import new_id
from idp.storage import AuditEntry
from idp.storage.hot import Failure, LoginQuestion, create_hot_pool, create_login_store
from tests.storage import rows

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
    """One counter, driven as sign-ins drive it."""

    def __init__(self, store, repos, now):
        self.store, self.now = store, now
        self.throttle = PasswordThrottle(repos, KEY)

    def fail(self, key):
        entry = AuditEntry(new_id("evt", self.now), self.now, "x", "account", *[None] * 6, detail={})
        return self.store.refuse(
            Failure(
                counter=key,
                pauses=PAUSES,
                now=self.now,
                expires_at=self.now + MEMORY,
                failed=entry,
                reason_while_paused=None,
                throttled=entry._replace(id=new_id("evt", self.now)),
            )
        )

    def ask(self, name="nobody", device=None):
        device_key = device and self.throttle.device_key(device)
        question = LoginQuestion(name, self.throttle.name_key(name), device, device_key, self.now)
        self.throttle.assert_open(self.store.find(question).blocked_until, self.now)


@pytest.fixture
def attempts(database, database_settings, repos, now):
    pool = create_hot_pool(database_settings, database.statements)
    yield Attempts(create_login_store(pool), repos, now)
    pool.close()


def test_after_five_failures_attempts_pause_and_then_pass_again(attempts):
    key = attempts.throttle.name_key("nobody")
    for _ in range(4):
        attempts.fail(key)
        attempts.ask()
    attempts.fail(key)

    with pytest.raises(Refused) as caught:
        attempts.ask()
    assert caught.value.retry_after == timedelta(seconds=1)
    attempts.now += timedelta(seconds=1)
    attempts.ask()


def test_success_forgets_the_failures(attempts, database, account_id):
    throttle = attempts.throttle
    for _ in range(6):
        attempts.fail(throttle.account_key(account_id))

    with database.transaction():
        throttle.forget(account_id)

    attempts.ask("ada")
    assert attempts.fail(throttle.account_key(account_id)) == 1


def test_a_hundred_failures_stop_until_they_are_forgotten(attempts):
    key = attempts.throttle.name_key("nobody")
    for _ in range(HARD_STOP):
        attempts.fail(key)

    attempts.now += timedelta(days=29)
    with pytest.raises(Refused):
        attempts.ask()
    attempts.now += timedelta(days=1)
    attempts.ask()
    assert attempts.fail(key) == 1


def test_known_and_unknown_names_pause_alike(attempts, account_id):
    """L6: an unknown name behaves as an account does."""
    keys = {"ada": attempts.throttle.account_key(account_id), "nobody": attempts.throttle.name_key("nobody")}
    refusals = []
    for name, key in keys.items():
        for _ in range(7):
            attempts.fail(key)
        with pytest.raises(Refused) as caught:
            attempts.ask(name)
        refusals.append((caught.value.description, caught.value.retry_after))

    assert refusals[0] == refusals[1]


def test_a_stranger_does_not_lock_out_a_known_device(attempts, database, repos, account_id):
    """L3: the owner's device has its own counter."""
    with database.transaction():
        repos.devices.add(
            rows.known_device(attempts.now, account_id=account_id, expires_at=attempts.now + MEMORY)
        )
    for _ in range(HARD_STOP):
        attempts.fail(attempts.throttle.account_key(account_id))

    with pytest.raises(Refused):
        attempts.ask("ada")
    attempts.ask("ada", device=b"device")


def test_counters_name_nobody_without_the_key(repos):
    """P6's logic for what people type as their name: a stolen table cannot be searched."""
    mine, other = PasswordThrottle(repos, KEY), PasswordThrottle(repos, Secret(b"u" * 32))

    assert mine.name_key("ada") != other.name_key("ada")
    assert mine.name_key("ada") != mine.account_key("ada")
    assert len(mine.name_key("\ud800")) == 32


def test_parallel_failures_are_all_counted(attempts):
    """L2, X12: counting is one atomic statement."""
    key = attempts.throttle.account_key("acc_1")
    threads = [Thread(target=lambda: [attempts.fail(key) for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert attempts.fail(key) == 21
