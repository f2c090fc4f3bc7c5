"""Every way of taking a token back, in one comparison (T16)."""

from datetime import timedelta

import pytest

from idp.storage.hot import AccessState, AccountState
from idp.tokens import AccessTokenClaims, is_dead
from tests.unit.keys.deployment import START

BEFORE, AFTER = START - timedelta(seconds=1), START + timedelta(seconds=1)


def account(**changes):
    values = {
        "id": "acc_1",
        "username": "alice",
        "email": None,
        "email_verified": False,
        "claims_json": "{}",
        "updated_at": BEFORE,
        "disabled": False,
        "not_before": None,
    }
    return AccountState(**{**values, **changes})


def state(**changes):
    values = {
        "revoked": False,
        "family_live": True,
        "account": account(),
        "grant_json": "{}",
    }
    return AccessState(**{**values, **changes})


def claims(**changes):
    values = {
        "jti": "jti-1",
        "sub": "acc_1",
        "client_id": "shop",
        "aud": "https://api.example",
        "scope": (),
        "exp": START + timedelta(minutes=5),
        "iat": START,
        "fam": "fam-1",
        "auth_time": START,
        "acr": None,
        "amr": (),
    }
    return AccessTokenClaims(**{**values, **changes})


def test_fresh_token_lives():
    assert not is_dead(state(), claims(), None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"revoked": True},
        {"family_live": False},
        {"account": None},
        {"account": account(disabled=True)},
        {"account": account(id="acc_2")},
        {"account": account(not_before=AFTER)},
    ],
)
def test_state_kills_a_persons_token(changes):
    assert is_dead(state(**changes), claims(), None, None)


@pytest.mark.parametrize(("client", "deployment"), [(AFTER, None), (None, AFTER), (AFTER, BEFORE)])
@pytest.mark.parametrize("fam", ["fam-1", None])
def test_epoch_kills_every_older_token(client, deployment, fam):
    assert is_dead(state(), claims(fam=fam), client, deployment)


@pytest.mark.parametrize("epoch", [BEFORE, START])
def test_token_from_the_epoch_on_lives(epoch):
    assert not is_dead(state(account=account(not_before=epoch)), claims(), epoch, epoch)


def test_old_sign_in_gives_nothing_after_the_accounts_epoch():
    """A token refreshed after the epoch from a sign-in before it."""
    old = claims(auth_time=BEFORE)

    assert is_dead(state(account=account(not_before=START)), old, None, None)
    assert is_dead(state(), old, None, START)


def test_clients_epoch_does_not_end_sign_ins():
    """The person signed in before the client was disabled and enabled again; the token is from after."""
    assert not is_dead(state(), claims(auth_time=BEFORE), START, None)


def test_machine_token_needs_no_account():
    machine = claims(fam=None, sub="shop", auth_time=None)

    assert not is_dead(state(account=None, grant_json=None), machine, None, None)
    assert is_dead(state(account=None, grant_json=None, revoked=True), machine, None, None)
