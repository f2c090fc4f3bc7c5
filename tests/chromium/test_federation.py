"""Accounts elsewhere in a real browser, at real providers: npm's certified one, and ourselves once more.

The browser itself goes there and back, so what our pages allow their forms to lead to is tried, too.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from idp.clock import SystemClock
from tests.bench import NewProvider
from tests.chromium import site
from tests.chromium.conftest import Complaints, NewPage
from tests.protocol import jose
from tests.provider import PASSWORD, Client, Provider
from tests.upstream import CertifiedUpstream, OwnUpstream

pytestmark = pytest.mark.browser

CALLBACK = "/federation/elsewhere/callback"
HOSTS = ["localhost", "127.0.0.1"]


@pytest.fixture
def provider(new_site: NewProvider) -> Provider:
    return new_site(passkeys={"ask_to_add": False}, registration={}, http={"allowed_private_hosts": HOSTS})


@pytest.fixture
def shop(provider: Provider, callback: str) -> Client:
    return provider.client("shop", redirect_uris=[callback])


@pytest.fixture(autouse=True)
def _(complaints: Complaints) -> None:
    """The other providers have no icon, and a refusal is a refusal."""
    complaints.allow("Failed to load resource")


@pytest.fixture
def certified(provider: Provider) -> Iterator[CertifiedUpstream]:
    client = {
        "post_logout_redirect_uris": [f"{provider.issuer}/logged-out"],
        "backchannel_logout_uri": f"{provider.issuer}/federation/elsewhere/backchannel-logout",
        "backchannel_logout_session_required": True,
    }
    with CertifiedUpstream(f"{provider.issuer}{CALLBACK}", client=client) as upstream:
        register(provider, upstream.issuer, upstream.client)
        yield upstream


def register(provider: Provider, issuer: str, client: Client) -> None:
    catch_up(provider)
    provider.container.admin.providers.create(
        "elsewhere",
        {
            "name": "Elsewhere",
            "client_id": client.id,
            "issuer": issuer,
            "scopes": ["openid", "profile", "email"],
        },
        preset_name="oidc",
        secret=client.secret,
    )
    provider.settle()


def catch_up(provider: Provider) -> None:
    """Our clock stands still, theirs does not."""
    provider.clock.advance(SystemClock().now() - provider.clock.now())


def log_in_there(page: Page, provider: Provider, account: str = "ada") -> None:
    page.fill("#upstream-account", account)
    catch_up(provider)
    page.click("#upstream-log-in")


def test_sign_up_sign_in_and_out_both_ways(
    new_page: NewPage, provider: Provider, shop: Client, certified: CertifiedUpstream
) -> None:
    """From an application to the certified provider and back; then out here and there."""
    page = new_page()
    pkce = site.ask(page, provider, shop, scope="openid profile")
    page.click("button[name=provider][value=elsewhere]")
    log_in_there(page, provider)
    first = jose.claims(site.taken(page, provider, shop, pkce)["id_token"])
    assert first["amr"] == ["fed"]

    page.goto(f"{provider.issuer}/logout")
    page.click("#logout-yes")
    page.click("#upstream-logout")
    page.click("#upstream-log-out")
    expect(page.locator("h1")).to_have_text("You are signed out")
    assert page.url.startswith(f"{provider.issuer}/logged-out")

    pkce = site.ask(page, provider, shop, scope="openid profile")
    page.click("button[name=provider][value=elsewhere]")
    log_in_there(page, provider)  # asked again: it is signed out there, too
    again = jose.claims(site.taken(page, provider, shop, pkce)["id_token"])
    assert again["sub"] == first["sub"]


def test_a_sign_out_there_ends_the_session_here(
    new_page: NewPage, provider: Provider, certified: CertifiedUpstream, complaints: Complaints
) -> None:
    """K11: the provider's own logout token, over its back channel."""
    page = new_page()
    page.goto(f"{provider.issuer}/login")
    page.click("button[name=provider][value=elsewhere]")
    log_in_there(page, provider)
    page.wait_for_url(f"{provider.issuer}/")

    catch_up(provider)
    page.goto(f"{certified.issuer}/session/end")
    page.click("#upstream-log-out")
    page.wait_for_load_state("networkidle")
    complaints.expect("fonts.googleapis.com")  # of the library's own page

    page.goto(f"{provider.issuer}/account")
    expect(page.locator("#login-submit")).to_be_visible()


def test_link_and_unlink(new_page: NewPage, provider: Provider, certified: CertifiedUpstream) -> None:
    provider.account("ada", email="ada@example.org", email_verified=True)
    page = new_page()
    site.sign_in(page, provider)
    page.goto(f"{provider.issuer}/account/security")

    page.click("button[name=provider][value=elsewhere]")
    log_in_there(page, provider)
    expect(page.locator("#security-identities")).to_contain_text("ada@upstream.example")
    page.goto(f"{provider.issuer}/account/history")
    expect(page.locator("main")).to_contain_text("Elsewhere")

    page.goto(f"{provider.issuer}/account/security")
    page.click("#security-identities button[id^=unlink-]")
    expect(page.locator("#identities-none")).to_be_visible()


def test_who_says_no_there_finds_the_way_back(
    new_page: NewPage, provider: Provider, shop: Client, certified: CertifiedUpstream
) -> None:
    provider.account("ada")
    page = new_page()
    pkce = site.ask(page, provider, shop)
    page.click("button[name=provider][value=elsewhere]")
    page.click("#upstream-cancel")

    expect(page.get_by_role("alert")).to_contain_text("Nothing has changed")
    page.click("#federation-back")
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", PASSWORD)
    page.click("#login-submit")

    assert site.taken(page, provider, shop, pkce)["id_token"]


def test_straight_there_by_hint_and_by_home_realm(
    new_page: NewPage, provider: Provider, shop: Client, certified: CertifiedUpstream
) -> None:
    """Also without a script, and to a provider that has no button."""
    provider.container.admin.providers.update(
        "elsewhere", {"hidden": True, "home_domains": ["upstream.example"]}
    )
    provider.settle()
    page = new_page(java_script_enabled=False)
    pkce = site.ask(page, provider, shop, idp_hint="elsewhere")
    log_in_there(page, provider)
    assert site.taken(page, provider, shop, pkce)["id_token"]

    page = new_page()
    page.goto(f"{provider.issuer}/login")
    page.fill("input[name=username]", "ada@upstream.example")
    page.click("#login-submit")
    log_in_there(page, provider)
    page.wait_for_url(f"{provider.issuer}/")


def test_a_second_instance_of_ourselves(
    new_page: NewPage, provider: Provider, shop: Client, tmp_path: Path
) -> None:
    """Sign up, and sign in again, with an account at ourselves."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    own = OwnUpstream(folder)
    own.idp("migrate")
    own.account("ada", "--email", "ada@example.com", "--email-verified")
    client = own.register(
        f"{provider.issuer}{CALLBACK}",
        "--post-logout-redirect-uri",
        # The second is where our own answer leads on to: on plain http a form may go to what is registered.
        f"{provider.issuer}/logged-out {shop.redirect_uri}",
    )
    own.start()
    try:
        register(provider, own.issuer, client)
        page = new_page()
        pkce = site.ask(page, provider, shop)
        page.click("button[name=provider][value=elsewhere]")
        page.fill("input[name=username]", "ada")
        page.fill("input[name=password]", PASSWORD)
        catch_up(provider)
        page.click("#login-submit")
        first = jose.claims(site.taken(page, provider, shop, pkce)["id_token"])

        page.goto(f"{provider.issuer}/logout")
        page.click("#logout-yes")
        page.click("#upstream-logout")
        assert page.url.startswith(f"{provider.issuer}/logged-out")
        pkce = site.ask(page, provider, shop)
        page.click("button[name=provider][value=elsewhere]")
        page.fill("input[name=username]", "ada")
        page.fill("input[name=password]", PASSWORD)
        catch_up(provider)
        page.click("#login-submit")
        again = jose.claims(site.taken(page, provider, shop, pkce)["id_token"])
    finally:
        own.stop()

    assert again["sub"] == first["sub"]
