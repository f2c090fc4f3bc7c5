"""Sign-in with a password: same words for all failures, counters, sessions, known devices."""

import threading
from datetime import timedelta

import pytest

from idp.accounts import assert_may_authenticate
from idp.crypto import Secret
from idp.errors import Invalid, Refused
from idp.sessions import ACR_SINGLE_FACTOR
from tests.unit.login.conftest import PASSWORD, Door


def refusal(door: Door, *args, **options) -> Refused:
    with pytest.raises(Refused) as caught:
        door.sign_in(*args, **options)
    return caught.value


@pytest.mark.parametrize("identifier", ["ada", "ADA", " ada ", "ada@example.org", "Ada@EXAMPLE.org"])
def test_right_password_starts_a_session(door: Door, identifier):
    signed_in = door.sign_in(identifier)

    assert signed_in.session.account_id == door.ada.id
    assert signed_in.session.acr == ACR_SINGLE_FACTOR
    assert signed_in.session.amr == ("pwd",)
    assert signed_in.session.auth_time == door.clock.now()
    assert door.find(signed_in.session_cookie) == signed_in.session
    assert sorted(door.events()) == ["account.password.verified", "session.started"]


def test_all_failures_use_the_same_words(door: Door):
    """L6: unknown name, wrong password and disabled account look alike."""
    off = door.account("off")
    door.disable(off)

    refusals = [
        refusal(door, "nobody"),
        refusal(door, "ada", "wrong"),
        refusal(door, "off"),
        refusal(door, "off", "wrong"),
        refusal(door, "\x00\ud800"),
        refusal(door, ""),
        refusal(door, "a" * 5000),
    ]

    assert len({(each.description, each.retry_after) for each in refusals}) == 1
    reasons = {detail["reason"] for detail in door.details("account.password.failed")}
    assert sorted(reasons) == ["account_disabled", "unknown_account", "wrong_password"]


def test_unknown_and_known_names_are_throttled_alike(door: Door):
    """L1, L6: growing delay, and no name stands out by it."""
    known = [refusal(door, "ada", "wrong") for _ in range(5)]
    unknown = [refusal(door, "nobody", "wrong") for _ in range(5)]

    assert [each.retry_after for each in known] == [each.retry_after for each in unknown]
    assert known[-1].retry_after == timedelta(seconds=1)
    blocked = refusal(door, "ada"), refusal(door, "nobody")
    assert blocked[0].description == blocked[1].description
    assert blocked[0].retry_after == blocked[1].retry_after
    assert "account.password.throttled" in door.events()


def test_pause_ends_and_success_forgets_the_failures(door: Door):
    for _ in range(5):
        refusal(door, "ada", "wrong")
    refusal(door, "ada")
    door.clock.advance(timedelta(seconds=1))

    door.sign_in()

    assert refusal(door, "ada", "wrong").retry_after is None


def test_both_names_of_an_account_share_one_counter(door: Door):
    """L2: a second identifier is no second set of guesses."""
    for identifier in ("ada", "ada@example.org") * 2:
        refusal(door, identifier, "wrong")

    assert refusal(door, "ada", "wrong").retry_after is not None


def test_stranger_does_not_lock_the_owner_out(door: Door):
    """L3: a known device has a counter of its own, and is still asked for the password."""
    device = door.sign_in().device_cookie.reveal()
    for _ in range(12):
        refusal(door, "ada", "wrong", address="203.0.113.9")
        door.clock.advance(timedelta(seconds=1))
    refusal(door, "ada")

    assert door.sign_in(device=device).session.account_id == door.ada.id
    for _ in range(5):
        refusal(door, "ada", "wrong", device=device)
    refusal(door, "ada", device=device)


def test_device_of_one_account_is_none_of_another(door: Door):
    door.account("bob")
    device = door.sign_in("bob").device_cookie.reveal()
    for _ in range(5):
        refusal(door, "ada", "wrong")

    refusal(door, "ada", device=device)


def test_known_device_keeps_its_cookie(door: Door):
    device = door.sign_in().device_cookie.reveal()

    assert door.sign_in(device=device).device_cookie.reveal() == device
    assert door.sign_in(device="idp_dv_planted").device_cookie.reveal() != "idp_dv_planted"


def test_same_person_keeps_the_sid_and_gets_a_new_cookie(door: Door):
    """S2: a new value at every sign-in; the old one is dead."""
    first = door.sign_in()
    door.clock.advance(timedelta(seconds=9))

    again = door.sign_in(session=first.session)

    assert again.session.id == first.session.id
    assert again.session.logins == first.session.logins + 1
    assert again.session.auth_time == first.session.auth_time + timedelta(seconds=9)
    assert door.find(first.session_cookie) is None
    assert door.find(again.session_cookie) is not None
    assert door.details("session.reauthenticated") == [
        {"acr": ACR_SINGLE_FACTOR, "amr": ["pwd"], "logins": 2}
    ]
    purposes = [detail["purpose"] for detail in door.details("account.password.verified")]
    assert sorted(purposes) == ["login", "reauthentication"]


def test_another_person_ends_the_session_that_was_there(door: Door):
    """One browser, one session."""
    door.account("bob")
    ada = door.sign_in()

    bob = door.sign_in("bob", session=ada.session)

    assert bob.session.id != ada.session.id
    assert door.find(ada.session_cookie) is None
    assert [detail["reason"] for detail in door.details("session.ended")] == ["replaced"]


def test_ended_session_is_never_renewed(door: Door):
    """S5: what was ended meanwhile stays ended."""
    first = door.sign_in()
    with door.database.transaction():
        door.sessions.end(first.session.id, "logout", door.clock.now())

    again = door.sign_in(session=first.session)

    assert again.session.id != first.session.id


def test_password_is_hashed_again_when_the_parameters_rise(door: Door):
    """P6."""
    before = door.stored_hash(door.ada)
    door.raise_parameters()

    door.sign_in()

    after = door.stored_hash(door.ada)
    assert "m=64" in (before or "")
    assert "m=128" in (after or "")
    assert [detail["rehashed"] for detail in door.details("account.password.verified")] == [True]
    assert door.sign_in().session.account_id == door.ada.id


def test_endless_password_is_refused_before_hashing(door: Door):
    """P4: a clear 4xx."""
    with pytest.raises(Invalid) as caught:
        door.sign_in("ada", "a" * 2000)

    assert caught.value.field == "password"


def test_source_has_a_limit(limited_door: Door):
    """L2: attempts per source, right or wrong, and failures over all accounts."""
    for name in ("ada", "bob", "eve"):
        refusal(limited_door, name, "wrong")
    spraying = refusal(limited_door, "ada", PASSWORD)

    assert spraying.retry_after is not None
    limited_door.sign_in(address="198.51.100.7")


def test_source_attempts_are_limited(limited_door: Door):
    for _ in range(8):
        limited_door.sign_in()

    assert refusal(limited_door).retry_after is not None


def test_parallel_guesses_are_all_counted(door: Door):
    """L1: a burst gains nothing over the same guesses one by one."""

    def guess() -> None:
        try:
            door.sign_in("ada", "wrong")
        except Refused:
            pass
        finally:
            door.session.remove()

    threads = [threading.Thread(target=guess) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    failures = [detail["failures"] for detail in door.details("account.password.failed")]
    assert sorted(failures) == [1, 2, 3]


def test_no_secret_reaches_the_audit_record(door: Door):
    """X10: people type passwords as names at times."""
    refusal(door, "my secret password", "another secret")
    signed_in = door.sign_in()

    written = str([vars(row) for row in door.rows()])

    for secret in ("my secret password", "another secret", PASSWORD, signed_in.session_cookie.reveal()):
        assert secret not in written
    assert isinstance(signed_in.session_cookie, Secret)
    assert signed_in.session_cookie.reveal() not in repr(signed_in)


def test_gate(door: Door):
    """T16: disabled accounts and voided sign-ins, in words that say nothing."""
    now = door.clock.now()
    assert_may_authenticate(door.ada, now, auth_time=now)
    door.disable(door.ada)
    with door.database.transaction(write=False):
        off = door.accounts.get(door.ada.id)

    with pytest.raises(Refused):
        assert_may_authenticate(off, now)

    with door.database.transaction():
        on = door.accounts.enable(door.ada.id)
    assert_may_authenticate(on, now)
    with pytest.raises(Refused):
        assert_may_authenticate(on, now, auth_time=now - timedelta(seconds=1))
