"""Six-digit codes, alike on both databases (row M3).

| rule                                                   | test                                        |
|--------------------------------------------------------|---------------------------------------------|
| bound to the transaction that asked                    | test_a_code_is_bound_to_its_transaction     |
| used once                                              | test_twenty_claims_at_once_have_one_winner  |
| few tries, also in parallel                            | test_five_wrong_…, test_guesses_at_once_…   |
| a new code replaces the old                            | test_a_new_code_replaces_the_one_before     |
| ten minutes                                            | test_a_code_ends_with_its_lifetime          |
| a stolen database gives no code away                   | test_no_code_can_be_found_from_the_database |
"""

from datetime import timedelta

import pytest

from idp.crypto import Secret
from idp.onetime import MOST_TRIES, OneTimeCodes
from tests.storage.threads import in_parallel

TEN_MINUTES = timedelta(minutes=10)
KEY = b"k" * 32


@pytest.fixture
def codes(repos) -> OneTimeCodes:
    return OneTimeCodes(repos, Secret(KEY))


@pytest.fixture
def issue(database, codes, now):
    def issue(kind="step", binding="lat_1", **given):
        with database.transaction():
            return codes.issue(kind, binding=binding, lifetime=TEN_MINUTES, now=now, **given)

    return issue


@pytest.fixture
def claim(database, codes, now):
    def claim(code, kind="step", binding="lat_1", at=now):
        with database.transaction():
            return codes.claim(kind, binding=binding, code=code, now=at)

    return claim


def other(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 10**6:06d}"


def test_a_code_gives_back_what_was_kept_with_it(issue, claim):
    code = issue(account_id="acc_1", target="ada@example.org", payload={"for": "ada"})

    claimed = claim(code)

    assert len(code) == 6
    assert (claimed.account_id, claimed.target, claimed.payload) == (
        "acc_1",
        "ada@example.org",
        {"for": "ada"},
    )


@pytest.mark.parametrize("spelling", ["{} {}", " {}-{}\n", "{}\N{NO-BREAK SPACE}{}", "{}\N{EN DASH}{}"])
def test_spaces_and_dashes_in_a_code_do_not_matter(issue, claim, spelling):
    code = issue()

    assert claim(spelling.format(code[:3], code[3:])) is not None


def test_a_code_works_once(issue, claim):
    code = issue()

    assert claim(code) is not None
    assert claim(code) is None


@pytest.mark.parametrize("elsewhere", [{"binding": "lat_2"}, {"kind": "signup"}])
def test_a_code_is_bound_to_its_transaction(issue, claim, elsewhere):
    """M3: the code of one sign-in is none of another."""
    code = issue()
    issue(**elsewhere)

    assert claim(code, **elsewhere) is None
    assert claim(code) is not None


def test_a_new_code_replaces_the_one_before(issue, claim):
    """M3. The chance of two equal ones is taken out of the test."""
    former = issue()
    latest = issue()
    while latest == former:
        latest = issue()

    assert claim(former) is None
    assert claim(latest) is not None


def test_a_new_code_can_be_used_after_one_that_was_burnt(issue, claim):
    for _ in range(MOST_TRIES):
        claim(other(issue()))

    assert claim(issue()) is not None


def test_a_code_ends_with_its_lifetime(issue, claim, now):
    code = issue()

    assert claim(code, at=now + TEN_MINUTES) is None
    assert claim(code, at=now + TEN_MINUTES - timedelta(microseconds=1)) is not None


def test_five_wrong_tries_burn_a_code(issue, claim):
    """M3: the sixth is not even compared."""
    code = issue()

    assert [claim(other(code)) for _ in range(MOST_TRIES)] == [None] * MOST_TRIES
    assert claim(code) is None


def test_the_fifth_try_may_be_right(issue, claim):
    code = issue()
    for _ in range(MOST_TRIES - 1):
        claim(other(code))

    assert claim(code) is not None


@pytest.mark.parametrize(
    "junk",
    [
        "",
        "12345",
        "1234567",
        "abcdef",
        "\u0661\u0662\u0663\u0664\u0665\u0666",
        "1" * 100_000,
        "\x00",
        "\ud800",
    ],
)
def test_junk_is_refused_and_costs_no_try(issue, claim, junk):
    """A slip of the finger is no guess; nothing that is no code reaches the database."""
    code = issue()
    for _ in range(MOST_TRIES + 1):
        assert claim(junk) is None

    assert claim(code) is not None


def test_nothing_is_claimed_where_nothing_was_issued(claim):
    assert claim("123456") is None


def test_twenty_claims_at_once_have_one_winner(issue, claim):
    """X12: exactly one, on every database."""
    code = issue()

    assert sum(claimed is not None for claimed in in_parallel(20, lambda _: claim(code))) == 1


def test_guesses_at_once_are_no_more_than_one_by_one(issue, claim, database, repos):
    """M3: of twenty parallel guesses with the right one among them, at most five are compared."""
    code = issue()
    wrong = [f"{(int(code) + step) % 10**6:06d}" for step in range(1, 21)]

    in_parallel(20, lambda number: claim(wrong[number]))

    assert claim(code) is None


def test_waiting_says_what_a_code_was_sent_for_without_using_it(database, codes, issue, claim, now):
    code = issue(target="+4930123456")

    def waiting(at=now):
        with database.transaction(write=False):
            return codes.waiting("step", binding="lat_1", now=at)

    assert waiting().target == "+4930123456"
    assert waiting(now + TEN_MINUTES) is None
    assert claim(code) is not None
    assert waiting() is None


def test_no_code_can_be_found_from_the_database(issue, claim, database, repos, now):
    """A million codes are tried in a second: what is stored says nothing without the key."""
    code = issue()
    with database.transaction():
        kept = repos.one_time._session.connection().exec_driver_sql("SELECT * FROM one_time").all()  # noqa: SLF001
        elsewhere = OneTimeCodes(repos, Secret(b"x" * 32))
        assert elsewhere.claim("step", binding="lat_1", code=code, now=now) is None

    assert code not in repr(kept)
    assert claim(code) is not None
