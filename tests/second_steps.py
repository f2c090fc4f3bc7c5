"""People with second steps: set up past the pages, as they would be after them."""

from dataclasses import dataclass, field

import pyotp

from idp.authenticators import Channel
from tests.browser import Browser, Page
from tests.provider import PASSWORD, Provider

NUMBER = "+4915112345678"


@dataclass
class Person:
    """Somebody who can prove who they are in more than one way."""

    provider: Provider
    account_id: str
    username: str = "ada"
    app: pyotp.TOTP | None = None
    recovery_codes: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        """What their app shows."""
        assert self.app is not None
        return self.app.at(self.provider.clock.now())

    @property
    def wrong_code(self) -> str:
        return f"{(int(self.code) + 1) % 10**6:06d}"

    def begin(self, browser: Browser | None = None, address: str = "/login") -> Page:
        """After the password: at the second step, if one is asked for."""
        page = (browser or self.provider.browser()).get(address)
        return page.submit("login-submit", username=self.username, password=PASSWORD)

    def sign_in(self, browser: Browser | None = None, **fields: str) -> Browser:
        """All the way, at the front door."""
        page = self.begin(browser).submit("code-submit", code=self.code, **fields)
        assert page.path == "/", page.text
        return page.browser

    def events(self, event: str) -> list[dict[str, object]]:
        """Details of what was recorded of them, latest first."""
        container = self.provider.container
        with container.database.transaction(write=False):
            found = container.repos.audit.list_(account_id=self.account_id)
            return [dict(row.detail) for row in found if row.event == event]


def person(provider: Provider, *ways: str, username: str = "ada", made: bool = False) -> Person:
    """An account with these ways to take a second step: `totp`, `recovery`, `sms`, `email`.

    A moment passes, so that the app shows another code than the one that set it up. `made` says that the
    account is there already.
    """
    container, now = provider.container, provider.clock.now()
    if not made:
        provider.account(username, email=f"{username}@example.org", email_verified=True)
    with container.database.transaction():
        account = container.accounts.find_by_identifier(username)
        assert account is not None
        here = Person(provider, account.id, username)
        if "totp" in ways:
            secret = container.totp.new_secret()
            here.app = pyotp.TOTP(secret.reveal())
            assert container.totp.enrol(account.id, secret, here.code, now)
        if "recovery" in ways:
            here.recovery_codes = container.recovery_codes.create(account.id, now)
        if "sms" in ways:
            container.code_factors.enrol(account.id, Channel.SMS, NUMBER, now)
        if "email" in ways:
            container.code_factors.enrol(account.id, Channel.EMAIL, f"{username}@example.org", now)
    provider.advance(seconds=90)
    return here


def twin(provider: Provider, browser: Browser) -> Browser:
    """The same browser once more, for requests at the same time."""
    other = provider.browser()
    other.cookies = dict(browser.cookies)
    return other
