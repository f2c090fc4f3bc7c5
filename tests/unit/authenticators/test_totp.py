"""Generators of one-time passwords, alike on both databases.

| rule                                                       | test                                          |
|------------------------------------------------------------|-----------------------------------------------|
| one step once, also in parallel (M1)                       | test_a_code_works_once, test_twenty_uses_…    |
| window of one step either way (M1)                         | test_the_clock_may_be_off_by_one_step         |
| no step before one that was used (RFC 6238 §5.2)           | test_no_earlier_code_after_a_later_one        |
| sealed at rest, bound to the account (M6)                  | test_the_secret_is_sealed…                    |
| 160 bits, SHA-1, six digits, 30 s (RFC 4226 §4, RFC 6238)  | test_the_address_tells_apps_what_they_need    |
"""

from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest

from idp.accounts import Accounts
from idp.authenticators import Totp, TotpEnrolment
from idp.crypto import Sealer, Secret
from idp.onetime import OneTimeDrafts
from tests.storage.threads import in_parallel

STEP = timedelta(seconds=30)
KEY = b"k" * 32


@pytest.fixture
def totp(repos) -> Totp:
    return Totp(repos, Sealer(KEY), issuer_name="The Example")


@pytest.fixture
def secret(totp) -> Secret[str]:
    return totp.new_secret()


@pytest.fixture
def app(secret) -> pyotp.TOTP:
    """What the person's telephone computes."""
    return pyotp.TOTP(secret.reveal())


@pytest.fixture
def enrolled(database, totp, account_id, secret, app, now) -> str:
    """An account whose generator was confirmed with the code of two steps ago."""
    before = now - 2 * STEP
    with database.transaction():
        assert totp.enrol(account_id, secret, app.at(before), before)
    return account_id


@pytest.fixture
def verify(database, totp, enrolled, now):
    def verify(code, at=now, account_id=enrolled):
        with database.transaction():
            return totp.verify(account_id, code, at)

    return verify


def test_a_code_of_now_is_right(verify, app, now):
    assert verify(app.at(now))


def test_a_code_works_once(verify, app, now):
    """M1."""
    assert verify(app.at(now))
    assert not verify(app.at(now))


def test_the_code_that_confirmed_the_app_cannot_be_used_to_sign_in(verify, app, now):
    """M1: whoever looked over the shoulder has a code that is used up."""
    before = now - 2 * STEP

    assert not verify(app.at(before), at=before)


def test_no_earlier_code_after_a_later_one(verify, app, now):
    """RFC 6238 §5.2: it was sent before, and perhaps read."""
    assert verify(app.at(now + STEP))
    assert not verify(app.at(now))


@pytest.mark.parametrize(("off", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_the_clock_may_be_off_by_one_step(verify, app, now, off, right):
    """M1: at most one either way."""
    assert verify(app.at(now + off * STEP)) is right


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "12345",
        "1234567",
        "abcdef",
        "\u0661\u0662\u0663\u0664\u0665\u0666",
        "9" * 100_000,
        "\x00",
        "\ud800",
    ],
)
def test_junk_is_wrong(verify, junk):
    assert not verify(junk)


def test_spaces_in_a_code_do_not_matter(verify, app, now):
    code = app.at(now)

    assert verify(f" {code[:3]} {code[3:]} ")


def test_twenty_uses_at_once_have_one_winner(verify, app, now):
    """M1, X12: on both databases."""
    code = app.at(now)

    assert sum(in_parallel(20, lambda _: verify(code))) == 1


def test_codes_of_the_window_at_once_have_one_winner_each_at_most(verify, app, now):
    """M1: three different right codes in parallel never count one of them twice."""
    codes = [app.at(now + off * STEP) for off in (-1, 0, 1)] * 7

    assert 1 <= sum(in_parallel(21, lambda number: verify(codes[number]))) <= 3


def test_the_secret_is_sealed_and_bound_to_the_account(database, repos, totp, enrolled, secret, app, now):
    """M6: it cannot be read from the database, nor moved to another account."""
    with database.transaction():
        row = repos.totp.find(enrolled)
        assert secret.reveal().encode() not in row.sealed_secret
        other = Accounts(repos).create(username="eve", email=None, email_verified=False, claims={}, now=now)
        repos.totp.set(
            type(row)(account_id=other.id, sealed_secret=row.sealed_secret, last_step=0, created_at=now)
        )
        assert not totp.verify(other.id, app.at(now), now)


def test_a_generator_can_be_replaced_and_removed(database, totp, verify, enrolled, app, now):
    fresh = totp.new_secret()
    with database.transaction():
        assert totp.enrol(enrolled, fresh, pyotp.TOTP(fresh.reveal()).at(now), now)

    assert not verify(app.at(now))
    assert verify(pyotp.TOTP(fresh.reveal()).at(now + STEP))
    with database.transaction():
        assert totp.remove(enrolled)
        assert not totp.remove(enrolled)
        assert not totp.is_enrolled(enrolled)
    assert not verify(pyotp.TOTP(fresh.reveal()).at(now + 2 * STEP), at=now + 2 * STEP)


def test_the_address_tells_apps_what_they_need(totp, secret):
    """RFC 4226 §4 R6: 160 bits; RFC 6238: SHA-1, six digits, 30 seconds are what apps assume."""
    parts = urlsplit(totp.uri(secret, "ada@example.org"))
    query = parse_qs(parts.query)

    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/The Example:ada@example.org"
    assert query["secret"] == [secret.reveal()]
    assert query["issuer"] == ["The Example"]
    assert query.get("algorithm", ["SHA1"]) == ["SHA1"]
    assert query.get("digits", ["6"]) == ["6"]
    assert query.get("period", ["30"]) == ["30"]
    assert len(secret.reveal()) * 5 == 160


@pytest.fixture
def enrolment(repos, totp) -> TotpEnrolment:
    return TotpEnrolment(totp, OneTimeDrafts(repos), Sealer(b"e" * 32))


def test_a_secret_waits_for_the_code_that_confirms_it(database, repos, totp, enrolment, account_id, now):
    with database.transaction():
        secret = enrolment.begin(account_id, binding="ses_1", now=now)
        app = pyotp.TOTP(secret.reveal())
        kept = repos.one_time._session.connection().exec_driver_sql("SELECT * FROM one_time").all()  # noqa: SLF001
        assert secret.reveal() not in repr(kept)
        assert enrolment.waiting(account_id, binding="ses_1", now=now).reveal() == secret.reveal()
        assert enrolment.waiting(account_id, binding="ses_2", now=now) is None
        assert enrolment.waiting("acc_other", binding="ses_1", now=now) is None
        assert not enrolment.confirm(account_id, binding="ses_2", code=app.at(now), now=now)
        assert not enrolment.confirm(account_id, binding="ses_1", code="000000", now=now)
        assert enrolment.confirm(account_id, binding="ses_1", code=app.at(now), now=now)
        assert enrolment.waiting(account_id, binding="ses_1", now=now) is None
        assert totp.verify(account_id, app.at(now + STEP), now + STEP)


def test_of_many_confirmations_at_once_one_counts(database, enrolment, account_id, now):
    """X12: a second press, or another tab, neither enrols again nor takes a used step back."""
    with database.transaction():
        secret = enrolment.begin(account_id, binding="ses_1", now=now)
    code = pyotp.TOTP(secret.reveal()).at(now)

    def confirm(_):
        with database.transaction():
            return enrolment.confirm(account_id, binding="ses_1", code=code, now=now)

    assert sum(in_parallel(10, confirm)) == 1
