"""What password managers ask: where passkeys may be used and made, and where passwords are changed.

| rule                                                          | test                               |
|---------------------------------------------------------------|------------------------------------|
| WebAuthn L3 §5.11.1: origins as JSON, at the RP ID's host     | test_related_origins_are_published |
| W3C passkey endpoints §3: JSON with enroll and manage         | test_passkey_endpoints             |
| W3C change password §2: 302, 303 or 307 to the page           | test_change_password               |
| W3C change password §3: what does not exist answers 404       | test_others_do_not_exist           |
"""

import pytest

from idp.settings import SettingsError
from tests.frontchannel import SQLITE_ONLY
from tests.passkey import Authenticator, PasskeyDoor
from tests.provider import PASSWORD

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)


def test_related_origins_are_published(new_provider):
    provider = new_provider(passkeys={"related_origins": ["https://shop.example", "https://idp.example.org"]})

    answer = provider.http.get("/.well-known/webauthn")

    assert (answer.status, answer.header("Content-Type")) == (200, "application/json")
    assert answer.json() == {
        "origins": ["https://idp.example", "https://shop.example", "https://idp.example.org"]
    }


def test_a_passkey_works_at_a_related_origin(new_provider):
    """WebAuthn Level 3 §5.11: the origin of the ceremony may be any of those, and no other."""
    provider = new_provider(passkeys={"related_origins": ["https://shop.example"]})
    provider.account("ada")
    device = Authenticator(origin="https://shop.example", rp_id="idp.example")
    browser = provider.browser()
    browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)
    page, door = browser.get("/passkey/offer"), PasskeyDoor(browser)
    assert door.register(page, device.create(door.creation_options(page))).status == 200

    page = provider.browser().get("/login")
    door = PasskeyDoor(page.browser)
    device.origin = "https://shop.example.evil.example"
    assert door.sign_in(page, device.get(door.options(page))).status == 422
    device.origin = "https://shop.example"
    assert door.sign_in(page, device.get(door.options(page))).status == 200


def test_a_parent_domain_may_own_the_passkeys(new_provider):
    provider = new_provider(issuer="https://login.acme.example", passkeys={"rp_id": "acme.example"})

    page = provider.browser().get("/login")

    assert PasskeyDoor(page.browser).options(page)["rpId"] == "acme.example"


@pytest.mark.parametrize(
    "rp_id", ["evil.example", "cme.example", "example", "login.acme.example.", ".", "com"]
)
def test_a_foreign_domain_may_not(new_provider, rp_id):
    """WebAuthn Level 3 §5.1.3 step 8: the RP ID is the host, or a domain that it is part of."""
    with pytest.raises((SettingsError, ValueError), match="rp_id"):
        new_provider(issuer="https://login.acme.example", passkeys={"rp_id": rp_id})


def test_passkey_endpoints(provider):
    answer = provider.http.get("/.well-known/passkey-endpoints")

    assert (answer.status, answer.header("Content-Type")) == (200, "application/json")
    assert answer.json() == {
        "enroll": "https://idp.example/account/security",
        "manage": "https://idp.example/account/security",
    }


def test_change_password(provider):
    answer = provider.http.get("/.well-known/change-password")

    assert (answer.status, answer.location) == (302, "https://idp.example/account/password")


def test_others_do_not_exist(provider):
    answer = provider.http.get(
        "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200"
    )

    assert answer.status == 404


def test_they_stand_at_the_root_of_the_host(new_provider):
    """Password managers ask the host, whatever path the issuer has."""
    provider = new_provider(issuer="https://idp.example/people")

    assert provider.container.settings.issuer_path == "/people"
    for path in ("webauthn", "passkey-endpoints", "change-password"):
        answer = provider.app.test_client().get(f"https://idp.example/.well-known/{path}")
        assert answer.status_code in {200, 302}


def test_no_passkeys_at_an_ip_address(new_provider):
    """An IP address is no domain, so browsers have no passkeys there; nothing is offered."""
    provider = new_provider(issuer="http://127.0.0.1:8000")

    page = provider.browser().get("/login")

    assert not page.has("passkey-login")
    assert provider.http.get("/.well-known/webauthn").status == 404
