"""What passkeys cost the database.

| request               | statements, at most | commits | test                                 |
|-----------------------|---------------------|---------|--------------------------------------|
| options for a sign-in | 1                   | 1       | test_options_are_one_write           |
| sign-in               | 13                  | 1       | test_a_sign_in_commits_once          |
| refused sign-in       | 4                   | 1       | test_a_refusal_is_cheap_and_is_kept  |
"""

import pytest

from tests.passkey import Authenticator, PasskeyDoor
from tests.protocol.test_statement_counts import cost
from tests.provider import PASSWORD

pytestmark = pytest.mark.parametrize("way", ["direct"], indirect=True)  # a server answers in its own threads


@pytest.fixture
def device(provider, ada) -> Authenticator:
    """A device with a passkey of Ada's."""
    made = Authenticator(origin=provider.issuer, rp_id="idp.example")
    browser = provider.browser()
    browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)
    page, door = browser.get("/passkey/offer"), PasskeyDoor(browser)
    assert door.register(page, made.create(door.creation_options(page))).status == 200
    return made


def test_options_are_one_write(provider, device):
    page = provider.browser().get("/login")

    measured = cost(provider, lambda: PasskeyDoor(page.browser).ask("/passkey/options", page).answer)

    assert measured.answer.status == 200
    assert measured.figures == (1, 1), measured.statements


def test_a_sign_in_commits_once(provider, device):
    """Claim, credential, gate, session, device and audit: one transaction (row X12)."""
    page = provider.browser().get("/login")
    door = PasskeyDoor(page.browser)
    credential = device.get(door.options(page))

    measured = cost(provider, lambda: door.sign_in(page, credential).answer)

    assert measured.answer.status == 200
    assert len(measured.statements) <= 13, measured.statements
    assert measured.commits == 1


def test_a_refusal_is_cheap_and_is_kept(provider, device):
    """The challenge is used up and the refusal recorded, at no more than this."""
    page = provider.browser().get("/login")
    door = PasskeyDoor(page.browser)
    credential = device.get(door.options(page), origin="https://evil.example")

    measured = cost(provider, lambda: door.sign_in(page, credential).answer)

    assert measured.answer.status == 422
    assert len(measured.statements) <= 4, measured.statements
    assert measured.commits == 1
