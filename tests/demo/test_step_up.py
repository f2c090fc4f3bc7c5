"""The examples understand each other: the API asks for more, the application sends people to prove it.

Source: RFC 9470.
"""

import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import pyotp
import pytest
import requests

from tests.demo.running import RunningDemo

DIARY = "Dear diary"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    directory: Path = tmp_path_factory.mktemp("step-up")
    with RunningDemo(directory) as demo:
        yield demo


class Person:
    """A browser without script, over all three servers."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._page: requests.Response | None = None

    @property
    def text(self) -> str:
        assert self._page is not None
        return unescape(self._page.text)

    @property
    def address(self) -> str:
        assert self._page is not None
        return self._page.url

    def go(self, address: str) -> "Person":
        self._page = self._session.get(address, timeout=15)
        return self

    def submit(self, button: str, **typed: str) -> "Person":
        form = next(
            found
            for found in re.findall(r"<form.*?</form>", self.text, re.DOTALL)
            if f'id="{button}"' in found
        )
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
        action = re.search(r'<form[^>]* action="([^"]*)"', form)
        target = urljoin(self.address, action[1] if action else "")
        self._page = self._session.post(target, data={**dict(hidden), **typed}, timeout=15)
        return self


def test_who_has_one_factor_is_told_what_is_missing(running: RunningDemo) -> None:
    """RFC 9470 §4: one round, not one after the other."""
    person = Person().go(f"{running.application}/login")
    person.submit("login-submit", username=running.username, password=running.password)
    if 'id="consent-allow"' in person.text:
        person.submit("consent-allow", decision="allow")

    person.go(f"{running.application}/diary")

    assert person.address.startswith(running.application)
    assert "two factors" in person.text
    assert "/account/security" in person.text
    assert DIARY not in person.text


def test_who_can_prove_more_is_asked_and_comes_back(running: RunningDemo) -> None:
    """RFC 9470 §3 to §5: a browser that skips the second step is asked for it when the API wants it."""
    username, password = running.second
    generator, moment = pyotp.TOTP(running.totp_secret), time.time()
    person = Person().go(f"{running.application}/login")
    person.submit("login-submit", username=username, password=password)
    person.submit("code-submit", code=generator.at(moment), trust_device="yes")
    if 'id="consent-allow"' in person.text:
        person.submit("consent-allow", decision="allow")
    person.go(f"{running.application}/logout")
    person.go(f"{running.application}/login").submit("login-submit", username=username, password=password)
    assert person.address.startswith(running.application)

    person.go(f"{running.application}/diary")
    assert 'id="code-submit"' in person.text
    assert 'id="login-submit"' not in person.text
    person.submit("code-submit", code=generator.at(moment + 30))

    assert person.address.startswith(running.application)
    assert DIARY in person.text
