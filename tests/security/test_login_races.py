"""Sign-ins that run at the same time."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from idp.audit import Source
from idp.authenticators import PasswordCheck, Passwords
from idp.container import Container
from idp.errors import Refused
from idp.login import LoginFlow, LoginServices
from tests.provider import PASSWORD, make_provider, make_settings
from tests.second_steps import person


@dataclass
class SlowHashing:
    """The real passwords; while one is hashed, something else happens."""

    passwords: Passwords
    meanwhile: Callable[[], None]

    def verify(self, password: str, phc: str | None) -> PasswordCheck:
        check = self.passwords.verify(password, phc)
        self.meanwhile()
        return check

    def __getattr__(self, name: str) -> Any:
        return getattr(self.passwords, name)


def guess(here: Container, password: str, meanwhile: Callable[[], None] = lambda: None) -> Refused:
    """One attempt on ada's account; it is refused."""
    flow = LoginFlow(
        LoginServices(
            store=here.login_store,
            passwords=SlowHashing(here.passwords, meanwhile),  # type: ignore[arg-type] # behaves like it
            throttle=here.throttle,
            devices=here.devices,
            sessions=here.sessions,
            ratelimiter=here.ratelimiter,
            audit=here.audit,
            pending=here.pending,
        )
    )
    with pytest.raises(Refused) as refusal:
        flow.sign_in_with_password(
            identifier="ada",
            password=password,
            present_session=None,
            device_cookie=None,
            source=Source(address="192.0.2.1", user_agent="test", request_id="req_1"),
            now=here.clock.now(),
        )
    return refusal.value


def test_burst_does_not_give_the_right_password_away_before_a_second_step(tmp_path: Path):
    """L1: nor where the right password would lead to a second step."""
    provider = make_provider(make_settings(tmp_path))
    try:
        person(provider, "totp")
        here = provider.container
        for _ in range(4):
            guess(here, "wrong")

        right = guess(here, PASSWORD, meanwhile=lambda: str(guess(here, "wrong")))

        assert right.retry_after is not None
        with here.database.transaction(write=False):
            events = [row.event for row in here.repos.audit.list_()]
        assert "account.password.verified" not in events
    finally:
        provider.close()


def test_burst_does_not_give_the_right_password_away(tmp_path: Path):
    """L1: guesses that passed the first look together are all answered alike, whoever of them is right."""
    provider = make_provider(make_settings(tmp_path))
    try:
        provider.account("ada")
        here = provider.container
        for _ in range(4):
            guess(here, "wrong")

        right = guess(here, PASSWORD, meanwhile=lambda: str(guess(here, "wrong")))
        provider.advance(minutes=1)
        wrong = guess(here, "wrong", meanwhile=lambda: str(guess(here, "wrong")))

        assert right.description == wrong.description
        assert right.retry_after is not None
    finally:
        provider.close()
