"""People who come from another provider: a stub on loopback that says what a test tells it to.

with elsewhere(new_provider) as acme:           a provider of ours, and "Acme" for its people
page = acme.leave(browser.get("/login"))        the button was pressed; the browser is there
page = acme.come_back(page, sub="ada")          signed in there, and back at our callback
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.bench import NewProvider
from tests.browser import Browser, Page
from tests.provider import Provider
from tests.unit.federation.stub import CLIENT_ID, Stub, running_stub, sign

ID = "acme"
NAME = "Acme"


class Elsewhere:
    """One provider of ours with another one beside it."""

    def __init__(self, provider: Provider, stub: Stub) -> None:
        self.provider = provider
        self.stub = stub
        stub.publish()

    def register(self, provider_id: str = ID, **members: Any) -> None:
        """Let people come from the stub; `members` are those of its configuration."""
        configuration = {
            "name": NAME,
            "client_id": CLIENT_ID,
            "issuer": self.stub.issuer,
            "scopes": ["openid", "profile", "email"],
            **members,
        }
        self.provider.container.admin.providers.create(
            provider_id, configuration, preset_name="oidc", secret="our secret"
        )
        self.provider.settle()

    def change(self, provider_id: str = ID, **members: Any) -> None:
        """Configure it otherwise."""
        self.provider.container.admin.providers.update(provider_id, members)
        self.provider.settle()

    def switch_off(self, provider_id: str = ID) -> None:
        """As an operator does."""
        self.provider.container.admin.providers.disable(provider_id)
        self.provider.settle()

    def browser(self) -> Browser:
        return self.provider.browser()

    def leave(self, page: Page, button: str = f"provider-{ID}") -> Page:
        """Press the button; the browser is at the other provider."""
        page = page.submit(button)
        # If its addresses could not be read in time when it was registered, a page leads there, no redirect.
        for onward in (given["href"] for given in page.elements("a") if given.get("id") == "leave"):
            page = Page(page.browser, page.answer, onward)
        assert page.url.startswith(f"{self.stub.address}/authorize?"), (page.status, page.url, page.text)
        return page

    def asked(self, page: Page) -> dict[str, str]:
        """What the other provider was asked by this browser."""
        return dict(parse_qsl(urlsplit(page.url).query))

    def token(self, page: Page, *, key: dict[str, Any] | None = None, **claims: Any) -> str:
        """An ID token for the person at this page; see `Stub.claims`."""
        said = self.stub.claims(self.asked(page)["nonce"], self.provider.clock.now(), **claims)
        return sign(said, **(key or {}))

    def come_back(
        self,
        page: Page,
        *,
        answer: dict[str, str] | None = None,
        browser: Browser | None = None,
        provider_id: str = ID,
        key: dict[str, Any] | None = None,
        **claims: Any,
    ) -> Page:
        """Sign in there and follow the redirect back; `answer` changes its parameters."""
        self.stub.gives(self.token(page, key=key, **claims))
        self.stub.says("/userinfo", {"sub": claims.get("sub", "ada")})  # which knows no more
        return self.return_with(page, answer=answer, browser=browser, provider_id=provider_id)

    def return_with(
        self,
        page: Page,
        *,
        answer: dict[str, str] | None = None,
        browser: Browser | None = None,
        provider_id: str = ID,
    ) -> Page:
        """Follow the redirect back, whatever the stub gives for the code."""
        given = {"code": "a-code", "state": self.asked(page)["state"], **(answer or {})}
        return (browser or page.browser).get(
            f"/federation/{provider_id}/callback?{urlencode(given)}", site="cross-site"
        )

    def sign_in(self, browser: Browser | None = None, address: str = "/login", **claims: Any) -> Page:
        """The whole way from the sign-in page."""
        return self.come_back(self.leave((browser or self.browser()).get(address)), **claims)

    def session(self, browser: Browser) -> Any:
        """The live session of a browser."""
        cookie = browser.cookies.get("__Host-idp_session")
        return self.provider.container.sessions.find(cookie, self.provider.clock.now())

    def accounts(self) -> list[Any]:
        """Everybody."""
        here = self.provider.container
        with here.database.transaction(write=False):
            return list(here.accounts.list_())

    def links(self, account_id: str) -> list[Any]:
        """What is linked to an account."""
        here = self.provider.container
        with here.database.transaction(write=False):
            return list(here.identities.of_account(account_id))

    def events(self, name: str) -> list[dict[str, Any]]:
        """Details of every event of this name, latest first."""
        here = self.provider.container
        with here.database.transaction(write=False):
            return [dict(row.detail) for row in here.repos.audit.list_() if row.event == name]


@contextmanager
def elsewhere(new_provider: NewProvider, *, registered: bool = True, **sections: Any) -> Iterator[Elsewhere]:
    """A provider that may speak with the stub; `sections` are of its settings."""
    with running_stub() as stub:
        provider = new_provider(
            **{"http": {"allowed_private_hosts": ["localhost"], "timeout": "2s"}, **sections}
        )
        made = Elsewhere(provider, stub)
        if registered:
            made.register()
        yield made
