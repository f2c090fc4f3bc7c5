"""How a browser comes to each page: one visit for each template that extends the layout."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyotp
from playwright.sync_api import Page, expect

from idp.authenticators import Channel
from idp.login import First
from tests.chromium import newcomers, site
from tests.chromium.virtual_authenticator import VirtualAuthenticator
from tests.provider import PASSWORD, Client, Provider

NEW_PASSWORD = "violet anchors hum beneath nine roofs"

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
# errors/crowded.html is the head of errors/problem.html, which is visited, and takes a great crowd to see.
NOT_PAGES = {"account/layout.html", "layout/page.html", "authorize/form_post.html", "errors/crowded.html"}
"""Frames; and the form that leaves by itself before anybody can look at it."""


@dataclass
class Walk:
    """One browser of one person."""

    provider: Provider
    page: Page
    client: Client
    username: str
    mute: Provider
    """Another provider, which can send no messages."""
    unconfirmed: bool = False
    """Whether the person has not shown yet that the e-mail address is theirs."""

    @cached_property
    def account(self) -> str:
        """Make the person; their account's id."""
        made = self.provider.account(
            self.username,
            email=f"{self.username}@example.org",
            email_verified=not self.unconfirmed,
            claims={"name": "Ada King", "phone_number": "+493012345678", "phone_number_verified": True},
        )
        identifier: str = made["id"]
        return identifier

    def go(self, path: str) -> None:
        self.page.goto(f"{self.provider.issuer}{path}")

    def sign_in(self) -> None:
        """Sign in by password; the browser says that the next thing is the account page."""
        assert self.account
        site.sign_in(self.page, self.provider, self.username)
        self.page.wait_for_url(lambda url: "/login" not in url)

    def signed_in_at(self, path: str) -> None:
        self.sign_in()
        self.go(path)

    def ask(self, **parameters: str) -> None:
        """Come from the application."""
        assert self.account
        site.ask(self.page, self.provider, self.client, **parameters)

    def type_password(self) -> None:
        self.page.fill("input[name=username]", self.username)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("#login-submit")

    def generator(self) -> pyotp.TOTP:
        """Give the person an authenticator app; its next code is fresh."""
        here, now, account = self.provider.container, self.provider.clock.now(), self.account
        with here.database.transaction():
            secret = here.totp.new_secret()
            app = pyotp.TOTP(secret.reveal())
            assert here.totp.enrol(account, secret, app.at(now), now)
        self.provider.advance(seconds=31)
        return app

    def signed_in_with_code(self, path: str) -> None:
        """Sign in by password and authenticator app."""
        app = self.generator()
        self.page.goto(f"{self.provider.issuer}/login")
        self.type_password()
        self.page.fill("#code", app.at(self.provider.clock.now()))
        self.page.click("#code-submit")
        self.page.wait_for_url(lambda url: "/login" not in url)
        self.go(path)

    def code_factor(self, channel: Channel, address: str) -> None:
        here, account = self.provider.container, self.account
        with here.database.transaction():
            here.code_factors.enrol(account, channel, address, self.provider.clock.now())


def _leave(walk: Walk) -> None:
    newcomers.offer(walk.provider)
    # It goes on by itself; an answer without content keeps the browser where it is.
    walk.page.route(f"{newcomers.THERE}/**", lambda route: route.fulfill(status=204))
    walk.ask(idp_hint=newcomers.ID)
    expect(walk.page.locator("#leave")).to_be_visible()


def _failed(walk: Walk) -> None:
    newcomers.offer(walk.provider)
    walk.go(f"/federation/{newcomers.ID}/callback?state=nobodys")


def _join(walk: Walk) -> None:
    newcomers.offer(walk.provider)
    newcomers.send(walk.provider, walk.page, First.ASK, email="ada@elsewhere.example")
    walk.go("/federation/join")
    walk.page.click("#join-submit")
    expect(walk.page.get_by_role("alert")).to_be_visible()


def _known(walk: Walk) -> None:
    newcomers.offer(walk.provider)
    newcomers.send(walk.provider, walk.page, First.KNOWN, email=f"{walk.username}@example.org")
    walk.go("/federation/known")


def _link(walk: Walk) -> None:
    _known(walk)
    walk.signed_in_at("/federation/link")
    expect(walk.page.locator("#link-submit")).to_be_visible()


def _login(walk: Walk) -> None:
    newcomers.offer(walk.provider)
    walk.ask(scope="openid profile offline_access")
    walk.page.fill("input[name=username]", "nobody")
    walk.page.fill("input[name=password]", "wrong")
    walk.page.click("#login-submit")
    expect(walk.page.get_by_role("alert").first).to_be_visible()


def _verify(walk: Walk) -> None:
    walk.generator()
    walk.code_factor(Channel.SMS, "+493012345678")
    walk.ask()
    walk.type_password()
    expect(walk.page.locator("#code-submit")).to_be_visible()


def _consent(walk: Walk) -> None:
    walk.ask(scope="openid profile email offline_access", prompt="consent")
    walk.type_password()
    expect(walk.page.locator("#consent-allow")).to_be_visible()


def _select_account(walk: Walk) -> None:
    walk.sign_in()
    walk.ask(prompt="select_account")
    expect(walk.page.locator("#account-other")).to_be_visible()


def _expired(walk: Walk) -> None:
    walk.ask()
    walk.page.context.clear_cookies()
    walk.page.reload()


def _stale_form(walk: Walk) -> None:
    walk.go("/login")
    walk.page.context.clear_cookies()
    walk.page.fill("input[name=username]", "ada")
    walk.page.fill("input[name=password]", "any")
    walk.page.click("#login-submit")


def _profile(walk: Walk) -> None:
    walk.signed_in_at("/account")
    walk.page.fill("#birthdate", "not a date")
    walk.page.click("#profile-submit")
    expect(walk.page.locator("#birthdate-wrong")).to_be_visible()


def _username(walk: Walk) -> None:
    walk.signed_in_at("/account/username")
    walk.page.fill("#username", "somebody@else.example")
    walk.page.click("#username-submit")
    expect(walk.page.get_by_role("alert")).to_be_visible()


def _apps(walk: Walk) -> None:
    _consent(walk)
    walk.page.click("#consent-allow")
    expect(walk.page).to_have_title("The application")
    walk.go("/account/apps")


def _totp(walk: Walk) -> None:
    walk.signed_in_at("/account/security")
    walk.page.click("#totp-add")
    expect(walk.page.locator("#totp-secret")).to_be_visible()


def _recovery_codes(walk: Walk) -> None:
    walk.signed_in_with_code("/account/security")
    walk.page.click("#recovery-create")
    expect(walk.page.locator("#recovery-codes li")).to_have_count(10)


def _security(walk: Walk) -> None:
    newcomers.offer(walk.provider)
    newcomers.link(walk.provider, walk.account)
    walk.sign_in()
    walk.generator()
    walk.code_factor(Channel.SMS, "+493012345678")
    walk.go("/account/security")


def _code_confirm(walk: Walk) -> None:
    walk.signed_in_at("/account/security/codes/email")
    walk.page.click("#code-send")
    expect(walk.page.locator("#code-submit")).to_be_visible()


def _code_remove(walk: Walk) -> None:
    walk.signed_in_with_code("/account")
    walk.code_factor(Channel.SMS, "+493012345678")
    walk.go("/account/security/codes/sms/remove")


def _offer(walk: Walk) -> None:
    VirtualAuthenticator(walk.page)
    walk.sign_in()
    expect(walk.page.locator("#passkey-skip")).to_be_visible()


def _signup(walk: Walk) -> None:
    newcomers.offer(walk.provider)
    walk.go("/signup")
    walk.page.fill("input[name=username]", "not an address")
    walk.page.click("#signup-submit")
    expect(walk.page.get_by_role("alert")).to_be_visible()


def _signup_verify(walk: Walk) -> None:
    walk.go("/signup")
    walk.page.fill("input[name=username]", f"{walk.username}@example.org")
    walk.page.check("#terms")
    walk.page.click("#signup-submit")
    expect(walk.page.locator("#code-submit")).to_be_visible()


def _signup_finish(walk: Walk) -> None:
    _signup_verify(walk)
    walk.page.fill("#code", walk.provider.mails()[-1].code)
    walk.page.click("#code-submit")
    walk.page.fill("#password", "password")
    expect(walk.page.locator("#password-strength")).to_be_visible()


def _signup_known(walk: Walk) -> None:
    _signup_finish(walk)
    assert walk.account
    walk.page.fill("#password", NEW_PASSWORD)
    walk.page.click("#signup-submit")
    walk.page.wait_for_load_state()


def _recover_sent(walk: Walk) -> None:
    assert walk.account
    walk.go("/recover")
    walk.page.fill("input[name=username]", walk.username)
    walk.page.click("#recover-submit")
    walk.page.wait_for_url("**/recover/sent")


def _recover_choose(walk: Walk) -> None:
    walk.generator()
    _recover_sent(walk)
    walk.page.goto(walk.provider.mails()[-1].link)
    walk.page.fill("#password", "short")
    walk.page.click("#reset-submit")
    expect(walk.page.get_by_role("alert")).to_be_visible()


def _recover_done(walk: Walk) -> None:
    _recover_sent(walk)
    walk.page.goto(walk.provider.mails()[-1].link)
    walk.page.fill("#password", NEW_PASSWORD)
    walk.page.click("#reset-submit")
    walk.page.wait_for_url("**/recover/done")


def _contact_confirm(walk: Walk) -> None:
    walk.signed_in_at("/account/email")
    walk.page.fill("#email", f"new-{walk.username}@example.org")
    walk.page.click("#contact-submit")
    expect(walk.page.locator("#code-submit")).to_be_visible()


def _undo_email(walk: Walk) -> None:
    _contact_confirm(walk)
    walk.page.fill("#code", walk.provider.mails()[-1].code)
    walk.page.click("#code-submit")
    expect(walk.page.get_by_role("status")).to_be_visible()
    [mail] = [
        mail
        for mail in walk.provider.mails()
        if mail.to == f"{walk.username}@example.org" and "/undo-email/" in mail.text
    ]
    walk.page.goto(mail.link)


def _verify_email(walk: Walk) -> None:
    walk.unconfirmed = True
    walk.signed_in_at("/account/email")
    walk.page.click("#email-verify")
    walk.page.wait_for_load_state()
    walk.page.goto(walk.provider.mails()[-1].link)


def _email_verified(walk: Walk) -> None:
    _verify_email(walk)
    walk.page.click("#verify-submit")
    walk.page.wait_for_load_state()


def _not_me(walk: Walk) -> None:
    walk.sign_in()
    walk.page.context.clear_cookies()
    walk.sign_in()
    mails = [
        mail
        for mail in walk.provider.mails()
        if mail.to == f"{walk.username}@example.org" and "/not-me/" in mail.text
    ]
    walk.page.goto(mails[-1].link)


def _secured(walk: Walk) -> None:
    _not_me(walk)
    walk.page.click("#secure-submit")
    walk.page.wait_for_load_state()


def _deletion_requested(walk: Walk) -> None:
    walk.signed_in_at("/account/delete")
    walk.page.click("#delete-submit")
    walk.page.wait_for_load_state()


def _keep(walk: Walk) -> None:
    _deletion_requested(walk)
    walk.sign_in()


def _enrol(walk: Walk) -> None:
    walk.ask(
        acr_values="urn:idp:loa:2",
        claims='{"id_token":{"acr":{"essential":true,"values":["urn:idp:loa:2"]}}}',
    )
    walk.type_password()
    expect(walk.page.locator("#enrol-cancel")).to_be_visible()


def _at(path: str) -> Callable[[Walk], None]:
    return lambda walk: walk.signed_in_at(path)


def _guest_at(path: str) -> Callable[[Walk], None]:
    return lambda walk: walk.go(path)


VISITS: dict[str, Callable[[Walk], object]] = {
    "account/apps.html": _apps,
    "account/delete.html": _at("/account/delete"),
    "account/deletion_requested.html": _deletion_requested,
    "account/export.html": _at("/account/export"),
    "account/keep.html": _keep,
    "account/password.html": _at("/account/password"),
    "contact/change.html": _at("/account/email"),
    "contact/confirm.html": _contact_confirm,
    "contact/verified.html": _email_verified,
    "contact/verify.html": _verify_email,
    "passkey/offer.html": _offer,
    "recovery/begin.html": _guest_at("/recover"),
    "recovery/choose.html": _recover_choose,
    "recovery/dead.html": _guest_at("/recover/nothing"),
    "recovery/done.html": _recover_done,
    "recovery/impossible.html": lambda walk: walk.page.goto(f"{walk.mute.issuer}/recover"),
    "recovery/sent.html": _recover_sent,
    "securing/not_me.html": _not_me,
    "securing/secured.html": _secured,
    "securing/undo_email.html": _undo_email,
    "signup/begin.html": _signup,
    "signup/closed.html": _guest_at("/invitation/nothing"),
    "signup/finish.html": _signup_finish,
    "signup/known.html": _signup_known,
    "signup/verify.html": _signup_verify,
    "account/history.html": _at("/account/history"),
    "account/profile.html": _profile,
    "account/username.html": _username,
    "account/sessions.html": _at("/account/sessions"),
    "consent/consent.html": _consent,
    "errors/expired.html": _expired,
    "errors/problem.html": _guest_at("/authorize?client_id=nobody"),
    "errors/stale_form.html": _stale_form,
    "federation/failed.html": _failed,
    "federation/join.html": _join,
    "federation/known.html": _known,
    "federation/leave.html": _leave,
    "federation/link.html": _link,
    "home/home.html": _at("/"),
    "home/welcome.html": _guest_at("/"),
    "login/password.html": _login,
    "login/enrol.html": _enrol,
    "login/reauthenticate.html": _at("/reauthenticate?return_to=/account"),
    "login/select_account.html": _select_account,
    "login/verify.html": _verify,
    "logout/confirm.html": _at("/logout"),
    "logout/logged_out.html": _guest_at("/logged-out"),
    "security/code_confirm.html": _code_confirm,
    "security/code_email.html": _at("/account/security/codes/email"),
    "security/code_remove.html": _code_remove,
    "security/code_sms.html": _at("/account/security/codes/sms"),
    "security/recovery_codes.html": _recovery_codes,
    "security/recovery_begin.html": _at("/account/security/recovery-codes"),
    "security/security.html": _security,
    "security/totp.html": _totp,
    "security/totp_begin.html": _at("/account/security/totp"),
    "security/totp_remove.html": lambda walk: walk.signed_in_with_code("/account/security/totp/remove"),
}


def pages() -> set[str]:
    """Every template that is a page."""
    found = {
        str(path.relative_to(TEMPLATES))
        for path in TEMPLATES.rglob("*.html")
        if path.read_text(encoding="utf-8").lstrip().find("{% extends ") >= 0
    }
    return {name for name in found if not name.startswith("mail/")} - NOT_PAGES
