"""Whole journeys through the pages in a real browser: registration, second steps, ways back in, deletion."""

import re

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.bench import NewProvider
from tests.chromium import site
from tests.chromium.conftest import Complaints, NewPage
from tests.chromium.virtual_authenticator import VirtualAuthenticator
from tests.chromium.visits import NEW_PASSWORD
from tests.protocol import jose
from tests.provider import PASSWORD, Client, Provider

pytestmark = pytest.mark.browser


@pytest.fixture
def provider(new_site: NewProvider) -> Provider:
    """A provider that asks nobody to add a passkey by itself."""
    return new_site(passkeys={"ask_to_add": False})


@pytest.fixture
def shop(provider: Provider, callback: str) -> Client:
    return provider.client("shop", redirect_uris=[callback])


@pytest.fixture
def ada(provider: Provider) -> None:
    provider.account("ada", email="ada@example.org", email_verified=True, claims={"name": "Ada King"})


def test_registration_with_a_passkey_first(
    new_page: NewPage, provider: Provider, shop: Client, complaints: Complaints
) -> None:
    """prompt=create: no password is ever made; the sign-in is of the highest level."""
    page = new_page()
    authenticator = VirtualAuthenticator(page)

    pkce = site.ask(page, provider, shop, scope="openid email", prompt="create")
    page.fill("input[name=username]", "grace@example.org")
    page.fill("#name", "Grace Hopper")
    page.check("#terms")
    page.click("#signup-passkey")
    page.fill("input[name=code]", provider.mails()[-1].code)
    page.click("#code-submit")
    page.click("#signup-passkey")
    tokens = site.taken(page, provider, shop, pkce)

    claims = jose.claims(tokens["id_token"])
    assert len(authenticator.credentials) == 1
    assert claims["acr"] == "urn:idp:loa:3"
    assert "pwd" not in claims["amr"]
    assert provider.userinfo(tokens["access_token"]).json()["email_verified"] is True
    page.goto(f"{provider.issuer}/account/security")
    expect(page.locator("#security-password")).to_contain_text("You have no password")


def test_password_and_authenticator_app(
    new_page: NewPage, provider: Provider, shop: Client, ada: None
) -> None:
    """RFC 8176: the ID token tells of both proofs; a code that was typed once is of no more use."""
    page = new_page()
    site.sign_in(page, provider)
    app = set_up_an_app(page, provider)
    page.context.clear_cookies()

    provider.advance(seconds=31)
    pkce = site.ask(page, provider, shop)
    type_password(page)
    page.fill("input[name=code]", now(app, provider))
    page.click("#code-submit")
    claims = jose.claims(site.taken(page, provider, shop, pkce)["id_token"])

    assert claims["acr"] == "urn:idp:loa:2"
    assert {"pwd", "otp", "mfa"} <= set(claims["amr"])


def test_lost_telephone(
    new_page: NewPage, provider: Provider, shop: Client, ada: None, complaints: Complaints
) -> None:
    """A recovery code gets Ada in once; she removes the app she lost and sets up another."""
    page = new_page()
    site.sign_in(page, provider)
    lost = set_up_an_app(page, provider)
    codes = make_recovery_codes(page, provider)
    page.context.clear_cookies()

    provider.advance(minutes=20)
    site.sign_in(page, provider)
    page.click("a[data-method=recovery]")
    page.fill("input[name=code]", codes[0].lower().replace("-", " "))
    page.click("#code-submit")
    expect(page).to_have_url(re.compile(r"/(account)?$"))
    page.goto(f"{provider.issuer}/account/security")
    expect(page.locator("#recovery-left")).to_contain_text("9")
    page.click("#totp-remove")
    page.click("#totp-remove-yes")
    expect(page.get_by_role("status").first).to_be_visible()
    found = set_up_an_app(page, provider)
    page.context.clear_cookies()

    provider.advance(seconds=31)
    site.sign_in(page, provider)
    page.fill("input[name=code]", now(lost, provider))
    page.click("#code-submit")
    expect(page.get_by_role("alert")).to_be_visible()
    page.fill("input[name=code]", now(found, provider))
    page.click("#code-submit")
    expect(page).to_have_url(re.compile(r"/(account)?$"))
    told = [mail.subject for mail in provider.mails() if mail.to == "ada@example.org"]
    assert len(told) >= 5, told  # app, codes, code used, app removed, app
    complaints.expect("Failed to load resource")


def test_a_recovery_code_works_once(
    new_page: NewPage, provider: Provider, ada: None, complaints: Complaints
) -> None:
    """M2."""
    page = new_page()
    site.sign_in(page, provider)
    set_up_an_app(page, provider)
    codes = make_recovery_codes(page, provider)

    for is_first in (True, False):
        page.context.clear_cookies()
        site.sign_in(page, provider)
        page.click("a[data-method=recovery]")
        page.fill("input[name=code]", codes[3])
        page.click("#code-submit")
        if is_first:
            expect(page).to_have_url(re.compile(r"/(account)?$"))

    expect(page.get_by_role("alert")).to_be_visible()
    complaints.expect("Failed to load resource")


def test_forgotten_password_and_second_step(new_page: NewPage, provider: Provider, ada: None) -> None:
    """V1, V3, V5: the link alone is not enough, and it signs nobody in."""
    page = new_page()
    site.sign_in(page, provider)
    app = set_up_an_app(page, provider)
    page.context.clear_cookies()
    provider.advance(seconds=31)

    page.goto(f"{provider.issuer}/login")
    page.click("#login-recover")
    page.fill("input[name=username]", "ada@example.org")
    page.click("#recover-submit")
    expect(page.get_by_role("status")).to_be_visible()
    page.goto(provider.mails()[-1].link)
    page.fill("#password", NEW_PASSWORD)
    page.fill("input[name=code]", now(app, provider))
    page.click("#reset-submit")
    expect(page).to_have_url(re.compile("/recover/done$"))
    page.goto(f"{provider.issuer}/account")
    expect(page).to_have_url(re.compile("/login"))

    provider.advance(seconds=31)
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", NEW_PASSWORD)
    page.click("#login-submit")
    page.fill("input[name=code]", now(app, provider))
    page.click("#code-submit")
    expect(page).to_have_url(re.compile("/account$"))


def test_deletion_of_the_account_and_a_change_of_mind(
    new_page: NewPage, provider: Provider, ada: None
) -> None:
    """Signed out at once; who signs in within the days of grace may keep everything."""
    page = new_page()
    site.sign_in(page, provider)
    page.goto(f"{provider.issuer}/account")
    page.click("#account-delete")
    page.click("#delete-submit")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account will be deleted")
    page.goto(f"{provider.issuer}/account")
    expect(page).to_have_url(re.compile("/login"))

    provider.advance(days=3)
    type_password(page)
    page.click("#keep-submit")
    page.goto(f"{provider.issuer}/account")
    expect(page.locator("#account-head")).to_contain_text("Ada King")


def set_up_an_app(page: Page, provider: Provider) -> pyotp.TOTP:
    """Set up an authenticator app on the security page; the person is signed in."""
    page.goto(f"{provider.issuer}/account/security")
    page.click("#totp-add")
    app = pyotp.TOTP(re.sub(r"\s", "", page.locator("#totp-secret").inner_text()))
    page.fill("input[name=code]", now(app, provider))
    page.click("#code-submit")
    expect(page.get_by_role("status").first).to_be_visible()
    return app


def make_recovery_codes(page: Page, provider: Provider) -> list[str]:
    """Make recovery codes on the security page."""
    if not page.url.endswith("/account/security"):
        page.goto(f"{provider.issuer}/account/security")
    page.click("#recovery-create")
    items = page.locator("#recovery-codes li")
    expect(items).to_have_count(10)
    return [text.strip() for text in items.all_inner_texts()]


def type_password(page: Page) -> None:
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", PASSWORD)
    page.click("#login-submit")


def now(app: pyotp.TOTP, provider: Provider) -> str:
    """What the app shows at the provider's time."""
    return app.at(provider.clock.now())
