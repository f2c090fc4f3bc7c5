"""The security page in a real browser: an app from key to sign-in, recovery codes to keep, no script."""

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.bench import NewProvider
from tests.chromium import site
from tests.chromium.conftest import NewPage
from tests.provider import PASSWORD, Provider

pytestmark = pytest.mark.browser


@pytest.fixture
def provider(new_site: NewProvider) -> Provider:
    made = new_site()
    made.account("ada", email="ada@example.org", email_verified=True)
    return made


def signed_in(provider: Provider, page: Page) -> Page:
    site.sign_in(page, provider, "ada")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto(f"{provider.issuer}/account/security")
    return page


def set_up_app(provider: Provider, page: Page) -> pyotp.TOTP:
    page.click("#totp-add")
    app = pyotp.TOTP(page.locator("#totp-secret").text_content() or "")
    page.fill("input[name=code]", app.at(provider.clock.now()))
    page.click("#code-submit")
    expect(page.get_by_role("status").first).to_contain_text("Your authenticator app is set up.")
    return app


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_password_and_app(provider: Provider, new_page: NewPage, script: bool) -> None:
    """From the key on the page to a sign-in with two steps, and with a recovery code instead."""
    page = signed_in(provider, new_page(java_script_enabled=script))
    app = set_up_app(provider, page)
    page.click("#recovery-create")
    codes = page.locator("#recovery-codes li").all_inner_texts()
    assert len(codes) == 10
    provider.advance(seconds=60)

    page = new_page(java_script_enabled=script)
    page.goto(f"{provider.issuer}/login")
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", PASSWORD)
    page.click("#login-submit")
    page.fill("input[name=code]", app.at(provider.clock.now()))
    page.click("#code-submit")
    page.goto(f"{provider.issuer}/account/security")
    expect(page.locator("#recovery-left")).to_contain_text("10 codes are left.")

    page = new_page(java_script_enabled=script)
    page.goto(f"{provider.issuer}/login")
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", PASSWORD)
    page.click("#login-submit")
    page.click("a[data-method=recovery]")
    page.fill("input[name=code]", codes[0].lower().replace("-", " "))
    page.click("#code-submit")
    page.goto(f"{provider.issuer}/account/security")
    expect(page.locator("#recovery-left")).to_contain_text("9 codes are left.")


def test_the_picture_is_drawn_dark_on_white_in_every_scheme(provider: Provider, new_page: NewPage) -> None:
    """Readers find no code that is light on dark; it is as large as a telephone can read it."""
    page = signed_in(provider, new_page(color_scheme="dark"))

    page.click("#totp-add")

    picture = page.get_by_role("img", name="QR code for your authenticator app")
    expect(picture).to_be_visible()
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] >= 150
    paths = [
        path.get_attribute("fill") or path.get_attribute("stroke") for path in picture.locator("path").all()
    ]
    assert paths == ["#fff", "#000"]


def test_recovery_codes_are_copied_line_by_line(provider: Provider, new_page: NewPage) -> None:
    page = signed_in(provider, new_page(permissions=["clipboard-read", "clipboard-write"]))
    page.click("#recovery-create")

    page.click("#recovery-copy")

    expect(page.locator("#recovery-said")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.split("\n") == page.locator("#recovery-codes li").all_inner_texts()
    expect(page.locator("#recovery-print")).to_be_visible()


def test_without_a_script_no_button_is_dead(provider: Provider, new_page: NewPage) -> None:
    page = signed_in(provider, new_page(java_script_enabled=False))
    page.click("#recovery-create")

    expect(page.locator("#recovery-codes li").first).to_be_visible()
    expect(page.locator("#recovery-copy")).to_be_hidden()
    expect(page.locator("#recovery-print")).to_be_hidden()


def test_the_key_is_copied_without_the_gaps_between_its_groups(provider: Provider, new_page: NewPage) -> None:
    page = signed_in(provider, new_page())
    page.click("#totp-add")

    key = page.locator("#totp-secret").text_content() or ""

    assert len(key) == 32
    assert pyotp.TOTP(key).now()
