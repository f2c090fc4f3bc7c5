"""Recovery codes, alike on both databases (row M2)."""

import re

import pytest

from idp.accounts import Accounts
from idp.authenticators import RECOVERY_CODES, RecoveryCodes
from idp.crypto import Secret
from tests.storage.threads import in_parallel


@pytest.fixture
def recovery(repos) -> RecoveryCodes:
    return RecoveryCodes(repos, Secret(b"k" * 32))


@pytest.fixture
def codes(database, recovery, account_id, now) -> list[str]:
    with database.transaction():
        return recovery.create(account_id, now)


@pytest.fixture
def claim(database, recovery, account_id, now):
    def claim(code, of=account_id):
        with database.transaction():
            return recovery.claim(of, code, now)

    return claim


def left(database, recovery, account_id) -> int:
    with database.transaction(write=False):
        return recovery.left(account_id)


def test_a_set_has_ten_codes_of_120_bits(codes):
    """M2: above 112 bits a fast hash is enough. No character is read as another."""
    assert len(set(codes)) == RECOVERY_CODES == 10
    for code in codes:
        assert re.fullmatch(r"(?:[0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}", code)


def test_each_code_works_once(database, recovery, codes, claim, account_id):
    """M2."""
    assert claim(codes[0])
    assert not claim(codes[0])
    assert left(database, recovery, account_id) == 9
    assert all(claim(code) for code in codes[1:])
    assert left(database, recovery, account_id) == 0


@pytest.mark.parametrize(
    "typed",
    [
        lambda code: code.lower(),
        lambda code: code.replace("-", ""),
        lambda code: code.replace("-", " "),
        lambda code: f"  {code.replace('-', ' - ')}\n",
        lambda code: code.replace("-", "\N{NON-BREAKING HYPHEN}"),
        lambda code: code.replace("0", "O").replace("1", "l"),
        lambda code: code.replace("0", "o").replace("1", "I"),
    ],
)
def test_codes_may_be_typed_as_people_do(codes, claim, typed):
    for code in codes:
        assert claim(typed(code))


@pytest.mark.parametrize(
    "junk", ["", "x", "U" * 24, "0" * 23, "0" * 25, "0" * 100_000, "\x00" * 24, "\ud800" * 24]
)
def test_junk_is_no_code(codes, claim, junk):
    assert not claim(junk)


def test_the_code_of_another_account_is_none_here(database, repos, recovery, codes, claim, now):
    with database.transaction():
        eve = Accounts(repos).create(username="eve", email=None, email_verified=False, claims={}, now=now)

    assert not claim(codes[0], of=eve.id)
    assert claim(codes[0])


def test_a_new_set_replaces_the_former(database, recovery, codes, claim, account_id, now):
    claim(codes[0])
    with database.transaction():
        fresh = recovery.create(account_id, now)

    assert not any(claim(code) for code in codes)
    assert left(database, recovery, account_id) == 10
    assert claim(fresh[0])


def test_a_set_can_be_removed(database, recovery, codes, claim, account_id, now):
    with database.transaction():
        recovery.remove(account_id, now)

    assert not claim(codes[0])
    assert left(database, recovery, account_id) == 0


def test_twenty_uses_at_once_have_one_winner(codes, claim):
    """M2, X12: on both databases."""
    assert sum(in_parallel(20, lambda _: claim(codes[0]))) == 1


def test_the_database_holds_no_code(database, repos, codes):
    with database.transaction(write=False):
        rows = repos.recovery_codes._session.connection()  # noqa: SLF001 - looks at every column
        kept = repr(rows.exec_driver_sql("SELECT * FROM recovery_code").all())

    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
