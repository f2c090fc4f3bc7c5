"""Known devices (row L3)."""

from datetime import timedelta

import pytest

from idp.accounts import Accounts
from idp.authenticators import KnownDevices
from idp.authenticators.devices import LIFETIME


@pytest.fixture
def devices(database, repos):
    class InTransactions:
        def remember(self, *arguments):
            with database.transaction():
                return KnownDevices(repos).remember(*arguments).reveal()

        def find(self, *arguments):
            with database.transaction(write=False):
                return KnownDevices(repos).find(*arguments)

        def forget_all(self, account_id):
            with database.transaction():
                KnownDevices(repos).forget_all(account_id)

    return InTransactions()


@pytest.fixture
def other_id(database, repos, now):
    with database.transaction():
        made = Accounts(repos).create(username="eve", email=None, email_verified=False, claims={}, now=now)
    return made.id


def test_a_device_is_known_for_the_account_that_signed_in(devices, account_id, other_id, now):
    cookie = devices.remember(None, account_id, now)

    assert devices.find(cookie, account_id, now).account_id == account_id
    assert devices.find(cookie, other_id, now) is None
    assert devices.find(cookie, account_id, now + LIFETIME) is None


def test_the_same_device_keeps_its_value_and_stays_known(devices, account_id, now):
    cookie = devices.remember(None, account_id, now)
    later = now + timedelta(days=100)

    assert devices.remember(cookie, account_id, later) == cookie
    assert devices.find(cookie, account_id, now + LIFETIME + timedelta(days=1)) is not None


@pytest.mark.parametrize("planted", ["", "idp_dv_" + "x" * 43, "\ud800", "idp_dv_\ud800", "a" * 10_000])
def test_a_planted_value_is_replaced(devices, account_id, now, planted):
    """S2: no value is accepted that we did not make for this person."""
    cookie = devices.remember(planted, account_id, now)

    assert cookie != planted
    assert devices.find(planted, account_id, now) is None


def test_another_persons_value_is_replaced(devices, account_id, other_id, now):
    cookie = devices.remember(None, other_id, now)

    assert devices.remember(cookie, account_id, now) != cookie
    assert devices.find(cookie, other_id, now) is not None


def test_devices_can_be_forgotten(devices, account_id, now):
    cookie = devices.remember(None, account_id, now)

    devices.forget_all(account_id)

    assert devices.find(cookie, account_id, now) is None
