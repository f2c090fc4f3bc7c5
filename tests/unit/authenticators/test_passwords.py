"""Setting and checking passwords on both databases."""

import pytest

from idp.authenticators import Passwords
from idp.crypto import Argon2Parameters, PasswordHasher
from idp.errors import Invalid
from idp.settings import PasswordSettings

PASSWORD = "correct horse battery staple"


@pytest.fixture
def passwords(repos):
    made = []

    def make(passes=1):
        hasher = PasswordHasher(Argon2Parameters(memory_kib=64, passes=passes), b"pepper")
        made.append(Passwords(repos, hasher, PasswordSettings()))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def keep(database, now):
    def hash_and_store(rooms, account_id, password):
        phc = rooms.hash(password)
        with database.transaction():
            rooms.store(account_id, phc, now)

    return hash_and_store


@pytest.fixture
def check(database):
    def read_and_verify(rooms, account_id, password):
        with database.transaction(write=False):
            phc = rooms.stored_hash(account_id)
        return rooms.verify(password, phc)

    return read_and_verify


def test_the_right_password_is_right_and_any_other_wrong(passwords, keep, check, account_id):
    """P3: the whole password, normalised once and identically at set and check."""
    rooms = passwords()
    keep(rooms, account_id, "Pa\u0301sswort! mit Leerzeichen")

    assert check(rooms, account_id, "P\u00e1sswort! mit Leerzeichen").correct
    assert not check(rooms, account_id, "p\u00e1sswort! mit leerzeichen").correct
    assert not check(rooms, account_id, "P\u00e1sswort! mit Leerzeiche").correct
    assert not check(rooms, account_id, "").correct


def test_nobody_and_an_account_without_password_are_never_right(passwords, check, account_id):
    """L7: no answer tells whether the account exists."""
    rooms = passwords()

    assert not check(rooms, account_id, PASSWORD).correct
    assert not check(rooms, "acc_unknown", PASSWORD).correct


def test_hashing_holds_no_transaction(passwords, database):
    """L8: the wait for a slot keeps no connection."""
    rooms = passwords()
    phc = rooms.hash(PASSWORD)

    with database.statements.measure() as verifying:
        assert rooms.verify(PASSWORD, phc).correct

    assert not verifying.statements


def test_a_hash_with_old_parameters_is_renewed_on_success_only(
    passwords, keep, check, database, account_id, now
):
    """P6: re-hash on login when the parameters rise."""
    keep(passwords(passes=1), account_id, PASSWORD)
    today = passwords(passes=2)

    assert check(today, account_id, "wrong password").phc_to_store is None
    renewed = check(today, account_id, PASSWORD).phc_to_store
    assert renewed is not None
    assert ",t=2," in renewed
    with database.transaction():
        today.store(account_id, renewed, now)
    again = check(today, account_id, PASSWORD)

    assert again.correct
    assert again.phc_to_store is None


@pytest.mark.parametrize("password", ["x" * 1025, "\ud800"])
def test_impossible_passwords_are_refused_for_everybody_alike(passwords, password):
    """P4, L6: before hashing, and whether or not the account exists."""
    rooms = passwords()

    for phc in (None, rooms.hash(PASSWORD)):
        with pytest.raises(Invalid):
            rooms.verify(password, phc)


def test_hashes_are_in_no_representation(passwords):
    """X10: nothing secret in logs."""
    former = passwords(passes=1).hash(PASSWORD)

    assert "argon2" not in repr(passwords(passes=2).verify(PASSWORD, former))
