"""A person at their account pages."""

from datetime import timedelta
from typing import Any

from idp.ids import new_id
from idp.storage import AuditEventRow, BrowserSessionRow
from tests.browser import Browser, Page
from tests.provider import PASSWORD, Provider

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"
)


def at_home(
    provider: Provider, username: str = "ada", *, password: str = PASSWORD, **options: Any
) -> Browser:
    """A browser in which somebody has just signed in."""
    browser = provider.browser(**options)
    page = browser.get("/login").submit("login-submit", username=username, password=password)
    assert page.status == 200, page.text
    assert not page.has("login-submit"), page.text
    return browser


def is_signed_in(browser: Browser) -> bool:
    """Whether the account page still knows who this is."""
    return browser.get("/account").path == "/account"


def says(page: Page, role: str) -> bool:
    """Whether something on the page is announced as a notice (``status``) or an error (``alert``)."""
    return any(given.get("role") == role for tag in ("div", "p") for given in page.elements(tag))


def add_sessions(provider: Provider, account_id: str, number: int) -> None:
    """Sign-ins at as many browsers, as the store would write them."""
    now = provider.clock.now()
    with provider.container.database.transaction():
        for place in range(number):
            provider.container.repos.sessions.add(
                BrowserSessionRow(
                    id=new_id("ses", now + timedelta(microseconds=place)),
                    token_digest=place.to_bytes(32, "big"),
                    account_id=account_id,
                    created_at=now,
                    auth_time=now,
                    last_seen_at=now,
                    idle_expires_at=now + timedelta(hours=12),
                    expires_at=now + timedelta(days=30),
                    acr="urn:idp:loa:1",
                    amr=["pwd"],
                    user_agent=FIREFOX,
                    address="192.0.2.1",
                )
            )


def add_events(provider: Provider, account_id: str, number: int, **changes: Any) -> None:
    """As many events of an account."""
    now = provider.clock.now()
    given = {
        "event": "session.started",
        "actor": f"account:{account_id}",
        "address": "192.0.2.77",
        "user_agent": IPHONE,
        "detail": {"acr": "urn:idp:loa:1", "amr": ["pwd"], "known_device": True},
        **changes,
    }
    repos = provider.container.repos
    with provider.container.database.transaction():
        for place in range(number):
            moment = now - timedelta(days=1) + timedelta(milliseconds=place)  # ids sort by milliseconds
            repos.audit._session.add(  # noqa: SLF001 - many rows at once
                AuditEventRow(id=new_id("evt", moment), occurred_at=moment, account_id=account_id, **given)
            )
