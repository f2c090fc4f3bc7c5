"""Operators see what accounts sign in with, and help people who have lost it."""

from datetime import timedelta

import pyotp
import pytest

from idp.authenticators import Channel
from idp.errors import NotFound


@pytest.fixture
def ada(admin) -> str:
    made: str = admin.accounts.create(username="ada", email="ada@example.test", password="x" * 20)["id"]
    return made


@pytest.fixture
def protected(container, ada, clock) -> str:
    """Ada, with an app, codes by SMS, recovery codes and a browser she trusts."""
    now, secret = clock.now(), container.totp.new_secret()
    with container.database.transaction():
        container.totp.enrol(ada, secret, pyotp.TOTP(secret.reveal()).at(now), now)
        container.code_factors.enrol(ada, Channel.SMS, "+4930123456", now)
        container.recovery_codes.create(ada, now)
        container.devices.remember(None, ada, now, trusted_until=now + timedelta(days=30))
    return ada


def test_a_new_account_has_a_password_and_nothing_else(admin, ada, as_json):
    shown = admin.accounts.get("ada")["authenticators"]

    assert shown == {
        "password": True,
        "passkeys": [],
        "totp": None,
        "codes": [],
        "recovery_codes_left": 0,
        "identities": [],
    }


def test_an_account_is_shown_with_what_it_signs_in_with(admin, protected, as_json):
    shown = admin.accounts.get("ada")["authenticators"]

    assert shown["totp"] == {"created_at": "2026-03-01T12:00:00Z", "last_used_at": None}
    assert [(code["channel"], code["address"]) for code in shown["codes"]] == [("sms", "+4930123456")]
    assert shown["recovery_codes_left"] == 10
    assert "secret" not in as_json(shown)


def test_second_steps_are_reset_in_one_go(admin, container, protected, events, as_json):
    """Everything but the password goes; it is recorded in the operator's name."""
    answer = admin.accounts.reset_second_factor("ada@example.test")

    assert sorted(answer["removed"]) == ["recovery_codes", "sms", "totp"]
    assert answer["authenticators"] == {
        "password": True,
        "passkeys": [],
        "totp": None,
        "codes": [],
        "recovery_codes_left": 0,
        "identities": [],
    }
    with container.database.transaction(write=False):
        assert container.devices.count_trusted(protected, container.clock.now()) == 0
    assert ("account.factors.reset", "operator:command line") in events()
    as_json(answer)


def test_a_reset_of_nothing_is_no_event(admin, ada, events):
    assert admin.accounts.reset_second_factor(ada)["removed"] == []
    assert "account.factors.reset" not in {event for event, _ in events()}


def test_the_account_must_exist(admin):
    with pytest.raises(NotFound):
        admin.accounts.reset_second_factor("nobody")
