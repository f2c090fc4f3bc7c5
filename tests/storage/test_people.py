"""Accounts, throttles, devices and consents, alike on both databases."""

from datetime import timedelta

import pytest

from idp.errors import Conflict
from tests.storage import rows
from tests.storage.threads import in_parallel


@pytest.fixture
def alice(database, repos, now):
    with database.transaction():
        repos.accounts.add(rows.account(now), [("alice", "username"), ("alice@example.org", "email")])
    return "acc_1"


def test_account_is_found_by_each_of_its_names(database, repos, alice):
    with database.transaction(write=False):
        assert repos.accounts.find_by_identifier("alice").id == alice
        assert repos.accounts.find_by_identifier("alice@example.org").id == alice
        assert repos.accounts.find_by_identifier("Alice") is None
        assert repos.accounts.get("acc_2") is None


def test_name_is_taken_whatever_its_kind(database, repos, now, alice):
    """V7: nobody may take somebody else's e-mail address as username."""
    with pytest.raises(Conflict, match="taken"), database.transaction():
        repos.accounts.add(rows.account(now, id="acc_2"), [("alice@example.org", "username")])

    with database.transaction(write=False):
        assert repos.accounts.get("acc_2") is None


def test_name_is_given_once_to_accounts_made_at_once(database, repos, now):
    def create(number) -> bool:
        try:
            with database.transaction():
                repos.accounts.add(rows.account(now, id=f"acc_{number}"), [("bob", "username")])
        except Conflict:
            return False
        return True

    assert sum(in_parallel(10, create)) == 1


def test_accounts_are_listed_in_pages_by_code_point(database, repos, now):
    ids = ["acc_B", "acc_a", "acc_b", "acc_é"]
    with database.transaction():
        for account_id in reversed(ids):
            repos.accounts.add(rows.account(now, id=account_id), [])

    with database.transaction(write=False):
        first = [row.id for row in repos.accounts.list_(limit=3)]
        rest = [row.id for row in repos.accounts.list_(limit=3, after=first[-1])]
    assert first + rest == ids


def test_account_is_disabled_and_enabled(database, repos, now, alice):
    with database.transaction():
        assert repos.accounts.set_disabled(alice, now)
        assert not repos.accounts.set_disabled("acc_2", now)
    with database.transaction():
        assert repos.accounts.get(alice).disabled_at == now
        repos.accounts.set_disabled(alice, None)
    with database.transaction(write=False):
        assert repos.accounts.get(alice).disabled_at is None


def test_epoch_never_goes_back(database, repos, now, alice):
    with database.transaction():
        repos.accounts.set_not_before(alice, now)
        repos.accounts.set_not_before(alice, now - timedelta(days=1))

    with database.transaction(write=False):
        assert repos.accounts.get(alice).not_before == now


def test_password_is_set_and_replaced(database, repos, now, alice):
    later = now + timedelta(days=1)
    with database.transaction(write=False):
        assert repos.accounts.get_password(alice) is None
    with database.transaction():
        repos.accounts.set_password(alice, "$argon2id$1", now)
    with database.transaction():
        assert repos.accounts.get_password(alice).phc == "$argon2id$1"
        repos.accounts.set_password(alice, "$argon2id$2", later)
        assert repos.accounts.get_password(alice).phc == "$argon2id$2"

    with database.transaction(write=False):
        row = repos.accounts.get_password(alice)
        assert (row.phc, row.created_at, row.updated_at) == ("$argon2id$2", now, later)


def test_device_belongs_to_one_account_and_expires(database, repos, now, alice):
    """L3: a known device relieves its owner, nobody else, and not for ever."""
    later = now + timedelta(days=1)
    with database.transaction():
        repos.devices.add(rows.known_device(now, expires_at=later))

    with database.transaction():
        assert repos.devices.find(b"device", alice, now).created_at == now
        assert repos.devices.find(b"device", "acc_2", now) is None
        assert repos.devices.find(b"device", alice, later) is None
        assert repos.devices.delete_for_account(alice) == 1
        assert repos.devices.find(b"device", alice, now) is None


def test_consent_is_kept_per_resource_and_replaced(database, repos, now):
    later = now + timedelta(days=1)
    with database.transaction():
        repos.consents.save(rows.consent(now))
        repos.consents.save(rows.consent(now, resource="https://api.example", scopes=["read"]))
    with database.transaction():
        repos.consents.save(rows.consent(later, scopes=["openid", "email"], claims=["name"]))

    with database.transaction():
        row = repos.consents.find("acc_1", "shop")
        assert (row.scopes, row.claims) == (["openid", "email"], ["name"])
        assert (row.granted_at, row.updated_at) == (now, later)
        assert repos.consents.find("acc_1", "shop", "https://api.example").scopes == ["read"]
        assert repos.consents.find("acc_2", "shop") is None


def test_consents_given_at_once_do_not_collide(database, repos, now):
    def grant(number) -> None:
        with database.transaction():
            repos.consents.save(rows.consent(now, scopes=[str(number)]))

    in_parallel(10, grant)

    with database.transaction(write=False):
        assert repos.consents.find("acc_1", "shop") is not None
