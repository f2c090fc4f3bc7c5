"""Make the screenshots of docs/screenshots/ from a running demonstration: `make screenshots`."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.chromium.opening import ARGUMENTS, ask_again, open_login, sign_in
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
    """Every picture, in the order of a journey."""
    with _page(browser, demo, **DESK) as page:
        open_login(page, demo)
        page.fill("#username", demo.username)
        _take(page, "login")
        sign_in(page, demo)
        page.wait_for_selector("#consent-allow")
        _take(page, "consent")
        page.click("#consent-allow")
        page.wait_for_selector("#claims")
        page.click("#call-api")
        page.wait_for_selector("#api-answer")
        _take(page, "application", full_page=True)
        page.goto(f"{demo.issuer}/logout")
        page.click("#logout-yes")
        _take(page, "signed-out")
    with _page(browser, demo, color_scheme="dark", **DESK) as page:
        open_login(page, demo)
        page.fill("#username", demo.username)
        _take(page, "login-dark")
        sign_in(page, demo)
        page.wait_for_selector("#consent-allow")
        _take(page, "consent-dark")
    with _page(browser, demo, **PHONE) as page:
        open_login(page, demo)
        page.fill("#username", demo.username)
        _take(page, "login-phone")
        sign_in(page, demo)
        page.wait_for_selector("#consent-allow")
        _take(page, "consent-phone")


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
