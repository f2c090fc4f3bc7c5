"""The life of a passkey in a real Chromium, with a virtual authenticator."""

import contextlib
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

from idp.crypto import b64url_encode
from tests.bench import NewProvider
from tests.chromium import site
from tests.chromium.conftest import Complaints, NewPage
from tests.chromium.virtual_authenticator import VirtualAuthenticator
from tests.protocol import jose
from tests.provider import Provider

pytestmark = pytest.mark.browser


@pytest.fixture
def provider(new_site: NewProvider) -> Provider:
    """A provider at which Ada has an account, and never asks anybody for a passkey by itself."""
    made = new_site(passkeys={"ask_to_add": False})
    made.account("ada", claims={"name": "Ada King"})
    return made


def add_passkey(page: Page, provider: Provider) -> None:
    """Ada signs in with her password and adds a passkey on the security page."""
    site.sign_in(page, provider)
    page.wait_for_url(f"{provider.issuer}/")
    page.goto(f"{provider.issuer}/account/security")
    page.click("#passkey-add")
    expect(page.locator("[role=status]")).to_contain_text("Your passkey is ready")


def forget_session(page: Page, provider: Provider) -> None:
    page.context.clear_cookies()


def account_shown(page: Page, provider: Provider) -> str:
    page.goto(f"{provider.issuer}/account")
    return page.locator("#account-head").inner_text()


def test_add_a_passkey_and_sign_in_by_button(new_page: NewPage, provider: Provider) -> None:
    page = new_page()
    authenticator = VirtualAuthenticator(page)
    add_passkey(page, provider)
    assert [one["isResidentCredential"] for one in authenticator.credentials] == [True]
    expect(page.locator("#passkeys")).to_contain_text("Synced between your devices")
    forget_session(page, provider)

    authenticator.answers(at_once=False)  # nobody chooses from the autofill list
    page.goto(f"{provider.issuer}/login")
    expect(page.locator("#passkey-login")).to_be_visible()
    authenticator.answers(at_once=True)
    page.click("#passkey-login")

    page.wait_for_url(f"{provider.issuer}/")
    assert "Ada King" in account_shown(page, provider)


def test_sign_in_from_the_autofill_list(new_page: NewPage, provider: Provider) -> None:
    """Conditional mediation: nothing is typed and nothing is pressed; the person picks from the list."""
    page = new_page()
    VirtualAuthenticator(page)
    add_passkey(page, provider)
    forget_session(page, provider)

    page.goto(f"{provider.issuer}/login")

    page.wait_for_url(f"{provider.issuer}/")
    assert "Ada King" in account_shown(page, provider)


def test_one_passkey_for_each_password_manager(new_page: NewPage, provider: Provider) -> None:
    """WebAuthn Level 3 §5.4: excludeCredentials; the page says why nothing happened, and the button lives."""
    page = new_page()
    authenticator = VirtualAuthenticator(page)
    add_passkey(page, provider)

    page.goto(f"{provider.issuer}/account/security")
    page.click("#passkey-add")

    expect(page.locator("#passkeys [role=alert]")).to_contain_text("has a passkey for your account already")
    expect(page.locator("#passkey-add")).to_be_enabled()
    assert len(authenticator.credentials) == 1


def test_who_is_not_recognised_is_told_and_may_try_again(new_page: NewPage, provider: Provider) -> None:
    """User verification is required where a passkey counts as two factors."""
    page = new_page()
    authenticator = VirtualAuthenticator(page)
    add_passkey(page, provider)
    forget_session(page, provider)
    authenticator.answers(at_once=False)
    page.goto(f"{provider.issuer}/login")
    page.fill("#username", "ada")

    authenticator.verifies(person=False)
    authenticator.answers(at_once=True)
    page.click("#passkey-login")
    expect(page.locator("form[data-passkey] [role=alert]")).to_contain_text("You can try again")
    expect(page.locator("#username")).to_have_value("ada")
    authenticator.verifies(person=True)
    # The browser's own question waits again by now, and may be answered before the button is pressed.
    with contextlib.suppress(PlaywrightError):
        page.click("#passkey-login", timeout=3000)

    page.wait_for_url(f"{provider.issuer}/")


def test_what_was_removed_vanishes_from_the_password_manager(
    new_page: NewPage, provider: Provider, complaints: Complaints
) -> None:
    """Signal API: signalAllAcceptedCredentials, on the page that follows the removal."""
    page = new_page()
    authenticator = VirtualAuthenticator(page)
    add_passkey(page, provider)

    page.click("#passkeys summary")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#passkeys-none")).to_be_visible()

    _expect_gone(page, authenticator)


def test_an_unknown_passkey_vanishes_when_it_is_shown(
    new_page: NewPage, provider: Provider, complaints: Complaints
) -> None:
    """Signal API: signalUnknownCredential after a look-up that found nobody."""
    page = new_page()
    authenticator = VirtualAuthenticator(page)
    add_passkey(page, provider)
    [row] = provider.container.own_passkeys.list_(_account(provider))
    with provider.container.database.transaction():
        provider.container.repos.passkeys.delete(row.account_id, row.id)
    forget_session(page, provider)

    page.goto(f"{provider.issuer}/login")  # the autofill answers by itself

    expect(page.locator("form[data-passkey] [role=alert]")).to_contain_text("does not work here any more")
    _expect_gone(page, authenticator)
    complaints.expect("Failed to load resource")


def test_a_refused_passkey_is_not_tried_again_and_again(
    new_page: NewPage, provider: Provider, complaints: Complaints
) -> None:
    """The autofill answers by itself here; after a refusal it waits for the person."""
    page = new_page()
    VirtualAuthenticator(page)
    add_passkey(page, provider)
    provider.container.admin.accounts.disable("ada")
    forget_session(page, provider)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{provider.issuer}/login")
    expect(page.locator("form[data-passkey] [role=alert]")).to_contain_text("cannot be used")
    page.wait_for_timeout(500)

    assert sum(url.endswith("/passkey/sign-in") for url in asked) == 1
    complaints.expect("Failed to load resource")


def test_a_changed_name_reaches_the_password_manager(new_page: NewPage, provider: Provider) -> None:
    """Signal API: signalCurrentUserDetails on the security page."""
    page = new_page()
    authenticator = VirtualAuthenticator(page)
    add_passkey(page, provider)
    assert authenticator.credentials[0]["userDisplayName"] == "Ada King"
    page.goto(f"{provider.issuer}/account")
    page.fill("input[name=name]", "Ada Lovelace")
    page.click("#profile-submit")
    expect(page.locator("#notice")).to_be_visible()

    page.goto(f"{provider.issuer}/account/security")

    _until(page, lambda: authenticator.credentials[0]["userDisplayName"] == "Ada Lovelace")


def test_step_up_to_level_three(new_page: NewPage, provider: Provider, callback: str) -> None:
    """RFC 9470, acr ladder: signed in with a password; an application asks for more and gets the truth."""
    client = provider.client("bank", redirect_uris=[callback])
    page = new_page()
    authenticator = VirtualAuthenticator(page)
    add_passkey(page, provider)
    first = site.taken(page, provider, client, site.ask(page, provider, client))

    pkce = site.ask(page, provider, client, acr_values="urn:idp:loa:3")
    page.click("#passkey-verify")
    stepped_up = site.taken(page, provider, client, pkce)

    levels = [jose.claims(tokens["id_token"])["acr"] for tokens in (first, stepped_up)]
    assert levels == ["urn:idp:loa:1", "urn:idp:loa:3"]
    assert authenticator.credentials[0]["signCount"] >= 1


def test_the_offer_after_a_password(new_page: NewPage, new_site: NewProvider, callback: str) -> None:
    """Asked once on the way to the application; the passkey is made by one press."""
    provider = new_site()
    provider.account("ada")
    client = provider.client("shop", redirect_uris=[callback])
    page = new_page()
    authenticator = VirtualAuthenticator(page)

    pkce = site.ask(page, provider, client)
    page.wait_for_function("document.querySelector('[data-passkey-able]').value === 'yes'")
    page.fill("#username", "ada")
    page.fill("#password", site.PASSWORD)
    page.click("#login-submit")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in faster next time")
    page.click("#passkey-add")

    assert "id_token" in site.taken(page, provider, client, pkce)
    handle = b64url_encode(_account(provider).encode())
    assert (
        authenticator.credentials[0]["userHandle"].rstrip("=").replace("+", "-").replace("/", "_") == handle
    )


def test_a_browser_that_can_makes_a_passkey_by_itself(
    new_page: NewPage, new_site: NewProvider, callback: str
) -> None:
    """Conditional create: nothing is pressed; the browser is asked in the way that never asks the person.

    No virtual authenticator does it yet, so the browser's answer is that of an ordinary registration.
    """
    provider = new_site()
    provider.account("ada")
    client = provider.client("shop", redirect_uris=[callback])
    page = new_page()
    authenticator = VirtualAuthenticator(page)
    asked: list[str] = []
    page.expose_function("asked", lambda mediation: asked.append(mediation))  # noqa: PLW0108 - no built-in will do
    page.add_init_script(CAN_CREATE)

    pkce = site.ask(page, provider, client)
    page.wait_for_function("document.querySelector('[data-passkey-able]').value === 'yes'")
    page.fill("#username", "ada")
    page.fill("#password", site.PASSWORD)
    page.click("#login-submit")

    assert "id_token" in site.taken(page, provider, client, pkce)
    assert asked == ["conditional"]
    assert len(authenticator.credentials) == 1
    assert len(provider.container.own_passkeys.list_(_account(provider))) == 1


CAN_CREATE = """
const create = navigator.credentials.create.bind(navigator.credentials);
PublicKeyCredential.getClientCapabilities = async () => ({ conditionalCreate: true });
navigator.credentials.create = async ({ mediation, ...options }) => {
  await window.asked(mediation);
  return create(options);
};"""
"""A browser whose password manager has just filled in the password."""


def test_an_account_that_begins_with_a_passkey(
    new_page: NewPage, new_site: NewProvider, complaints: Complaints
) -> None:
    """Registration without a password; it signs in, proves itself again, and is the last way in."""
    provider = new_site()
    page = new_page()
    authenticator = VirtualAuthenticator(page)
    page.goto(f"{provider.issuer}/signup")
    page.fill("#username", "grace@example.org")
    page.fill("#name", "Grace Hopper")
    page.check("#terms")
    page.click("#signup-passkey")
    expect(page.locator("#code")).to_be_visible()
    [code] = re.findall(r"\b\d{6}\b", provider.mails()[-1].text)
    page.fill("#code", code)
    page.click("#code-submit")

    page.click("#signup-passkey")
    page.wait_for_url(re.compile("/(account)?$"))
    assert "Grace Hopper" in account_shown(page, provider)
    assert authenticator.credentials[0]["userName"] == "grace@example.org"

    forget_session(page, provider)
    page.goto(f"{provider.issuer}/login")
    page.wait_for_url(f"{provider.issuer}/")
    provider.advance(minutes=11)
    page.goto(f"{provider.issuer}/account/security")
    page.click("#passkeys summary")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm that it is you")
    page.click("#passkey-login")
    page.wait_for_url(re.compile("/account/security"))
    page.click("#passkeys summary")
    page.get_by_role("button", name="Remove").click()

    expect(page.locator("#trouble")).to_contain_text("your only way to sign in")
    complaints.expect("Failed to load resource")


def test_a_passkey_that_travelled(new_page: NewPage, provider: Provider) -> None:
    """A synced passkey signs in from a device that has never been here."""
    page = new_page()
    authenticator = VirtualAuthenticator(page)
    add_passkey(page, provider)
    [credential] = authenticator.credentials

    other = new_page()
    VirtualAuthenticator(other).add(credential)
    other.goto(f"{provider.issuer}/login")

    other.wait_for_url(f"{provider.issuer}/")
    assert "Ada King" in account_shown(other, provider)


def test_without_scripts_the_page_says_so_and_offers_the_other_ways(
    new_page: NewPage, provider: Provider
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{provider.issuer}/login")
    expect(page.locator("#passkey-login")).to_be_hidden()

    site.sign_in(page, provider)
    page.goto(f"{provider.issuer}/account/security")

    expect(page.locator("#passkeys")).to_contain_text("Passkeys need JavaScript", use_inner_text=True)
    expect(page.locator("#passkey-add")).to_be_hidden()


def test_a_browser_without_passkeys_says_so(new_page: NewPage, provider: Provider) -> None:
    page = new_page()
    page.add_init_script("delete window.PublicKeyCredential")
    site.sign_in(page, provider)
    page.wait_for_url(re.compile("/$"))

    page.goto(f"{provider.issuer}/account/security")

    expect(page.locator("#passkeys")).to_contain_text("This browser cannot use passkeys")
    expect(page.locator("#passkey-add")).to_be_hidden()


def _account(provider: Provider) -> str:
    with provider.container.database.transaction(write=False):
        account = provider.container.accounts.find_by_identifier("ada")
    assert account is not None
    return account.id


def _expect_gone(page: Page, authenticator: VirtualAuthenticator) -> None:
    _until(page, lambda: authenticator.credentials == [])


def _until(page: Page, is_so: Callable[[], bool]) -> None:
    """Wait for something that the page cannot see."""
    for _ in range(100):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come to be")
