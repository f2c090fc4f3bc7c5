"""What the tests of the authorization endpoint and its pages share.

ask(provider, shop)            a browser at the authorization endpoint, with PKCE; a page or the outside
request_pairs(shop, ...)       the same request as pairs, to be repeated, reordered, posted
refusal(page)                  the error code the client got at its redirect URI
shown_error(page)              status, error code and parameter of an error page
signed_in(provider)            a browser in which somebody has signed in
"""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

from tests.browser import Browser, Page
from tests.provider import PASSWORD, Client, Pkce, Provider, response_parameters
from tests.transport import Pairs

VERIFIER = "v" * 43
CHALLENGE = Pkce(VERIFIER).challenge
SESSION = "__Host-idp_session"
BROWSER = "__Host-idp_browser"
DEVICE = "__Host-idp_device"

SQLITE_ONLY = ("dialect", ["sqlite"])
"""For `parametrize`: tests whose outcome no database can change."""


def request_parameters(client: Client, **changes: str | None) -> dict[str, str]:
    """A complete request; `None` leaves a parameter out."""
    given: dict[str, str | None] = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": client.redirect_uri,
        "scope": "openid",
        "state": "s-123",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def request_pairs(client: Client, *more: tuple[str, str], **changes: str | None) -> Pairs:
    """A complete request as pairs, followed by others that may repeat a name."""
    return [*request_parameters(client, **changes).items(), *more]


def ask(provider: Provider, client: Client, browser: Browser | None = None, **changes: str | None) -> Page:
    """Send a browser (a new one by default) to the authorization endpoint."""
    return (browser or provider.browser()).get("/authorize", request_parameters(client, **changes))


def signed_in(provider: Provider, username: str = "ada", password: str = PASSWORD) -> Browser:
    """A browser in which somebody has signed in at the front door, for no client."""
    browser = provider.browser()
    page = browser.get("/login").submit("login-submit", username=username, password=password)
    assert page.path == "/", page.text
    return browser


def refusal(page: Page) -> str:
    """The error code that reached the client, and no code beside it."""
    answer = response_parameters(page)
    assert "code" not in answer
    return answer["error"]


def success(page: Page) -> str:
    """The authorization code that reached the client."""
    answer = response_parameters(page)
    assert "error" not in answer, answer
    return answer["code"]


def shown_error(page: Page) -> tuple[int, str, str | None]:
    """Status, error code and parameter of an error page that nobody was redirected from."""
    assert not page.left
    assert [answer.header("Location") for answer in page.browser.trail] == [None]
    assert page.answer.header("Content-Type") == "text/html; charset=utf-8"
    return page.status, text_of(page, "error-code") or "", text_of(page, "error-parameter")


def text_of(page: Page, identifier: str) -> str | None:
    """The text inside the element with this id."""
    found = re.search(rf'id="{identifier}"[^>]*>\s*(?:<p>)?([^<]*)<', page.answer.text)
    return unescape(found[1]).strip() if found else None


def location_parameters(url: str) -> list[tuple[str, str]]:
    """The pairs of an address's query or fragment, in order."""
    parts = urlsplit(url)
    return parse_qsl(parts.fragment or parts.query, keep_blank_values=True, strict_parsing=True)


def attempt(
    provider: Provider, username: str = "ada", password: str = "wrong", browser: Browser | None = None
) -> Page:
    """One attempt at the front door, from a new browser unless one is given."""
    page = (browser or provider.browser()).get("/login")
    return page.submit("login-submit", username=username, password=password)


def is_in(page: Page) -> bool:
    return SESSION in page.browser.cookies
