"""The same journeys at npm's certified provider, form by form and without a browser's engine."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from idp.clock import SystemClock
from tests.browser import Page
from tests.frontchannel import SQLITE_ONLY, ask, success
from tests.provider import ISSUER, Provider
from tests.upstream import CertifiedUpstream, UpstreamAccount

pytestmark = [pytest.mark.node, pytest.mark.parametrize(*SQLITE_ONLY)]

CALLBACK = f"{ISSUER}/federation/elsewhere/callback"
PEOPLE = {
    "ada": UpstreamAccount(acr="urn:upstream:two", amr=("pwd", "otp")),
    "bob": UpstreamAccount(claims={"name": "Bob", "email": "bob@upstream.example", "email_verified": False}),
}


@pytest.fixture(scope="module")
def certified() -> Iterator[CertifiedUpstream]:
    with CertifiedUpstream(CALLBACK, accounts=PEOPLE) as upstream:
        yield upstream


@pytest.fixture
def provider(new_provider, certified) -> Provider:
    made: Provider = new_provider(http={"allowed_private_hosts": ["localhost"]})
    made.clock.advance(SystemClock().now() - made.clock.now())
    configuration = {
        "name": "Elsewhere",
        "client_id": certified.client.id,
        "issuer": certified.issuer,
        "scopes": ["openid", "profile", "email"],
        "trusted_email_domains": ["upstream.example"],
        "trust_assurance": True,
    }
    made.container.admin.providers.create(
        "elsewhere", configuration, preset_name="oidc", secret=certified.client.secret
    )
    made.settle()
    return made


def through(certified: CertifiedUpstream, page: Page, account: str = "ada") -> Page:
    """Press the button, sign in there, and come back."""
    there = certified.log_in(page.submit("provider-elsewhere").url, account)
    parts = urlsplit(there.url)
    return page.browser.get(f"{parts.path}?{parts.query}", site="cross-site")


def test_sign_up_and_in(provider, certified):
    """V8, V9: the trusted address is the account's; two factors there are two here."""
    shop = provider.client("shop")
    page = ask(provider, shop)
    assert success(through(certified, page))
    [event] = [row for row in _events(provider) if row.event == "session.started"]
    assert event.detail["acr"] == "urn:idp:loa:2"
    assert set(event.detail["amr"]) == {"fed", "mfa", "otp", "pwd"}

    assert success(through(certified, ask(provider, shop)))

    with provider.container.database.transaction(write=False):
        [account] = provider.container.accounts.list_()
    assert (account.email, account.email_verified) == ("ada@upstream.example", True)


def test_an_address_that_is_not_verified_there(provider, certified):
    """V8."""
    page = through(certified, provider.browser().get("/login"), "bob")

    assert page.path == "/"
    with provider.container.database.transaction(write=False):
        [account] = provider.container.accounts.list_()
    assert account.email is None


def test_a_new_sign_in_is_asked_for_and_shown(provider, certified):
    """OIDC Core §3.1.2.1: `prompt=login` of our client is the other provider's, too."""
    shop = provider.client("shop")

    assert success(through(certified, ask(provider, shop, prompt="login")))
    assert success(through(certified, ask(provider, shop, max_age="30")))


def _events(provider):
    with provider.container.database.transaction(write=False):
        return list(provider.container.repos.audit.list_())
