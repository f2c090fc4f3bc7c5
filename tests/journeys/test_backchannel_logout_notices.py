"""Who ends a session writes down which applications are to hear of it, with the same commit.

Source: OpenID Connect Back-Channel Logout 1.0 §2.5. Nothing is sent yet: the notices are kept.
"""

from collections.abc import Callable

import pytest

from idp.crypto import Sealer
from idp.delivery import MessageCodec
from tests.browser import Browser
from tests.frontchannel import ask, signed_in, success
from tests.provider import PASSWORD, Client, Provider

OUT = "https://shop.example/backchannel-logout"


@pytest.fixture
def told(provider: Provider, ada: dict) -> Client:
    return provider.client("told", backchannel_logout_uri=OUT)


def notices(provider: Provider) -> list[tuple[str, str, str]]:
    """Client, session and person of each."""
    container = provider.container
    codec = MessageCodec(Sealer(container.root_key.derive("outbox")))
    with container.database.transaction(write=False):
        rows = container.repos.outbox.list_unsent(limit=100)
        found = [codec.open(row).values for row in rows if row.channel == "backchannel_logout"]
    return sorted((values["client_id"], values["sid"], values["sub"]) for values in found)


def session_of(provider: Provider, browser: Browser) -> str:
    return str(
        provider.container.sessions.find(browser.cookies["__Host-idp_session"], provider.clock.now()).id
    )


def signed_out(provider: Provider, browser: Browser) -> None:
    browser.get("/").submit("home-logout")


def replaced(provider: Provider, browser: Browser) -> None:
    provider.account("grace")
    page = browser.get("/login?return_to=/account")
    assert page.path == "/account"
    client = provider.client("other")
    page = ask(provider, client, browser, prompt="login")
    assert success(page.submit("login-submit", username="grace", password=PASSWORD))


def switched_off(provider: Provider, browser: Browser) -> None:
    provider.container.admin.accounts.disable("ada")


def signed_out_of_all(provider: Provider, browser: Browser) -> None:
    provider.account("grace")
    page = browser.get("/select-account").submit("account-other")
    page.submit("login-submit", username="grace", password=PASSWORD)
    browser.get("/").submit("home-logout").submit("logout-all")


@pytest.mark.parametrize("end", [signed_out, replaced, switched_off, signed_out_of_all])
def test_each_end_is_told_to_who_asked_for_it(
    provider: Provider, ada: dict, shop: Client, told: Client, end: Callable[[Provider, Browser], None]
):
    """Back-Channel Logout §2.5: clients with an address that got tokens in this session, and no others."""
    never_used = provider.client("unused", backchannel_logout_uri=OUT)
    browser = signed_in(provider)
    session = session_of(provider, browser)
    for client in (shop, told, told):
        provider.tokens(client, browser=browser)

    end(provider, browser)

    assert notices(provider) == [("told", session, ada["id"])]
    assert never_used.id not in str(notices(provider))


def test_a_session_that_goes_on_tells_nobody(provider, told):
    """Switching and signing in again end nothing."""
    browser = signed_in(provider)
    provider.tokens(told, browser=browser)

    provider.sign_in(ask(provider, told, browser, prompt="login"))

    assert notices(provider) == []


def test_tokens_that_were_revoked_since_count(provider, ada, told):
    """Back-Channel Logout §2.5: the application may have kept the person signed in."""
    browser = signed_in(provider)
    tokens = provider.tokens(told, browser=browser)
    session = session_of(provider, browser)
    provider.revoke(told, tokens["refresh_token"])

    signed_out(provider, browser)

    assert notices(provider) == [("told", session, ada["id"])]
