"""The one-time primitive (D2), alike on both databases.

| rule                                                              | test                                   |
|-------------------------------------------------------------------|----------------------------------------|
| at most one caller ever succeeds (T3, X12)                        | test_fifty_claims_at_once_have_one_…   |
| a used one is recognised until it expires (RFC 6749 §4.1.2)       | test_claimed_row_stays_…               |
| only for whom it was issued, with its proof and target            | test_wrong_…, test_proof_…             |
| what can be guessed is burnt after a few tries                    | test_attempts_…                        |
"""

from datetime import timedelta

import pytest

from idp.errors import Conflict
from tests.storage import rows
from tests.storage.threads import in_parallel

CODE = {
    "kind": "authorization_code",
    "digest": b"\x00\x01\xff",
    "binding": "shop",
    "proof": "challenge",
    "target": "https://shop.example/cb",
}
KEY = (CODE["kind"], CODE["digest"])


def issue(database, repos, now, **changes):
    with database.transaction():
        repos.one_time.issue(rows.code(now, **changes))


def claim(database, repos, now, **changes):
    with database.transaction():
        return repos.one_time.claim(**CODE | {"now": now} | changes)


def test_claim_gives_what_was_issued(database, repos, now):
    issue(database, repos, now, account_id="acc_1", session_id="ses_1")

    row = claim(database, repos, now)

    assert (row.payload, row.account_id, row.session_id) == ({"scopes": ["openid"]}, "acc_1", "ses_1")
    assert row.consumed_at == now


def test_second_claim_gives_nothing(database, repos, now):
    issue(database, repos, now)

    assert claim(database, repos, now) is not None
    assert claim(database, repos, now) is None


def test_fifty_claims_at_once_have_one_winner(database, repos, now):
    """X12: single use is decided by one statement, whatever the number of workers."""
    issue(database, repos, now)

    claims = in_parallel(50, lambda _: claim(database, repos, now))

    assert sum(row is not None for row in claims) == 1


def test_claim_is_undone_with_its_transaction(database, repos, now):
    issue(database, repos, now)

    def claim_and_fail():
        with database.transaction():
            assert repos.one_time.claim(**CODE, now=now) is not None
            raise LookupError

    with pytest.raises(LookupError):
        claim_and_fail()

    assert claim(database, repos, now) is not None


def test_expired_cannot_be_claimed(database, repos, now):
    issue(database, repos, now)

    assert claim(database, repos, now + timedelta(seconds=60)) is None
    assert claim(database, repos, now + timedelta(seconds=59, microseconds=999_999)) is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "password_reset"},
        {"digest": b"\x00\x01"},
        {"binding": "other"},
        {"binding": "SHOP"},
        {"proof": "other"},
        {"proof": None},
        {"target": "https://shop.example/cb/"},
    ],
)
def test_wrong_claim_gives_nothing_and_uses_nothing_up(database, repos, now, wrong):
    issue(database, repos, now)

    assert claim(database, repos, now, **wrong) is None
    assert claim(database, repos, now) is not None


def test_proof_shown_where_none_was_stored_fails(database, repos, now):
    """C12: a verifier for a request without challenge is a downgrade attempt."""
    issue(database, repos, now, proof=None)

    assert claim(database, repos, now, proof="challenge") is None
    assert claim(database, repos, now, proof=None) is not None


def test_target_is_compared_only_if_shown(database, repos, now):
    issue(database, repos, now)

    assert claim(database, repos, now, target=None) is not None


def test_claimed_row_stays_with_its_outcome(database, repos, now):
    issue(database, repos, now)
    with database.transaction():
        repos.one_time.claim(**CODE, now=now)
        repos.one_time.set_outcome(*KEY, "fam1")

    with database.transaction(write=False):
        row = repos.one_time.find(*KEY)
        assert (row.consumed_at, row.outcome) == (now, "fam1")
        assert repos.one_time.find("password_reset", CODE["digest"]) is None


def test_attempts_burn_at_the_limit(database, repos, now):
    issue(database, repos, now)

    def wrong_try() -> int:
        with database.transaction():
            return repos.one_time.count_attempt(*KEY, 3, now)

    assert [wrong_try() for _ in range(5)] == [1, 2, 3, 3, 3]
    assert claim(database, repos, now) is None


def test_attempts_in_parallel_are_all_counted(database, repos, now):
    issue(database, repos, now)

    def wrong_try(_) -> int:
        with database.transaction():
            return repos.one_time.count_attempt(*KEY, 10, now)

    assert sorted(in_parallel(12, wrong_try)) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]


def test_attempts_on_nothing_answer_the_limit(database, repos, now):
    with database.transaction():
        assert repos.one_time.count_attempt("email_code", b"?", 5, now) == 5


def test_digest_can_be_issued_once(database, repos, now):
    issue(database, repos, now)

    with pytest.raises(Conflict):
        issue(database, repos, now)
