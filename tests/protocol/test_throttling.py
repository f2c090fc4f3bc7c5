"""Guessing passwords: how it is slowed down.

| row | MUST                                                     | test                                  |
|-----|----------------------------------------------------------|---------------------------------------|
| L1  | a delay that grows, long before the end                  | test_delay_grows                      |
| L1  | no more than 100 consecutive failures                    | test_hard_stop_at_a_hundred           |
| L1  | a right password during a pause is no answer either      | test_right_password_waits_as_well     |
| L2  | counted per account, in the database: over nodes and     | test_count_is_kept_over_restarts      |
|     | restarts                                                 |                                       |
| L2  | counted per source, and per source over all accounts     | test_source_bucket                    |
|     |                                                          | test_spraying                         |
| L3  | the owner's known device is not locked out by a stranger | test_known_device_is_relieved         |
|     |                                                          | test_known_device_after_the_hard_stop |
| L3  | … and a device is no way to guess                        | test_device_has_a_count_of_its_own    |
|     |                                                          | test_foreign_device_gives_no_relief   |
| L4  | the same counters on every path                          | test_every_door_counts                |
| L8  | bounded concurrent hashing, 503 quickly beyond it        | test_burst_of_sign_ins                |
"""

import threading
import time
from http import HTTPStatus

import pytest

from tests.bench import NewProvider
from tests.browser import Browser, Page
from tests.frontchannel import DEVICE, SQLITE_ONLY, ask, attempt, is_in, signed_in
from tests.provider import PASSWORD, Provider
from tests.serving import reach

sqlite_only = pytest.mark.parametrize(*SQLITE_ONLY)

WRONG, SLOW_DOWN = HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS


def fail(provider: Provider, times: int, **given: str) -> None:
    """This many failures, each after the pause of the one before."""
    for _ in range(times):
        page = attempt(provider, **given)
        provider.advance(seconds=int(page.answer.header("Retry-After") or 0))


def from_address(provider: Provider, address: str) -> Browser:
    return Browser(reach(provider.app, address))


def test_delay_grows(provider, ada):
    """L1: people mistype, so four cost nothing; then 1, 2, 4 … seconds, up to a quarter of an hour."""
    waits = []
    for _ in range(18):
        page = attempt(provider)
        waits.append(int(page.answer.header("Retry-After") or 0))
        assert page.status == (SLOW_DOWN if waits[-1] else WRONG)
        assert not is_in(page)
        provider.advance(seconds=waits[-1])

    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]


def test_right_password_waits_as_well(provider, ada):
    """L1: refused during a pause, right or wrong; accepted after it, and the count is gone."""
    fail(provider, 4)
    attempt(provider)

    page = attempt(provider, password=PASSWORD)
    assert (page.status, page.answer.header("Retry-After")) == (SLOW_DOWN, "1")
    assert not is_in(page)

    provider.advance(seconds=1)
    assert is_in(attempt(provider, password=PASSWORD))
    for _ in range(4):
        assert attempt(provider).status == WRONG


@sqlite_only
def test_waiting_attempts_do_not_count(provider, ada):
    """L1, L3: hammering during a pause makes it no longer."""
    fail(provider, 4)
    attempt(provider)

    for _ in range(20):
        assert attempt(provider).answer.header("Retry-After") == "1"

    provider.advance(seconds=1)
    assert is_in(attempt(provider, password=PASSWORD))


@sqlite_only
def test_person_is_told_how_long(provider, ada):
    """L1: in words, beside Retry-After; what was typed stays, but not the password."""
    fail(provider, 9)
    page = attempt(provider)
    assert "Try again in 32 seconds" in page.text

    page = attempt(provider, password=PASSWORD)
    assert "Too many failed attempts" in page.text
    assert page.form_with("login-submit").fields["username"] == "ada"
    assert PASSWORD not in page.answer.text


@sqlite_only
def test_hard_stop_at_a_hundred(provider, ada):
    """L1, NIST SP 800-63B-4 §3.2.2: after a hundred failures in a row nothing but a long time helps."""
    fail(provider, 99)
    page = attempt(provider)
    assert page.status == SLOW_DOWN

    assert int(page.answer.header("Retry-After") or 0) >= 24 * 3600
    provider.advance(days=1)
    page = attempt(provider, password=PASSWORD)
    assert page.status == SLOW_DOWN
    assert not is_in(page)


@sqlite_only
def test_known_device_after_the_hard_stop(provider, ada):
    """L3: the owner goes on from a browser that signed in before."""
    owner = signed_in(provider)
    owner.get("/").submit("home-logout")
    fail(provider, 100)

    assert is_in(attempt(provider, password=PASSWORD, browser=owner))


@sqlite_only
def test_new_password_after_the_hard_stop(provider, ada):
    """L3: recovery by an operator works: a new password ends the pause, the old one is no use any more."""
    fail(provider, 100)

    provider.container.admin.accounts.set_password("ada", "a new long password")

    assert is_in(attempt(provider, password="a new long password"))
    assert not is_in(attempt(provider, password=PASSWORD))


def test_known_device_is_relieved(provider, ada):
    """L3: a stranger's failures do not make the owner wait; the owner's sign-in does not free them."""
    owner = signed_in(provider)
    owner.get("/").submit("home-logout")
    fail(provider, 8)
    attempt(provider)

    assert is_in(attempt(provider, password=PASSWORD, browser=owner))
    assert attempt(provider).status == SLOW_DOWN


@sqlite_only
def test_device_has_a_count_of_its_own(provider, ada):
    """L1, L3: a stolen device cookie gives another hundred guesses, not endless ones."""
    device = signed_in(provider).cookies[DEVICE]

    def guess(password: str) -> Page:
        browser = provider.browser()
        browser.cookies[DEVICE] = device
        return attempt(provider, password=password, browser=browser)

    statuses = [guess("wrong").status for _ in range(6)]

    assert statuses == [WRONG, WRONG, WRONG, WRONG, SLOW_DOWN, SLOW_DOWN]
    assert guess(PASSWORD).status == SLOW_DOWN
    assert is_in(attempt(provider, password=PASSWORD))


@sqlite_only
@pytest.mark.parametrize("kind", ["another account's", "made up", "junk"])
def test_foreign_device_gives_no_relief(provider, ada, kind):
    """L3: only a device that this account signed in from."""
    provider.account("mallory")
    mallory = signed_in(provider, "mallory")
    device = {
        "another account's": mallory.cookies[DEVICE],
        "made up": "idp_dv_" + "x" * 43,
        "junk": "x" * 100,
    }[kind]
    fail(provider, 4)
    attempt(provider)

    browser = provider.browser()
    browser.cookies[DEVICE] = device

    assert attempt(provider, password=PASSWORD, browser=browser).status == SLOW_DOWN


def test_count_is_kept_over_restarts(new_provider: NewProvider):
    """L2: in the database; another worker, or the same one after a restart, knows of it."""
    first = new_provider()
    first.account("ada")
    for _ in range(5):
        attempt(first)

    second = new_provider()

    assert attempt(second, password=PASSWORD).status == SLOW_DOWN


@sqlite_only
def test_every_door_counts(provider, shop):
    """L4: at the front door, for a client, and when signing in again; in any spelling."""
    browser = signed_in(provider)
    del browser.cookies[DEVICE]
    spellings = ("ADA", "ada@example.org", "Ada@EXAMPLE.org", " ada ")

    statuses = [
        attempt(provider, username=spellings[0]).status,
        ask(provider, shop).submit("login-submit", username=spellings[1], password="wrong").status,
        ask(provider, shop, browser, prompt="login")
        .submit("login-submit", username="ada", password="wrong")
        .status,
        attempt(provider, username=spellings[2]).status,
        attempt(provider, username=spellings[3]).status,
    ]

    assert statuses == [WRONG, WRONG, WRONG, WRONG, SLOW_DOWN]


def test_parallel_guesses_all_count(provider, ada):
    """L1, X12: a burst gains nothing over the same guesses one by one."""
    pages = [provider.browser().get("/login") for _ in range(12)]
    threads = [
        threading.Thread(
            target=page.submit, args=("login-submit",), kwargs={"username": "ada", "password": "wrong"}
        )
        for page in pages
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert attempt(provider, password=PASSWORD).status == SLOW_DOWN


def test_source_bucket(new_provider: NewProvider):
    """L2: attempts of one source, right or wrong, over all names; other sources go on."""
    provider = new_provider(ratelimit={"enabled": True, "login_per_source": "5/minute"})
    provider.account("ada")
    one, other = (from_address(provider, address) for address in ("198.51.100.1", "198.51.100.2"))
    for number in range(5):
        assert attempt(provider, f"name{number}", browser=one).status == WRONG

    page = attempt(provider, password=PASSWORD, browser=one)
    assert page.status == SLOW_DOWN
    assert 1 <= int(page.answer.header("Retry-After") or 0) <= 120
    assert not is_in(page)
    assert is_in(attempt(provider, password=PASSWORD, browser=other))

    provider.advance(minutes=2)
    assert is_in(attempt(provider, password=PASSWORD, browser=one))


@sqlite_only
def test_source_is_an_ipv6_network(new_provider: NewProvider):
    """L2: a whole /64 is one customer."""
    provider = new_provider(ratelimit={"enabled": True, "login_per_source": "3/minute"})
    provider.account("ada")
    for number in range(3):
        attempt(provider, f"name{number}", browser=from_address(provider, f"2001:db8::{number}"))

    assert (
        attempt(provider, password=PASSWORD, browser=from_address(provider, "2001:db8::ffff")).status
        == SLOW_DOWN
    )
    assert is_in(attempt(provider, password=PASSWORD, browser=from_address(provider, "2001:db8:0:1::1")))


@sqlite_only
def test_spraying(new_provider: NewProvider):
    """L2: one password on many accounts; only failures count, so a busy office is not stopped."""
    provider = new_provider(
        ratelimit={"enabled": True, "login_per_source": "1000/minute", "login_spray_per_source": "6/hour"}
    )
    for name in ("ada", "grace"):
        provider.account(name)
    for _ in range(10):
        assert is_in(attempt(provider, password=PASSWORD))

    for number in range(6):
        assert attempt(provider, f"name{number}").status == WRONG

    assert attempt(provider, "grace", PASSWORD).status == SLOW_DOWN
    provider.advance(hours=2)
    assert is_in(attempt(provider, "grace", PASSWORD))


@sqlite_only
def test_burst_of_sign_ins(new_provider: NewProvider):
    """L8: a few hash, a few wait briefly, the others hear 503 at once; nobody is counted as failed."""
    provider = new_provider(
        passwords={
            "argon2_memory_kib": 32768,
            "argon2_passes": 24,
            "max_concurrent_hashes": 1,
            "hash_queue_timeout": "50ms",
        }
    )
    provider.account("ada")

    served, refused = _burst(provider)
    while not served:  # on a busy machine not even the first hash begins within its 50 ms
        served, refused = _burst(provider)

    assert len(refused) + len(served) == 10
    assert len(refused) >= 3
    for page, _ in refused:
        assert int(page.answer.header("Retry-After") or 0) >= 1
        assert page.form_with("login-submit").fields["username"] == "ada"
    assert min(taken for _, taken in refused) < max(taken for _, taken in served)
    assert any(is_in(attempt(provider, password=PASSWORD)) for _ in range(20)), "and the next who comes"


def _burst(provider: Provider) -> tuple[list[tuple[Page, float]], list[tuple[Page, float]]]:
    """Ten people press the button at once: who got in, who was refused, each with the seconds it took."""
    pages = [provider.browser().get("/login") for _ in range(10)]
    results: list[tuple[Page, float]] = []

    def sign_in(page: Page) -> None:
        start = time.perf_counter()
        results.append(
            (page.submit("login-submit", username="ada", password=PASSWORD), time.perf_counter() - start)
        )

    threads = [threading.Thread(target=sign_in, args=(page,)) for page in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [(page, taken) for page, taken in results if page.status == HTTPStatus.SERVICE_UNAVAILABLE]
    return [(page, taken) for page, taken in results if is_in(page)], refused
