"""Known devices (row L3); how they are kept is shown in `tests/storage/test_hot_login.py`."""

import pytest

from idp.authenticators import KnownDevices
from tests.storage import rows


def test_a_new_device_has_a_value_of_our_own(repos):
    devices = KnownDevices(repos)

    cookie, digest = devices.new()

    assert devices.digest(cookie.reveal()) == digest
    assert len(cookie.reveal()) >= 40
    assert devices.new()[1] != digest


@pytest.mark.parametrize("planted", [None, "", "\ud800", "a" * 10_000, "idp_bs_x"])
def test_values_of_others_are_no_devices(repos, planted):
    """S2: no value is accepted that we did not make."""
    assert KnownDevices(repos).digest(planted) is None


def test_junk_that_looks_like_a_device_never_raises(repos):
    assert KnownDevices(repos).digest("idp_dv_\ud800")


def test_devices_can_be_forgotten(database, repos, account_id, now):
    with database.transaction():
        repos.devices.add(rows.known_device(now, account_id=account_id))

    with database.transaction():
        KnownDevices(repos).forget_all(account_id)

    with database.transaction(write=False):
        assert repos.devices.find(b"device", account_id, now) is None
