"""Everything but the passkey ceremony itself works in a browser that runs no scripts."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.bench import NewProvider
from tests.chromium import site
from tests.chromium.conftest import NewPage
from tests.chromium.test_journeys import make_recovery_codes, now, set_up_an_app, type_password
from tests.chromium.visits import NEW_PASSWORD
from tests.provider import Client, Provider

pytestmark = pytest.mark.browser


@pytest.fixture
def provider(new_site: NewProvider) -> Provider:
    return new_site()


@pytest.fixture
def shop(provider: Provider, callback: str) -> Client:
    return provider.client("shop", first_party=False, redirect_uris=[callback])


@pytest.fixture
def ada(provider: Provider) -> None:
    provider.account("ada", email="ada@example.org", email_verified=True, claims={"name": "Ada King"})


@pytest.fixture
def page(new_page: NewPage) -> Page:
    return new_page(java_script_enabled=False)


def test_registration_and_consent(page: Page, provider: Provider, shop: Client) -> None:
    pkce = site.ask(page, provider, shop, scope="openid email", prompt="create")
    page.fill("input[name=username]", "grace@example.org")
    page.check("#terms")
    page.click("#signup-submit")
    page.fill("input[name=code]", provider.mails()[-1].code)
    page.click("#code-submit")
    page.fill("input[name=password]", NEW_PASSWORD)
    page.click("#signup-submit")
    page.click("#consent-allow")
    tokens = site.taken(page, provider, shop, pkce)

    assert provider.userinfo(tokens["access_token"]).json()["email"] == "grace@example.org"


def test_registration_by_telephone(page: Page, provider: Provider) -> None:
    page.goto(f"{provider.issuer}/signup")
    page.fill("input[name=username]", "+49 30 123456")
    page.check("#terms")
    page.click("#signup-submit")
    page.fill("input[name=code]", provider.sms()[-1].code)
    page.click("#code-submit")
    page.fill("input[name=password]", NEW_PASSWORD)
    page.click("#signup-submit")

    page.goto(f"{provider.issuer}/account")
    expect(page.locator("#account-head")).to_contain_text("+4930123456")


def test_password_and_second_step(page: Page, provider: Provider, shop: Client, ada: None) -> None:
    site.sign_in(page, provider)
    app = set_up_an_app(page, provider)
    codes = make_recovery_codes(page, provider)
    page.context.clear_cookies()
    provider.advance(seconds=31)

    pkce = site.ask(page, provider, shop)
    type_password(page)
    page.fill("input[name=code]", now(app, provider))
    page.click("#code-submit")
    page.click("#consent-allow")
    assert site.taken(page, provider, shop, pkce)["id_token"]

    page.context.clear_cookies()
    site.sign_in(page, provider)
    page.click("a[data-method=recovery]")
    page.fill("input[name=code]", codes[0])
    page.click("#code-submit")
    page.goto(f"{provider.issuer}/account")
    expect(page.locator("#account-head")).to_contain_text("Ada King")


def test_forgotten_password(page: Page, provider: Provider, ada: None) -> None:
    page.goto(f"{provider.issuer}/login")
    page.click("#login-recover")
    page.fill("input[name=username]", "ada")
    page.click("#recover-submit")
    page.goto(provider.mails()[-1].link)
    page.fill("#password", NEW_PASSWORD)
    page.click("#reset-submit")
    page.click("#to-login")
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", NEW_PASSWORD)
    page.click("#login-submit")

    page.goto(f"{provider.issuer}/account")
    expect(page.locator("#account-head")).to_contain_text("Ada King")


def test_account_pages(page: Page, provider: Provider, shop: Client, ada: None, new_page: NewPage) -> None:
    """Profile, address, password, sessions, applications, deletion: every form of the account."""
    site.ask(page, provider, shop, scope="openid email")
    type_password(page)
    page.click("#consent-allow")
    other = new_page(java_script_enabled=False)
    site.sign_in(other, provider)

    page.goto(f"{provider.issuer}/account")
    page.fill("#nickname", "Enchantress")
    page.select_option("#locale", index=1)
    page.click("#profile-submit")
    expect(page.get_by_role("status").first).to_be_visible()
    expect(page.locator("#nickname")).to_have_value("Enchantress")

    page.goto(f"{provider.issuer}/account/email")
    page.fill("#email", "countess@example.org")
    page.click("#contact-submit")
    page.fill("#code", provider.mails()[-1].code)
    page.click("#code-submit")
    page.goto(f"{provider.issuer}/account")
    expect(page.locator("#account-head")).to_contain_text("countess@example.org")

    page.goto(f"{provider.issuer}/account/sessions")
    page.click("#sessions-end-others")
    expect(page.locator("#sessions > li")).to_have_count(1)
    other.goto(f"{provider.issuer}/account")
    expect(other).to_have_url(re.compile("/login"))

    page.goto(f"{provider.issuer}/account/apps")
    page.click("#stop-1")
    expect(page.locator("#no-apps")).to_be_visible()

    page.goto(f"{provider.issuer}/account/export")
    with page.expect_download() as download:
        page.click("#export-submit")
    assert b"countess@example.org" in download.value.path().read_bytes()

    page.goto(f"{provider.issuer}/account/delete")
    page.click("#delete-submit")
    page.goto(f"{provider.issuer}/account")
    expect(page).to_have_url(re.compile("/login"))
