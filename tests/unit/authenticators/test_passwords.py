"""Setting and checking passwords on both databases."""

import pytest

from idp.authenticators import Passwords
from idp.crypto import Argon2Parameters, PasswordHasher
from idp.errors import Invalid
from idp.settings import PasswordSettings

PASSWORD = "correct horse battery staple"


@pytest.fixture
def passwords(database, repos):
    made = []

    def make(passes=1):
        hasher = PasswordHasher(Argon2Parameters(memory_kib=64, passes=passes), b"pepper")
        made.append(Passwords(database, repos, hasher, PasswordSettings()))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_the_right_password_is_right_and_any_other_wrong(passwords, account_id, now):
    """P3: the whole password, normalised once and identically at set and check."""
    rooms = passwords()
    rooms.set(account_id, "Pa\u0301sswort! mit Leerzeichen", now)

    assert rooms.check(account_id, "P\u00e1sswort! mit Leerzeichen").correct
    assert not rooms.check(account_id, "p\u00e1sswort! mit leerzeichen").correct
    assert not rooms.check(account_id, "P\u00e1sswort! mit Leerzeiche").correct
    assert not rooms.check(account_id, "").correct


def test_nobody_and_an_account_without_password_are_never_right(passwords, account_id):
    """L7: no answer tells whether the account exists."""
    rooms = passwords()

    assert not rooms.check(None, PASSWORD).correct
    assert not rooms.check(account_id, PASSWORD).correct
    assert not rooms.check("acc_unknown", PASSWORD).correct


def test_hashing_holds_no_transaction(passwords, database, account_id, now):
    """L8: the wait for a slot keeps no connection."""
    rooms = passwords()
    phc = rooms.hash(PASSWORD)
    with database.transaction():
        rooms.store(account_id, phc, now)

    with database.statements.measure() as verifying:
        assert rooms.verify(PASSWORD, phc).correct

    assert not verifying.statements


def test_a_hash_with_old_parameters_is_renewed_on_success_only(passwords, database, account_id, now):
    """P6: re-hash on login when the parameters rise."""
    passwords(passes=1).set(account_id, PASSWORD, now)
    today = passwords(passes=2)

    assert today.check(account_id, "wrong password").phc_to_store is None
    renewed = today.check(account_id, PASSWORD).phc_to_store
    assert renewed is not None
    assert ",t=2," in renewed
    with database.transaction():
        today.store(account_id, renewed, now)
    again = today.check(account_id, PASSWORD)

    assert again.correct
    assert again.phc_to_store is None


@pytest.mark.parametrize("password", ["x" * 1025, "\ud800"])
def test_impossible_passwords_are_refused_for_everybody_alike(passwords, account_id, password):
    """P4, L6: before hashing, and whether or not the account exists."""
    rooms = passwords()

    for who in (None, account_id):
        with pytest.raises(Invalid):
            rooms.check(who, password)


def test_hashes_are_in_no_representation(passwords, account_id, now):
    """X10: nothing secret in logs."""
    passwords(passes=1).set(account_id, PASSWORD, now)

    assert "argon2" not in repr(passwords(passes=2).check(account_id, PASSWORD))
