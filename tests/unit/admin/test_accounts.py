"""Operators make and switch accounts; each step is one transaction with its audit event."""

from datetime import timedelta

import pytest

from idp.errors import Conflict, Invalid, NotFound
from idp.storage import TokenFamilyRow
from tests.sessions import begin_session

PASSWORD = "correct horse battery staple"
OPERATOR = "operator:command line"


def is_password(container, account_id, password):
    with container.database.transaction(write=False):
        phc = container.passwords.stored_hash(account_id)
    return container.passwords.verify(password, phc).correct


def test_an_account_is_made_with_everything(admin, container, events, as_json):
    made = admin.accounts.create(
        username="Ada",
        email="ada@example.test",
        email_verified=True,
        claims={"name": "Ada", "address": {"country": "UK"}},
        password=PASSWORD,
    )

    assert made["id"].startswith("acc_")
    assert made["email_verified"] is True
    assert (
        made
        == admin.accounts.get("ADA")
        == admin.accounts.get("ada@example.test")
        == admin.accounts.get(made["id"])
    )
    assert is_password(container, made["id"], PASSWORD)
    assert {event for event, _ in events()} >= {"account.created", "account.password.set"}
    assert {actor for _, actor in events()} == {OPERATOR}
    assert PASSWORD not in as_json(made)


def test_a_claims_file_may_hold_what_the_account_has_fields_for(admin):
    claims = {"email": "ada@example.test", "email_verified": True, "updated_at": 1700000000, "name": "Ada"}

    made = admin.accounts.create(username="ada", claims=claims)

    assert made["email"] == "ada@example.test"
    assert made["email_verified"] is True
    assert made["claims"] == {"name": "Ada"}


def test_claims_are_changed_one_by_one(admin, events):
    admin.accounts.create(username="ada", claims={"name": "Ada", "nickname": "A", "groups": ["staff"]})

    changed = admin.accounts.update("ada", {"groups": ["board", "staff"], "nickname": None, "name": "Ada"})

    assert changed["claims"] == {"name": "Ada", "groups": ["board", "staff"]}
    assert events().count(("account.updated", OPERATOR)) == 1
    count = len(events())
    assert admin.accounts.update("ada", {"name": "Ada"}) == changed
    assert len(events()) == count


@pytest.mark.parametrize(
    ("claims", "field"),
    [
        ({"groups": "staff"}, "groups"),
        ({"email": "eve@x.example"}, "email"),
        ({"phone_number": None}, "phone_number"),
        ({"groups_elsewhere": None}, "groups_elsewhere"),
        ({"shoe_size": 38}, "claims"),
    ],
)
def test_claims_that_cannot_be_changed(admin, claims, field):
    before = admin.accounts.create(username="ada", claims={"groups": ["staff"]})

    with pytest.raises(Invalid) as error:
        admin.accounts.update("ada", claims)

    assert error.value.field == field
    assert admin.accounts.get("ada") == before


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"username": "a\x00"}, "username"),
        ({"email": "no address"}, "email"),
        ({"email": "a@x.example", "claims": {"email": "b@x.example"}}, "email"),
        ({"claims": {"email": 5}}, "email"),
        ({"claims": {"email_verified": "yes"}}, "email_verified"),
        ({"claims": {"updated_at": "yesterday"}}, "updated_at"),
        ({"claims": {"sub": "acc_1"}}, "sub"),
        ({"claims": {"name": 5}}, "name"),
        ({"email_verified": True}, "email_verified"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 1025}, "password"),
    ],
)
def test_bad_input_makes_nothing(admin, events, versions, given, field):
    before = versions()

    with pytest.raises(Invalid) as caught:
        admin.accounts.create(**{"username": "ada", **given})

    assert caught.value.field == field
    assert admin.accounts.list_() == []
    assert events() == []
    assert versions() == before


def test_a_taken_name_makes_nothing(admin, events):
    admin.accounts.create(username="ada")

    with pytest.raises(Conflict):
        admin.accounts.create(username="ADA", password=PASSWORD)

    assert len(admin.accounts.list_()) == 1
    assert [event for event, _ in events()] == ["account.created"]


def test_disabling_ends_sessions_and_families(admin, container, clock):
    """T16, S6: at once and for good; no worker keeps a copy of either."""
    account_id = admin.accounts.create(username="ada")["id"]
    now = clock.now()
    with container.database.transaction():
        _, cookie = begin_session(container.sessions, container.repos, account_id, now)
        container.repos.families.add(
            TokenFamilyRow(
                id="family",
                client_id="shop",
                account_id=account_id,
                grant_data={},
                last_used_at=now,
                created_at=now,
                expires_at=now + timedelta(days=1),
                idle_expires_at=now + timedelta(days=1),
            )
        )
    clock.advance(timedelta(seconds=1))

    result = admin.accounts.disable("ada")

    assert result["disabled"] is True
    assert (result["ended_sessions"], result["revoked_families"]) == (1, 1)
    assert admin.accounts.enable("ada")["disabled"] is False
    with container.database.transaction(write=False):
        assert container.sessions.find(cookie.reveal(), clock.now()) is None
        assert container.repos.families.get("family").revoked_reason == "account_disabled"


def test_a_new_password_ends_what_the_old_one_opened(admin, container, clock):
    account_id = admin.accounts.create(username="ada", password=PASSWORD)["id"]
    with container.database.transaction():
        _, cookie = begin_session(container.sessions, container.repos, account_id, clock.now())
    clock.advance(timedelta(seconds=1))

    admin.accounts.set_password("ada", "another good password")

    assert is_password(container, account_id, "another good password")
    assert not is_password(container, account_id, PASSWORD)
    with container.database.transaction(write=False):
        assert container.sessions.find(cookie.reveal(), clock.now()) is None


@pytest.mark.parametrize("name", ["nobody", "acc_nobody", "", "\ud800", "a\x00"])
def test_unknown_names_are_not_found(admin, name):
    for action in (admin.accounts.get, admin.accounts.disable, admin.accounts.enable):
        with pytest.raises(NotFound):
            action(name)
