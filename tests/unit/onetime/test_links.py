"""Links that work once, alike on both databases (rows V1, V4), and drafts."""

from datetime import timedelta

import pytest

from idp.onetime import OneTimeDrafts, OneTimeLinks
from tests.storage.threads import in_parallel

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def links(repos) -> OneTimeLinks:
    return OneTimeLinks(repos)


@pytest.fixture
def token(database, links, now) -> str:
    with database.transaction():
        issued = links.issue(
            "reset",
            account_id="acc_1",
            target="ada@example.org",
            payload={"n": 1},
            lifetime=HALF_AN_HOUR,
            now=now,
        )
    return issued.reveal()


@pytest.fixture
def claim(database, links, now):
    def claim(token, kind="reset", at=now):
        with database.transaction():
            return links.claim(kind, token, at)

    return claim


def test_a_link_has_256_random_bits(token):
    """V1: at least 128."""
    assert token.startswith("idp_ol_")
    assert len(token.removeprefix("idp_ol_")) == 43


def test_a_link_works_once_and_gives_back_what_was_kept_with_it(claim, token):
    claimed = claim(token)

    assert (claimed.account_id, claimed.target, claimed.payload) == ("acc_1", "ada@example.org", {"n": 1})
    assert claim(token) is None


def test_a_link_is_good_for_its_purpose_alone(claim, token):
    """V4: a link that confirms an address gives no new password."""
    assert claim(token, kind="verify_email") is None
    assert claim(token) is not None


def test_a_link_ends_with_its_lifetime(claim, token, now):
    assert claim(token, at=now + HALF_AN_HOUR) is None


def test_looking_at_a_link_does_not_use_it(database, links, claim, token, now):
    """S9: mail programs open links, too."""

    def peek(kind="reset", at=now):
        with database.transaction(write=False):
            return links.peek(kind, token, at)

    assert peek().target == "ada@example.org"
    assert peek().target == "ada@example.org"
    assert peek("verify_email") is None
    assert peek(at=now + HALF_AN_HOUR) is None
    claim(token)
    assert peek() is None


@pytest.mark.parametrize(
    "junk", ["", "x", "idp_ol_", "idp_ol_" + "x" * 43, "x" * 100_000, "idp_ol_\ud800\x00"]
)
def test_junk_is_no_link(database, links, claim, token, junk, now):
    assert claim(junk) is None
    with database.transaction(write=False):
        assert links.peek("reset", junk, now) is None


def test_the_database_does_not_hold_the_link(database, repos, token):
    """V1: hashed."""
    with database.transaction(write=False):
        connection = repos.one_time._session.connection()  # noqa: SLF001 - looks at every column
        kept = connection.exec_driver_sql("SELECT * FROM one_time").all()

    assert len(kept) == 1
    assert token not in repr(kept)
    assert token.removeprefix("idp_ol_").encode() not in b"".join(
        bytes(column) for column in kept[0] if isinstance(column, (bytes, memoryview))
    )


def test_twenty_claims_at_once_have_one_winner(claim, token):
    assert sum(claimed is not None for claimed in in_parallel(20, lambda _: claim(token))) == 1


def test_a_draft_waits_for_whom_it_is_bound_to_and_is_confirmed_once(database, repos, now):
    drafts = OneTimeDrafts(repos)
    with database.transaction():
        for number in (1, 2):
            drafts.keep(
                "totp",
                binding="ses_1",
                account_id="acc_1",
                payload={"n": number},
                lifetime=HALF_AN_HOUR,
                now=now,
            )

    with database.transaction():
        assert drafts.find("totp", binding="ses_2", now=now) is None
        assert drafts.find("totp", binding="ses_1", now=now + HALF_AN_HOUR) is None
        assert drafts.find("totp", binding="ses_1", now=now).payload == {"n": 2}
        assert drafts.claim("totp", binding="ses_2", now=now) is None
        assert drafts.claim("totp", binding="ses_1", now=now) is not None
        assert drafts.claim("totp", binding="ses_1", now=now) is None
        assert drafts.find("totp", binding="ses_1", now=now) is None
