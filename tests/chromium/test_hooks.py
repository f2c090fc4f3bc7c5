"""The addresses and elements that scripts from outside hold on to, on a server that nobody has tuned.

`idp serve` as an operator starts it: the defaults, registration, and folders for what it sends. Nothing here
knows more of the pages than their hooks, so whoever changes one sees it here first. Elsewhere the tests may
use other ids; those are ours to change.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.chromium.conftest import Complaints, NewPage
from tests.chromium.virtual_authenticator import VirtualAuthenticator
from tests.chromium.visits import NEW_PASSWORD
from tests.live import LiveProvider
from tests.messages import read_mails, read_sms

pytestmark = pytest.mark.browser

TELEPHONE = "+493012345678"
ACCOUNT_PAGES = ("/account", "/account/security", "/account/sessions", "/account/apps")


class Served(LiveProvider):
    """The defaults, but for what the hooks need."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            directory,
            IDP_REGISTRATION_ENABLED="true",
            IDP_MAIL_TRANSPORT="folder",
            IDP_SMS_TRANSPORT="folder",
            IDP_RATELIMIT_ENABLED="true",
        )

    def code(self, to: str) -> str:
        """The code of the newest message to somebody; messages leave by themselves, within moments."""
        var = self.directory / "var"
        sent = [*read_mails(var / "mail"), *read_sms(var / "sms")]
        codes = [one.code for one in sent if one.to == to and re.search(r"\d{6}", one.text)]
        return codes[-1] if codes else ""

    def awaited_code(self, to: str) -> str:
        self.wait_for(lambda: self.code(to), seconds=15)
        return self.code(to)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path) as served:
        yield served


def said(page: Page) -> tuple[list[str], list[str]]:
    """Notices and errors. All there are can be seen and say something: none waits empty for a script."""
    page.wait_for_load_state()
    notices, errors = page.locator("[role=status]"), page.locator("[role=alert]")
    for one in (*notices.all(), *errors.all()):
        expect(one).to_be_visible()
        expect(one).to_have_text(re.compile(r"\w"))
    return notices.all_inner_texts(), errors.all_inner_texts()


def register(page: Page, served: Served, address: str) -> None:
    page.goto(f"{served.issuer}/signup")
    page.fill("input[name=username]", address)
    page.click("button#signup-submit")
    page.fill("input[name=code]", served.awaited_code(address))
    page.click("button#code-submit")
    page.fill("input[name=password]", NEW_PASSWORD)
    assert said(page) == ([], [])
    page.click("button#signup-submit")
    page.wait_for_url(f"{served.issuer}/")


def sign_in(page: Page, served: Served, address: str, password: str = NEW_PASSWORD) -> None:
    page.goto(f"{served.issuer}/login")
    field = page.locator("input[name=username]")
    expect(field).to_have_attribute("autocomplete", "username webauthn")
    field.fill(address)
    page.fill("input[name=password]", password)
    page.click("button#login-submit")


def set_up_an_app(page: Page, served: Served) -> pyotp.TOTP:
    page.goto(f"{served.issuer}/account/security")
    page.click("button#totp-add")
    # As a script reads it: what one sees and what is in the document are the same.
    secret = page.locator("#totp-secret").inner_text()
    assert secret == page.locator("#totp-secret").text_content()
    app = pyotp.TOTP(secret)
    page.fill("input[name=code]", app.now())
    page.click("button#code-submit")
    expect(page.locator("[role=status]")).to_be_visible()
    return app


def next_code(app: pyotp.TOTP) -> str:
    """The code of the coming step, which counts already: the present one has been used."""
    return app.at(time.time() + 30)


def test_a_passkey_from_sign_up_to_sign_in(new_page: NewPage, served: Served) -> None:
    """`/signup` by passkey, every address of the account, `#passkey-login`, `#passkey-add`."""
    page = new_page()
    authenticator = VirtualAuthenticator(page)

    page.goto(f"{served.issuer}/signup")
    page.fill("input[name=username]", "grace@example.org")
    page.click("button#signup-passkey")
    page.fill("input[name=code]", served.awaited_code("grace@example.org"))
    page.click("button#code-submit")
    assert said(page) == ([], [])
    page.click("button#signup-passkey")
    page.wait_for_url(f"{served.issuer}/")
    for address in ACCOUNT_PAGES:
        answer = page.goto(f"{served.issuer}{address}")
        assert answer is not None
        assert (answer.status, page.url) == (200, f"{served.issuer}{address}")
        assert said(page) == ([], [])

    page.context.clear_cookies()
    authenticator.answers(at_once=False)  # nobody picks from the list of the autofill
    page.goto(f"{served.issuer}/login")
    expect(page.locator("button#passkey-login")).to_be_visible()
    authenticator.answers(at_once=True)
    page.click("button#passkey-login")
    page.wait_for_url(f"{served.issuer}/")

    page.goto(f"{served.issuer}/account/security")
    page.click("button#passkey-add")
    expect(page.locator("[role=alert]")).to_contain_text("has a passkey for your account already")


def test_a_passkey_beside_a_password(new_page: NewPage, served: Served) -> None:
    """`#passkey-add` says in a notice that it is done."""
    page = new_page()
    register(page, served, "ada@example.org")
    VirtualAuthenticator(page)

    page.goto(f"{served.issuer}/account/security")
    page.click("button#passkey-add")

    expect(page.locator("[role=status]")).to_contain_text("Your passkey is ready")


def test_a_password_and_every_second_step(new_page: NewPage, served: Served, complaints: Complaints) -> None:
    """The links to the other methods, each of which leads to its code."""
    page = new_page()
    register(page, served, "ada@example.org")
    app = set_up_an_app(page, served)
    page.click("button#recovery-create")
    codes = page.locator("#recovery-codes li").all_inner_texts()
    assert len(codes) == 10
    assert said(page) == ([], [])
    for channel, to in (("sms", TELEPHONE), ("email", "ada@example.org")):
        add_code_factor(page, served, channel, to)
    page.context.clear_cookies()

    sign_in(page, served, "ada@example.org", "not this one")
    expect(page.locator("[role=alert]")).to_be_visible()
    assert len(said(page)[1]) == 1
    sign_in(page, served, "ada@example.org")
    assert methods(page) == {"recovery", "email", "sms"}
    page.fill("input[name=code]", "000000")
    page.click("button#code-submit")
    expect(page.locator("[role=alert]")).to_be_visible()
    page.click("a[data-method=recovery]")
    assert methods(page) == {"totp", "email", "sms"}
    page.click("a[data-method=totp]")
    page.fill("input[name=code]", next_code(app))
    page.click("button#code-submit")
    page.wait_for_url(f"{served.issuer}/")

    for method, to in (("sms", TELEPHONE), ("email", "ada@example.org")):
        before = served.code(to)
        page.context.clear_cookies()
        sign_in(page, served, "ada@example.org")
        page.click(f"a[data-method={method}]")
        page.click("#code-send")
        expect(page.locator("[role=status]")).to_contain_text("We have sent a code")
        served.wait_for(lambda: served.code(to) != before, seconds=15)  # noqa: B023 - asked at once
        page.fill("input[name=code]", served.code(to))
        page.click("button#code-submit")
        page.wait_for_url(f"{served.issuer}/")

    page.context.clear_cookies()
    sign_in(page, served, "ada@example.org")
    page.click("a[data-method=recovery]")
    page.fill("input[name=code]", codes[0])
    page.click("button#code-submit")
    page.wait_for_url(f"{served.issuer}/")
    complaints.expect("Failed to load resource")


def test_a_passkey_is_one_of_the_other_methods(new_page: NewPage, served: Served) -> None:
    """`a[data-method=passkey]`; the app is what is asked for in a browser that has none."""
    page = new_page()
    register(page, served, "ada@example.org")
    set_up_an_app(page, served)
    VirtualAuthenticator(page)
    page.goto(f"{served.issuer}/account/security")
    page.click("button#passkey-add")
    expect(page.locator("[role=status]")).to_contain_text("Your passkey is ready")

    other = new_page()
    sign_in(other, served, "ada@example.org")

    shown = methods(other)
    assert shown in ({"passkey"}, {"totp"})
    if shown == {"totp"}:
        other.click("a[data-method=totp]")
    expect(other.locator("input[name=code]")).to_be_visible()
    expect(other.locator("a[data-method=passkey]")).to_be_visible()


def test_recovery_answers_in_a_notice(new_page: NewPage, served: Served) -> None:
    """`/recover`: the same notice for everybody."""
    page = new_page()

    page.goto(f"{served.issuer}/recover")
    page.fill("input[name=username]", "nobody@example.org")
    page.press("input[name=username]", "Enter")

    expect(page.locator("[role=status]")).to_contain_text("If there is an account")
    assert len(said(page)[0]) == 1


def add_code_factor(page: Page, served: Served, channel: str, to: str) -> None:
    page.goto(f"{served.issuer}/account/security/codes/{channel}")
    before = served.code(to)
    if channel == "sms":
        page.fill("input[name=address]", to)
    page.click("#code-send")
    served.wait_for(lambda: served.code(to) != before, seconds=15)
    page.fill("input[name=code]", served.code(to))
    page.click("button#code-submit")
    expect(page.locator("[role=status]")).to_be_visible()


def methods(page: Page) -> set[str]:
    """The ways that the page links to."""
    links = page.locator("a[data-method]")
    expect(links.first).to_be_visible()
    return {link.get_attribute("data-method") or "" for link in links.all()}
