"""A real Chromium and the demonstration; whatever the browser complains about fails the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.bench import NewProvider, SqliteTemplate
from tests.chromium.opening import ARGUMENTS, COMPLAIN, PATIENCE
from tests.chromium.site import application, site
from tests.demo.running import RunningDemo
from tests.services import chromium_path


@dataclass
class Complaints:
    """Console errors, page errors, violated policies and requests without an answer."""

    seen: list[str] = field(default_factory=list)
    _allowed: list[str] = field(default_factory=list)

    def allow(self, part: str) -> None:
        """From now on, do not complain about what holds this."""
        self._allowed.append(part)

    def watch(self, page: Page) -> None:
        """Listen to a page from now on."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.seen.append(f"exception: {error.message}"))
        page.on("requestfailed", self._failed)

    def expect(self, part: str) -> None:
        """Take out what the test has provoked."""
        self.seen = [said for said in self.seen if part not in said]

    def _console(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"} and not any(part in said.text for part in self._allowed):
            self.seen.append(f"{said.type}: {said.text}")

    def _failed(self, request: Request) -> None:
        # Aborted: the person went on before the page was complete.
        if request.failure != "net::ERR_ABORTED":
            self.seen.append(f"failed: {request.url} {request.failure}")


NewPage = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.skip("*** Chromium is missing: the journeys through a real browser are SKIPPED ***")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, headless=True)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with RunningDemo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture(scope="session")
def callback() -> Iterator[str]:
    """Where an application of the tests awaits the browser."""
    with application() as address:
        yield address


@pytest.fixture
def new_site(sqlite_template: SqliteTemplate, tmp_path: Path) -> Iterator[NewProvider]:
    """Makes a provider that the browser can go to; keyword arguments are sections of the settings."""
    with ExitStack() as stack:
        yield lambda **sections: stack.enter_context(site(tmp_path, sqlite_template, **sections))


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Empty at the end, unless the test took out what it expected."""
    found = Complaints()
    yield found
    assert found.seen == []


@pytest.fixture
def new_page(chromium: Browser, complaints: Complaints) -> Iterator[NewPage]:
    """A page of a new person's browser; the options are those of a Playwright context."""
    contexts: list[BrowserContext] = []

    def new(**options: Any) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(COMPLAIN)
        page = context.new_page()
        complaints.watch(page)
        return page

    yield new
    for context in contexts:
        context.close()
