"""People are told what was done to their account, with a way to object that works for a week."""

from datetime import timedelta

import pytest

from idp.accounts import NOT_ME, Accounts, Notice, Notices
from idp.audit import Source
from idp.onetime import OneTimeLinks
from tests.post import ISSUER, Post

SOURCE = Source("192.0.2.7", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Safari/604.1")


@pytest.fixture
def post(tmp_path, database, repos, clock):
    return Post(tmp_path, database, repos, clock)


@pytest.fixture
def links(repos):
    return OneTimeLinks(repos)


@pytest.fixture
def notices(repos, post, links):
    return Notices(repos, post.outbox, links, ISSUER)


@pytest.fixture
def ada(post, repos, clock):
    with post.database.transaction():
        return Accounts(repos).create(
            username="ada", email="ada@example.org", email_verified=True, claims={}, now=clock.now()
        )


def tell(post, notices, account, notice, **given):
    with post.database.transaction():
        notices.tell(account, notice, **{"source": SOURCE, "now": post.clock.now(), **given})
    post.round()
    return post.mails()


@pytest.mark.parametrize("notice", list(Notice))
def test_each_says_what_happened_when_and_from_where(post, notices, ada, notice):
    (mail,) = tell(post, notices, ada, notice, detail={"provider": "Example company"})

    assert mail.to == "ada@example.org"
    assert "Hello ada," in mail.text
    assert "Safari on iPhone" in mail.text
    assert "192.0.2.7" in mail.text
    assert "2 January 2026, 03:04 (UTC)" in mail.text


def test_its_link_knows_what_was_objected_to(post, notices, ada, links, clock):
    (mail,) = tell(post, notices, ada, Notice.PASSKEY_ADDED)
    token = mail.link.removeprefix(f"{ISSUER}/not-me/")

    clock.advance(timedelta(days=6))
    with post.database.transaction():
        claimed = links.claim(NOT_ME, token, clock.now())

    assert claimed is not None
    assert claimed.account_id == ada.id
    assert claimed.target == "ada@example.org"
    assert claimed.payload["notice"] == "passkey_added"


def test_its_link_is_dead_after_a_week(post, notices, ada, links, clock):
    (mail,) = tell(post, notices, ada, Notice.PASSKEY_ADDED)
    clock.advance(timedelta(days=7))

    with post.database.transaction(write=False):
        assert links.peek(NOT_ME, mail.link.removeprefix(f"{ISSUER}/not-me/"), clock.now()) is None


@pytest.mark.parametrize("notice", [Notice.ACCOUNT_SECURED, Notice.ACCOUNT_DELETED])
def test_an_objection_and_a_farewell_cannot_be_objected_to(post, notices, ada, notice):
    (mail,) = tell(post, notices, ada, notice)

    assert "/not-me/" not in mail.text


def test_what_an_operator_did_has_no_device(post, notices, ada):
    (mail,) = tell(post, notices, ada, Notice.SECOND_FACTOR_RESET, source=None)

    assert "Device" not in mail.text
    assert "Network address" not in mail.text


def test_a_passkey_is_called_by_its_name(post, notices, ada):
    (mail,) = tell(post, notices, ada, Notice.PASSKEY_ADDED, detail={"name": "Blue key"})

    assert "A passkey was added to your account: Blue key." in mail.text


def test_the_address_that_was_given_up_can_be_told_instead(post, notices, ada):
    (mail,) = tell(post, notices, ada, Notice.EMAIL_CHANGED, to="former@example.org")

    assert mail.to == "former@example.org"


def test_an_account_without_an_address_is_told_nothing(post, notices, repos, clock):
    with post.database.transaction():
        bob = Accounts(repos).create(
            username="bob", email=None, email_verified=False, claims={}, now=clock.now()
        )

    assert tell(post, notices, bob.id, Notice.PASSWORD_CHANGED) == []


def test_without_mail_nothing_is_written(tmp_path, database, repos, clock, links, ada):
    silent = Post(tmp_path, database, repos, clock, mail={"transport": "none"})

    assert tell(silent, Notices(repos, silent.outbox, links, ISSUER), ada, Notice.PASSWORD_CHANGED) == []
    with database.transaction(write=False):
        assert repos.outbox.list_unsent(limit=1) == []
