"""How Chromium is started, and the steps that every journey through the demonstration takes."""

from playwright.sync_api import Page, expect

from tests.demo.running import RunningDemo

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 15_000
"""Milliseconds; a step takes far less, but the machine may be busy."""

COMPLAIN = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.effectiveDirective} forbids ${event.blockedURI}`));"""
"""Makes violations of the content security policy visible that the browser does not print."""


def authorization_url(page: Page, demo: RunningDemo) -> str:
    """Where the application sends this browser; its cookies are those of the page."""
    answer = page.context.request.get(f"{demo.application}/login", max_redirects=0)
    location = answer.headers["location"]
    assert location.startswith(f"{demo.issuer}/authorize?")
    return location


def ask_again(page: Page, demo: RunningDemo) -> None:
    """From now on the application asks for consent even where it was given before."""
    page.route(
        f"{demo.application}/login",
        lambda route: route.fulfill(
            status=302, headers={"location": f"{authorization_url(page, demo)}&prompt=consent"}
        ),
    )


def open_login(page: Page, demo: RunningDemo) -> None:
    """From the application's start page to the sign-in page."""
    page.goto(demo.application)
    page.click("#log-in")
    expect(page.locator("#login-submit")).to_be_visible()


def sign_in(page: Page, demo: RunningDemo) -> None:
    """Fill in the sign-in page with what the demonstration printed."""
    page.fill("#username", demo.username)
    page.fill("#password", demo.password)
    page.click("#login-submit")


def log_in(page: Page, demo: RunningDemo) -> None:
    """The whole way to the claims; agrees if asked."""
    open_login(page, demo)
    sign_in(page, demo)
    page.wait_for_selector("#consent-allow, #claims")
    if page.locator("#consent-allow").is_visible():
        page.click("#consent-allow")
    expect(page.locator("#claims")).to_be_visible()


def claims(page: Page) -> dict[str, str]:
    """What the application shows about the person."""
    names, values = page.locator("#claims dt"), page.locator("#claims dd")
    return dict(zip(names.all_inner_texts(), values.all_inner_texts(), strict=True))
