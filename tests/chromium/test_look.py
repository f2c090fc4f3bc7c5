"""What axe-core cannot tell: nothing moves, styles are printed well, a client's colour can be read."""

import pytest
from playwright.sync_api import Page, expect

from tests.bench import NewProvider
from tests.chromium import site
from tests.chromium.conftest import NewPage
from tests.chromium.test_journeys import make_recovery_codes, set_up_an_app
from tests.provider import Provider

pytestmark = pytest.mark.browser

SHIFTS = """window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""


@pytest.fixture
def provider(new_site: NewProvider) -> Provider:
    made = new_site(passkeys={"ask_to_add": False})
    made.account("ada", email="ada@example.org", email_verified=True)
    return made


@pytest.mark.parametrize("path", ["/login", "/signup", "/account/security", "/account/password"])
def test_nothing_moves_while_a_page_loads(new_page: NewPage, provider: Provider, path: str) -> None:
    """Cumulative layout shift of zero, also where a script shows what it is needed for."""
    page = new_page()
    page.add_init_script(SHIFTS)
    if path.startswith("/account"):
        site.sign_in(page, provider)
        page.wait_for_url(f"{provider.issuer}/")

    page.goto(f"{provider.issuer}{path}", wait_until="networkidle")

    assert page.evaluate("window.shifts") == 0
    page.evaluate("document.body.prepend('something new')")
    page.wait_for_function("window.shifts > 0")  # else nothing would have been noticed


def test_recovery_codes_can_be_printed(new_page: NewPage, provider: Provider) -> None:
    """On paper there is what belongs on paper: black on white, without buttons, all ten codes."""
    page = new_page(color_scheme="dark")
    site.sign_in(page, provider)
    set_up_an_app(page, provider)
    make_recovery_codes(page, provider)

    page.emulate_media(media="print")

    expect(page.locator("#recovery-codes li").last).to_be_visible()
    for hidden in ("#recovery-print", "#recovery-kept", "nav", "#account-head"):
        expect(page.locator(hidden)).to_be_hidden()
    assert _style(page, "#recovery-codes", "color") == "rgb(0, 0, 0)"
    assert _style(page, "body", "backgroundColor") in {"rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"}
    assert len(page.pdf()) > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_a_client_have_its_colour(
    new_page: NewPage, provider: Provider, callback: str, scheme: str
) -> None:
    """The button of the sign-in page has the client's accent, and the page's own policy allows the sheet."""
    shop = provider.client("shop", redirect_uris=[callback], accent_color="#0a7f5a")
    page = new_page(color_scheme=scheme)

    page.goto(f"{provider.issuer}/login")
    own = _style(page, "#login-submit", "backgroundColor")
    site.ask(page, provider, shop)
    of_the_shop = _style(page, "#login-submit", "backgroundColor")

    assert of_the_shop != own
    if scheme == "light":
        assert of_the_shop == "rgb(10, 127, 90)"


def _style(page: Page, selector: str, name: str) -> str:
    found: str = page.evaluate(
        "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]", [selector, name]
    )
    return found
