"""Which proof comes next, and what the proofs come to."""

from datetime import UTC, datetime

import pytest

from idp.login.assurance import Achieved, Factor, assurance_of
from idp.login.policy import Enrolled, NextStep, Required, Stage, next_step, password_suffices

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSWORD, TOTP, PASSKEY, EMAIL = Factor.PASSWORD, Factor.TOTP, Factor.PASSKEY, Factor.EMAIL
RECOVERY = Factor.RECOVERY_CODE
DONE = NextStep(Stage.DONE)
ENROL = NextStep(Stage.ENROL)


def ask(*methods: Factor) -> NextStep:
    return NextStep(Stage.ASK, methods)


PLAIN = Enrolled(password=True)
GENERATOR = Enrolled(password=True, totp=True, recovery_codes=8)
PASSKEYS = Enrolled(password=True, passkeys=1)
MAIL = Enrolled(password=True, email=True)


@pytest.mark.parametrize(
    ("enrolled", "achieved", "level", "enrol", "trusted", "expected"),
    [
        (PLAIN, (), 1, False, False, NextStep(Stage.IDENTIFY)),
        (PLAIN, (PASSWORD,), 1, False, False, DONE),
        (PLAIN, (PASSWORD,), 2, False, False, DONE),
        (PLAIN, (PASSWORD,), 2, True, False, ENROL),
        (GENERATOR, (PASSWORD,), 1, False, False, ask(TOTP, RECOVERY)),
        (GENERATOR, (PASSWORD,), 1, False, True, DONE),
        (GENERATOR, (PASSWORD,), 2, False, True, ask(TOTP, RECOVERY)),
        (GENERATOR, (PASSWORD, TOTP), 2, False, False, DONE),
        (GENERATOR, (PASSWORD, TOTP), 3, False, False, DONE),
        (GENERATOR, (PASSWORD, TOTP), 3, True, False, ENROL),
        (GENERATOR, (PASSWORD,), 3, True, True, ask(TOTP, RECOVERY)),
        (GENERATOR, (PASSKEY,), 3, False, False, DONE),
        (PASSKEYS, (PASSWORD,), 1, False, False, DONE),
        (PASSKEYS, (PASSWORD,), 2, False, False, ask(PASSKEY)),
        (PASSKEYS, (PASSWORD,), 3, False, False, ask(PASSKEY)),
        (MAIL, (PASSWORD,), 1, False, False, ask(EMAIL)),
        (MAIL, (PASSWORD, EMAIL), 1, False, False, DONE),
        (MAIL, (PASSWORD, EMAIL), 2, True, False, ENROL),
    ],
)
def test_the_next_step(enrolled, achieved, level, enrol, trusted, expected):
    """Rows M5, M7, M8: decided from what is stored, whatever came first."""
    required = Required(level=level, enrol=enrol)

    step = next_step(enrolled=enrolled, achieved=achieved, required=required, trusted_device=trusted)

    assert step == expected


@pytest.mark.parametrize(
    ("factors", "acr", "amr"),
    [
        ((PASSWORD,), "urn:idp:loa:1", ("pwd",)),
        ((PASSWORD, EMAIL), "urn:idp:loa:1", ("otp", "pwd")),
        ((PASSWORD, TOTP), "urn:idp:loa:2", ("mfa", "otp", "pwd")),
        ((PASSWORD, Factor.SMS), "urn:idp:loa:2", ("mfa", "otp", "pwd", "sms")),
        ((PASSWORD, RECOVERY), "urn:idp:loa:2", ("mfa", "otp", "pwd")),
        ((Factor.SECURITY_KEY,), "urn:idp:loa:1", ("hwk", "pop")),
        ((PASSWORD, Factor.SECURITY_KEY), "urn:idp:loa:3", ("hwk", "mfa", "pop", "pwd")),
        ((PASSKEY,), "urn:idp:loa:3", ("hwk", "mfa", "pop", "user")),
    ],
)
def test_assurance_tells_the_truth(factors, acr, amr):
    """RFC 8176; row M4: e-mail is no second factor."""
    assert assurance_of([Achieved(factor, NOW) for factor in factors]) == (acr, amr)


def test_a_synced_passkey_is_named_as_one():
    assert assurance_of([Achieved(PASSKEY, NOW, synced=True)]).amr == ("mfa", "pop", "swk", "user")


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("required", [Required(), Required(level=2), Required(level=2, enrol=True)])
@pytest.mark.parametrize("enrolled", [PLAIN, GENERATOR, PASSKEYS, MAIL])
def test_a_password_that_suffices_is_followed_by_nothing(enrolled, required, trusted):
    """M5: the short way never leaves out a step that the long one would ask for."""
    short = password_suffices(
        has_second_step=enrolled.has_second_factor, required=required, trusted_device=trusted
    )
    step = next_step(enrolled=enrolled, achieved={PASSWORD}, required=required, trusted_device=trusted)

    assert not short or step == DONE
    assert short or required.level > 1 or step != DONE
