"""axe-core on every page: in light and dark, from left to right and from right to left, wide and narrow."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.bench import SqliteTemplate
from tests.chromium.conftest import Complaints, NewPage
from tests.chromium.site import site
from tests.chromium.visits import VISITS, Walk, pages
from tests.provider import Client, Provider
from tests.services import node_modules_path

pytestmark = pytest.mark.browser

NARROW = {"width": 320, "height": 640}
"""The narrowest width that WCAG 2.2 (1.4.10, reflow) speaks of."""

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
    "preload": False,
}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "preload": False}

_serial = itertools.count()


class Rendered(list[str]):
    """The pages that were rendered, in order."""


@pytest.fixture(scope="module")
def provider(sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with site(tmp_path_factory.mktemp("site"), sqlite_template) as provider:
        yield provider


@pytest.fixture(scope="module")
def mute(sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Another one, which can send nothing."""
    nothing = {"registration": {}, "mail": {}, "sms": {}}
    with site(tmp_path_factory.mktemp("mute"), sqlite_template, **nothing) as provider:
        yield provider


@pytest.fixture(scope="module")
def shop(provider: Provider, callback: str) -> Client:
    return provider.client(
        "shop",
        redirect_uris=[callback],
        first_party=False,
        policy_uri="https://shop.example/privacy",
        tos_uri="https://shop.example/terms",
    )


@pytest.fixture(scope="module")
def rendered(provider: Provider, mute: Provider) -> Iterator[Rendered]:
    """Watches which pages the providers render."""
    seen = Rendered()
    with pytest.MonkeyPatch.context() as patch:
        for environment in (provider.app.jinja_env, mute.app.jinja_env):

            def watch(name: str, *rest: Any, _find: Any = environment.get_template, **options: Any) -> Any:
                if name in VISITS:
                    seen.append(name)
                return _find(name, *rest, **options)

            patch.setattr(environment, "get_template", watch)
        yield seen


@pytest.fixture(scope="module")
def axe() -> str:
    folder = node_modules_path()
    if folder is None:
        pytest.skip("*** axe-core is missing: accessibility is NOT CHECKED ***")
    return (folder / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def new_walk(
    provider: Provider, mute: Provider, shop: Client, complaints: Complaints
) -> Callable[[Page], Walk]:
    """Makes the walk of a new person in the browser of a page."""
    complaints.allow("Failed to load resource")
    return lambda page: Walk(provider, page, shop, f"ada{next(_serial)}", mute)


def test_every_page_has_a_visit() -> None:
    """A page without a visit in visits.py would be checked by nobody."""
    assert set(VISITS) == pages()


@pytest.mark.parametrize("locale", ["en", pytest.param("ar", marks=pytest.mark.torture)])
@pytest.mark.parametrize("template", sorted(VISITS))
def test_page_can_be_used_by_everybody(
    template: str,
    locale: str,
    rendered: Rendered,
    axe: str,
    new_page: NewPage,
    new_walk: Callable[[Page], Walk],
) -> None:
    """WCAG 2.2 AA as far as a program can tell; 1.4.3 in both colour schemes, 1.4.10 at 320 pixels."""
    page = new_page(locale=locale, reduced_motion="reduce")
    rendered.clear()

    VISITS[template](new_walk(page))

    assert rendered[-1:] == [template], f"at {page.url}"
    assert page.evaluate("document.documentElement.dir") == ("rtl" if locale == "ar" else "ltr")
    page.evaluate(axe)
    assert _violations(page, RULES) == []
    page.emulate_media(color_scheme="dark")
    assert _violations(page, COLOURS) == []
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def _violations(page: Page, options: dict[str, Any]) -> list[str]:
    """What axe found, one line for each element."""
    found = page.evaluate("options => axe.run(document, options)", options)
    assert found["passes"], "axe has looked at nothing"
    return [
        f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
