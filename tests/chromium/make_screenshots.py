"""Make the screenshots of docs/screenshots/ from a running demonstration: `make screenshots`."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyotp
from playwright.sync_api import Browser, Page, sync_playwright

from tests.chromium.opening import ARGUMENTS, ask_again, open_login, sign_in
from tests.chromium.virtual_authenticator import VirtualAuthenticator
from tests.demo.running import RunningDemo
from tests.services import chromium_path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
MOST_BYTES = 120_000
DESK = {"viewport": {"width": 960, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 760},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 1.5,
}


def take_all(browser: Browser, demo: RunningDemo) -> None:
    """Every picture; the account gets its second step last, because it is asked for from then on."""
    with _page(browser, demo, **DESK) as page:
        _registration(page, demo)
        page.goto(f"{demo.issuer}/logged-out")
        _take(page, "signed-out")
    with _page(browser, demo, **DESK) as page:
        _second_step(page, demo)
    with _page(browser, demo, color_scheme="dark", **DESK) as page:
        _sign_in(page, demo, "-dark")
    with _page(browser, demo, **PHONE) as page:
        _sign_in(page, demo, "-phone")
    with _page(browser, demo, locale="ar", **PHONE) as page:
        open_login(page, demo)
        _take(page, "login-arabic", full_page=True)
    with _page(browser, demo, **DESK) as page:
        _sign_in(page, demo)
        page.click("#consent-allow")
        page.wait_for_selector("#claims")
        page.click("#call-api")
        page.wait_for_selector("#api-answer")
        _take(page, "application", full_page=True)
        _account(page, demo)
    with _page(browser, demo, **DESK) as page:
        page.goto(demo.inbox)
        _take(page, "inbox")


def _registration(page: Page, demo: RunningDemo) -> None:
    page.goto(f"{demo.issuer}/signup")
    page.fill("input[name=username]", "grace@example.org")
    page.fill("#name", "Grace Hopper")
    _take(page, "registration")


def _sign_in(page: Page, demo: RunningDemo, suffix: str = "") -> None:
    open_login(page, demo)
    page.fill("#username", demo.username)
    _take(page, f"login{suffix}", full_page=True)
    sign_in(page, demo)
    page.wait_for_selector("#consent-allow")
    _take(page, f"consent{suffix}")


def _account(page: Page, demo: RunningDemo) -> None:
    VirtualAuthenticator(page)
    page.goto(f"{demo.issuer}/account/security")
    page.click("#passkey-add")
    page.wait_for_selector("#passkeys [data-passkey-id]")
    page.goto(f"{demo.issuer}/account/security/totp")
    page.click("#totp-add")
    page.wait_for_selector("#totp-secret")
    _take(page, "authenticator-app", full_page=True)
    secret = "".join(page.locator("#totp-secret").inner_text().split())
    page.fill("#code", pyotp.TOTP(secret).now())
    page.click("#code-submit")
    page.click("#recovery-create")
    page.wait_for_selector("#recovery-codes li")
    _take(page, "recovery-codes", full_page=True)
    for name in ("security", "sessions", "apps", "history"):
        page.goto(f"{demo.issuer}/account/{name}")
        _take(page, name, full_page=name == "security")
    page.emulate_media(color_scheme="dark")
    page.goto(f"{demo.issuer}/account/security")
    _take(page, "security-dark")


def _second_step(page: Page, demo: RunningDemo) -> None:
    page.goto(f"{demo.issuer}/login")
    username, password = demo.second
    page.fill("#username", username)
    page.fill("#password", password)
    page.click("#login-submit")
    page.wait_for_selector("#code-submit")
    _take(page, "second-step")


@contextmanager
def _page(browser: Browser, demo: RunningDemo, **options: Any) -> Iterator[Page]:
    context = browser.new_context(**options)
    page = context.new_page()
    ask_again(page, demo)
    yield page
    context.close()


def _take(page: Page, name: str, **options: Any) -> None:
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path, animations="disabled", caret="hide", **options)
    size = path.stat().st_size
    assert size < MOST_BYTES, f"{path} has {size} bytes"
    print(f"{path.relative_to(FOLDER.parents[1])}  {size // 1000} kB")


def main() -> int:
    """Start the demonstration and a browser, take the pictures, end both."""
    chromium = chromium_path()
    if chromium is None:
        print("Chromium is missing; name one in the environment or install it", file=sys.stderr)
        return 1
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningDemo(Path(folder), (8000, 9000, 9001, 9002)) as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS, headless=True)
        take_all(browser, demo)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
