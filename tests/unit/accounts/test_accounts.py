"""The account record on both databases."""

from datetime import timedelta

import pytest

from idp.accounts import Accounts
from idp.errors import Conflict, Invalid, NotFound


@pytest.fixture
def create(database, repos, now):
    def make(username="ada", **given):
        with database.transaction():
            return Accounts(repos).create(
                username=username,
                email=given.get("email"),
                email_verified=given.get("email_verified", False),
                claims=given.get("claims", {}),
                now=now,
            )

    return make


def find(database, repos, text):
    with database.transaction(write=False):
        return Accounts(repos).find_by_identifier(text)


def test_an_account_is_found_by_every_spelling_of_its_names(database, repos, create):
    account = create("Ada", email="Ada@Bücher.example", claims={"name": "Ada", "address": {"country": "UK"}})

    for text in ("ada", "ADA ", "ada@bücher.example", "ADA@xn--bcher-kva.example"):
        assert find(database, repos, text) == account
    assert account.id.startswith("acc_")
    assert account.username == "Ada"
    assert account.email == "Ada@bücher.example"


@pytest.mark.parametrize("text", ["", "nobody", "a\x00b", "\ud800", "\u202eada", "x" * 10_000, "@", "a@b@c"])
def test_unknown_names_and_junk_find_nobody(database, repos, create, text):
    """X5: malformed identifiers are no error at sign-in, they are nobody's."""
    create()

    assert find(database, repos, text) is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"username": "Ada"}, {"username": "aDA"}),
        ({"username": "ada", "email": "a@x.example"}, {"username": "eve", "email": "A@X.example"}),
        ({"username": "ada", "email": "a@x.example"}, {"username": "a@x.example"}),
        ({"username": "a@x.example"}, {"username": "eve", "email": "a@x.example"}),
    ],
)
def test_usernames_and_addresses_share_one_name_space(create, first, second):
    """V7: no username is somebody else's e-mail address, nor the other way round."""
    create(**first)

    with pytest.raises(Conflict):
        create(**second)


def test_a_username_may_be_the_persons_own_address(database, repos, create):
    account = create("Ada@x.example", email="ada@x.example")

    assert find(database, repos, "ada@x.example") == account


def test_an_address_must_exist_to_be_verified(create):
    with pytest.raises(Invalid) as caught:
        create(email_verified=True)

    assert caught.value.field == "email_verified"


def test_disabling_sets_the_epoch_and_enabling_keeps_it(database, repos, create, now):
    """T16: what was issued before stays dead when the account comes back."""
    account = create()
    later = now + timedelta(hours=1)

    with database.transaction():
        disabled = Accounts(repos).disable(account.id, later)
    with database.transaction():
        enabled = Accounts(repos).enable(account.id)

    assert disabled.is_disabled
    assert disabled.not_before == later
    assert not enabled.is_disabled
    assert enabled.not_before == later


def test_unknown_accounts_are_not_found(database, repos, now):
    with database.transaction():
        for action in (Accounts(repos).get, Accounts(repos).enable):
            with pytest.raises(NotFound):
                action("acc_nobody")
        with pytest.raises(NotFound):
            Accounts(repos).disable("acc_nobody", now)


def test_accounts_are_listed_in_pages(database, repos, create):
    made = [create(f"user{number}") for number in range(5)]
    ids = sorted(account.id for account in made)

    with database.transaction(write=False):
        first = Accounts(repos).list_(limit=3)
        rest = Accounts(repos).list_(limit=3, after=first[-1].id)

    assert [account.id for account in [*first, *rest]] == ids
