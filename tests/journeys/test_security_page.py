"""People and what protects their accounts: the page `/account/security`.

| what                                                       | test                                         |
|------------------------------------------------------------|----------------------------------------------|
| every change asks for a sign-in of a moment ago (M7)       | test_every_change_asks_for_a_fresh_sign_in   |
| … that took the account's second step (M8)                 | test_a_sign_in_without_the_second_step_…     |
| by POST, from our own page, with its token (S8, S9)        | test_opening_an_address_…                    |
| a secret is shown until it is confirmed, never again (M6)  | test_the_secret_is_never_shown_again         |
| and to nobody else                                         | test_a_secret_belongs_to_its_session         |
| an address counts when a code came back from it (M3)       | test_codes_by_sms_…, test_codes_by_email_…   |
| e-mail and SMS are marked as the weaker ways (M4)          | test_weaker_ways_are_called_weaker           |
| every change is recorded, and told to the person (M13)     | test_changes_are_recorded_and_told           |
| what stood in for a second step goes with the last one     | test_recovery_codes_go_with_the_last_…       |
"""

import re
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from idp.storage import Database
from tests.browser import Browser, Page
from tests.provider import PASSWORD, Provider

PAGE = "/account/security"
TOTP = f"{PAGE}/totp"
RECOVERY = f"{PAGE}/recovery-codes"
CODES = f"{PAGE}/codes"
FORMS = (
    TOTP,
    f"{TOTP}/confirm",
    f"{TOTP}/remove",
    RECOVERY,
    f"{CODES}/sms",
    f"{CODES}/email",
    f"{CODES}/sms/confirm",
    f"{CODES}/sms/remove",
)
"""What changes something that protects the account."""


@pytest.fixture
def provider(new_provider, tmp_path) -> Provider:
    made: Provider = new_provider(
        mail={"transport": "folder", "folder": tmp_path / "mail"},
        sms={"transport": "folder", "folder": tmp_path / "sms"},
    )
    made.account("ada", email="ada@example.org", email_verified=True)
    return made


@pytest.fixture
def browser(provider) -> Browser:
    """Ada's, a moment after she signed in with her password."""
    return sign_in(provider.browser())


def sign_in(browser: Browser) -> Browser:
    page = browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)
    assert page.path == "/", page.text
    return browser


def secret_on(page: Page) -> str:
    found = re.search(r'id="totp-secret">(.*?)</code>', page.answer.text)
    assert found, page.text
    return re.sub(r"<[^>]+>", "", found.group(1))


def codes_on(page: Page) -> list[str]:
    listed = re.search(r'id="recovery-codes">(.*?)</ul>', page.answer.text, re.DOTALL)
    assert listed, page.text
    return re.findall(r"<li><code>(.*?)</code></li>", listed.group(1))


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def begin_app(browser: Browser) -> tuple[Page, pyotp.TOTP]:
    page = browser.get(PAGE).submit("totp-add")
    assert page.status == 200, page.text
    return page, pyotp.TOTP(secret_on(page))


def set_up_app(provider: Provider, browser: Browser) -> pyotp.TOTP:
    page, app = begin_app(browser)
    page = page.submit("code-submit", code=app.at(provider.clock.now()))
    assert page.path == PAGE, page.text
    return app


def set_up_sms(provider: Provider, browser: Browser, number: str = "+4930123456") -> None:
    page = browser.get(f"{CODES}/sms").submit("code-send", address=number)
    page = page.submit("code-submit", code=provider.sms()[-1].code)
    assert page.path == PAGE, page.text


def events(provider: Provider) -> list[tuple[str, dict[str, Any]]]:
    """What was recorded about authenticators, oldest first."""
    database: Database = provider.container.database
    with database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT event, detail FROM audit_event ORDER BY id").all()
    names = ("totp", "recovery", "codes", "devices")
    return [(event, detail) for event, detail in rows if event.split(".")[1] in names]


# The authenticator app


def test_an_app_is_set_up_with_the_secret_as_picture_and_text(provider, browser):
    page, app = begin_app(browser)
    assert page.path == TOTP
    assert [given["aria-label"] for given in page.elements("svg")] == ["QR code for your authenticator app"]
    assert len(app.secret) == 32

    page = page.submit("code-submit", code=app.at(provider.clock.now()))

    assert page.path == PAGE
    assert "Your authenticator app is set up." in page.text
    assert page.has("totp-remove")
    assert "Now make recovery codes" in page.text
    assert page.has("recovery-missing")


def test_a_wrong_code_shows_the_same_secret_again(provider, browser):
    page, app = begin_app(browser)

    page = page.submit("code-submit", code=other(app.at(provider.clock.now())))

    assert page.status == 422
    assert "That code is not right" in page.text
    assert secret_on(page) == app.secret
    assert page.submit("code-submit", code=app.at(provider.clock.now())).path == PAGE


@pytest.mark.parametrize("junk", ["", "abc", "1" * 10_000, "\u0661" * 6, "' OR 1=1 --"])
def test_junk_for_a_code_is_refused_with_a_message(browser, junk):
    page, _ = begin_app(browser)

    page = page.submit("code-submit", code=junk)

    assert page.status == 422
    assert [given["role"] for given in page.elements("div") if given.get("role") == "alert"] == ["alert"]


def test_the_secret_is_never_shown_again(provider, browser):
    """M6: neither on the page, nor by going back to the address."""
    app = set_up_app(provider, browser)
    browser = browser_with_second_step(provider, app)

    for address in (PAGE, TOTP, f"{TOTP}/confirm", f"{TOTP}/remove", RECOVERY):
        page = browser.get(address)
        assert page.status == 200
        assert app.secret not in page.answer.text
        assert not page.has("totp-secret")


def test_a_secret_is_on_no_page_that_may_be_kept(browser):
    """S12."""
    page, app = begin_app(browser)

    assert page.answer.header("Cache-Control") == "no-store"
    assert app.secret not in page.url
    assert all(app.secret not in form.fields.values() for form in page.forms)


def test_a_secret_belongs_to_its_session(provider, browser):
    """M3: another browser of the same person neither sees nor confirms it."""
    _, app = begin_app(browser)
    elsewhere = sign_in(provider.browser())

    page = elsewhere.get(TOTP)
    assert not page.has("totp-secret")
    page = begin_app(elsewhere)[0].submit("code-submit", code=app.at(provider.clock.now()))

    assert page.status == 422


def test_a_secret_waits_for_half_an_hour(provider, browser):
    page, app = begin_app(browser)
    provider.advance(minutes=31)
    fresh = sign_in(provider.browser())
    browser.cookies.update(fresh.cookies)

    page = browser.get(TOTP)

    assert not page.has("totp-secret")
    assert page.has("totp-add")
    del app


def test_an_app_replaces_the_one_before_without_a_gap(provider, browser):
    first = set_up_app(provider, browser)
    session = browser_with_second_step(provider, first)

    page, second = begin_app(session)
    assert account_accepts(provider, first)
    provider.advance(seconds=60)
    page = page.submit("code-submit", code=second.at(provider.clock.now()))

    assert page.path == PAGE
    assert second.secret != first.secret
    provider.advance(seconds=60)
    assert not account_accepts(provider, first)
    assert account_accepts(provider, second)


def test_an_app_is_removed_after_a_question(provider, browser):
    app = set_up_app(provider, browser)
    session = browser_with_second_step(provider, app)

    page = session.get(PAGE)
    page = session.get(f"{TOTP}/remove")
    assert page.path == f"{TOTP}/remove"
    page = page.submit("totp-remove-yes")

    assert page.path == PAGE
    assert "Your authenticator app is removed." in page.text
    assert not page.has("totp-remove")
    assert session.get(f"{TOTP}/remove").path == PAGE


def account_accepts(provider: Provider, app: pyotp.TOTP) -> bool:
    """Whether the account takes the app's code of now."""
    container = provider.container
    with container.database.transaction():
        account = container.accounts.find_by_identifier("ada")
        assert account is not None
        return container.totp.verify(account.id, app.at(provider.clock.now()), provider.clock.now())


def browser_with_second_step(provider: Provider, app: pyotp.TOTP) -> Browser:
    """A browser of Ada's in which she has just signed in with password and app."""
    provider.advance(seconds=60)
    browser = provider.browser()
    page = browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)
    page = page.submit("code-submit", code=app.at(provider.clock.now()))
    assert page.path == "/", page.text
    provider.advance(seconds=60)
    return browser


# Recovery codes


def test_recovery_codes_are_shown_once(browser):
    """M2: ten of 120 bits, in groups."""
    page = browser.get(PAGE).submit("recovery-create")

    codes = codes_on(page)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"(?:[0-9A-Z]{4}-){5}[0-9A-Z]{4}", code) for code in codes)
    assert page.answer.header("Cache-Control") == "no-store"
    page = browser.get(PAGE)
    assert "10 codes are left." in page.text
    assert not any(code in page.answer.text for code in codes)


def test_new_recovery_codes_replace_the_former(provider, browser):
    former = codes_on(browser.get(PAGE).submit("recovery-create"))
    latest = codes_on(browser.get(PAGE).submit("recovery-create"))

    container = provider.container
    with container.database.transaction():
        account = container.accounts.find_by_identifier("ada")
        assert not any(
            container.recovery_codes.claim(account.id, code, provider.clock.now()) for code in former
        )
        assert container.recovery_codes.claim(account.id, latest[0], provider.clock.now())
    assert not set(former) & set(latest)
    assert "9 codes are left." in browser.get(PAGE).text


def test_recovery_codes_go_with_the_last_second_step(provider, browser):
    app = set_up_app(provider, browser)
    session = browser_with_second_step(provider, app)
    session.get(PAGE).submit("recovery-create")

    page = session.get(f"{TOTP}/remove")
    assert page.has("takes-codes")
    page = page.submit("totp-remove-yes")

    assert "your recovery codes with it" in page.text
    assert not page.has("recovery-left")


def test_recovery_codes_stay_while_there_is_another_second_step(provider, browser):
    set_up_sms(provider, browser)
    session = browser_with_code(provider)
    app = set_up_app(provider, session)
    session = browser_with_second_step(provider, app)
    session.get(PAGE).submit("recovery-create")

    page = session.get(f"{TOTP}/remove")
    assert not page.has("takes-codes")
    page = page.submit("totp-remove-yes")

    assert page.has("recovery-left")
    assert page.has("sms-remove")


def browser_with_code(provider: Provider) -> Browser:
    """A browser of Ada's in which she has just signed in with password and a code by SMS."""
    browser = provider.browser()
    page = browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)
    if page.has("code-send"):
        page = page.submit("code-send")
    page = page.submit("code-submit", code=provider.sms()[-1].code)
    assert page.path == "/", page.text
    return browser


# Codes by SMS and e-mail


def test_codes_by_sms_are_set_up_when_one_came_back(provider, browser):
    page = browser.get(f"{CODES}/sms").submit("code-send", address="+49 30 123-456")
    assert page.path == f"{CODES}/sms/confirm"
    sent = provider.sms()[-1]
    assert sent.to == "+4930123456"

    page = page.submit("code-submit", code=sent.code)

    assert page.path == PAGE
    assert "+4930123456" in page.text
    assert page.has("sms-remove")


def test_codes_by_email_go_to_the_address_of_the_account(provider, browser):
    page = browser.get(f"{CODES}/email").submit("code-send", address="eve@example.org")
    (sent,) = [mail for mail in provider.mails() if mail.subject.startswith("Confirm your e-mail address")]
    assert sent.to == "ada@example.org"

    page = page.submit("code-submit", code=sent.code)

    assert page.path == PAGE
    assert page.has("email-remove")


def test_codes_by_email_follow_the_address_of_the_account(provider, browser):
    """Who changes their mailbox does not lose the second step with the old one, nor leave it there."""
    page = browser.get(f"{CODES}/email").submit("code-send")
    page.submit("code-submit", code=mailed_code(provider, "ada@example.org"))
    page = browser.get("/account/email").submit("contact-submit", email="ada@new.example")
    page = page.submit("code-submit", code=mailed_code(provider, "ada@new.example"))
    assert page.path == "/account", page.text

    assert "To ada@new.example" in browser.get(PAGE).text


def mailed_code(provider: Provider, to: str) -> str:
    """The newest code that confirms an address."""
    mails = [mail for mail in provider.mails() if mail.to == to]
    return next(mail.code for mail in reversed(mails) if mail.subject.startswith("Confirm your e-mail"))


def test_a_wrong_code_enrols_nothing_and_the_right_one_still_counts(provider, browser):
    page = browser.get(f"{CODES}/sms").submit("code-send", address="+4930123456")
    code = provider.sms()[-1].code

    page = page.submit("code-submit", code=other(code))

    assert page.status == 422
    assert not browser.get(PAGE).has("sms-remove")
    assert page.submit("code-submit", code=code).path == PAGE


def test_five_wrong_codes_and_a_new_one_has_to_be_sent(provider, browser):
    """M3."""
    page = browser.get(f"{CODES}/sms").submit("code-send", address="+4930123456")
    code = provider.sms()[-1].code
    for _ in range(5):
        page = browser.get(f"{CODES}/sms/confirm").submit("code-submit", code=other(code))
        assert page.status == 422

    page = browser.get(f"{CODES}/sms/confirm")
    assert page.has("code-send")
    assert not page.has("code-submit")
    page = browser.open("POST", f"{CODES}/sms/confirm", form=[("csrf_token", token(page)), ("code", code)])
    assert page.status == 409
    assert not browser.get(PAGE).has("sms-remove")


def token(page: Page) -> str:
    return next(form.fields["csrf_token"] for form in page.forms if "csrf_token" in form.fields)


def test_a_code_is_bound_to_the_session_it_was_asked_in(provider, browser):
    """M3: it confirms nothing in another browser, not even of the same person."""
    browser.get(f"{CODES}/sms").submit("code-send", address="+4930123456")
    code = provider.sms()[-1].code
    elsewhere = sign_in(provider.browser())
    page = elsewhere.get(f"{CODES}/sms")

    page = elsewhere.open("POST", f"{CODES}/sms/confirm", form=[("csrf_token", token(page)), ("code", code)])

    assert page.status == 409
    assert not elsewhere.get(PAGE).has("sms-remove")


def test_a_code_lasts_ten_minutes(provider, browser):
    """M3."""
    page = browser.get(f"{CODES}/sms").submit("code-send", address="+4930123456")
    code = provider.sms()[-1].code
    provider.advance(minutes=10)  # the sign-in still counts as one of a moment ago
    page = browser.get(PAGE)

    page = browser.open("POST", f"{CODES}/sms/confirm", form=[("csrf_token", token(page)), ("code", code)])

    assert page.status == 409


@pytest.mark.parametrize("number", ["", "12345", "+1", "call me", "+49" + "1" * 100, "<b>"])
def test_what_is_no_number_is_refused_and_kept_in_the_form(provider, browser, number):
    page = browser.get(f"{CODES}/sms").submit("code-send", address=number)

    assert page.status == 422
    assert provider.sms() == []
    assert "<b>" not in page.answer.text


def test_an_account_without_an_address_is_offered_no_codes_by_email(provider):
    provider.account("bob")
    browser = provider.browser()
    browser.get("/login").submit("login-submit", username="bob", password=PASSWORD)

    page = browser.get(f"{CODES}/email")

    assert page.has("no-email")
    assert not page.has("code-send")


def test_a_way_without_a_transport_is_not_offered(new_provider):
    provider = new_provider(mail={"transport": "none"}, sms={"transport": "none"})
    provider.account("ada")
    browser = sign_in(provider.browser())

    page = browser.get(PAGE)

    assert not page.has("sms-add")
    assert not page.has("email-add")
    assert browser.get(f"{CODES}/sms").path == PAGE


def test_a_gateway_that_fails_is_said_so(new_provider, tmp_path):
    """The page says so at once; nothing hangs and nothing is enrolled."""
    provider = new_provider(sms={"transport": "webhook", "url": "http://127.0.0.1:9/sms"})
    provider.account("ada")
    browser = sign_in(provider.browser())

    page = browser.get(f"{CODES}/sms").submit("code-send", address="+4930123456")

    assert page.status == 503
    assert "SMS cannot be sent" in page.text
    assert page.has("code-send")


def test_too_many_messages_are_refused_in_words(new_provider, tmp_path):
    """L9: the limits of messages hold for a signed-in person, too, and nothing waits for a code."""
    provider = new_provider(ratelimit={"enabled": True, "sms_per_recipient": "2/hour"})
    provider.account("ada")
    browser = sign_in(provider.browser())
    for _ in range(2):
        page = browser.get(f"{CODES}/sms").submit("code-send", address="+4930123456")
        assert page.path == f"{CODES}/sms/confirm"

    page = browser.get(f"{CODES}/sms").submit("code-send", address="+4930123456")

    assert page.status in {422, 429}
    assert "Too many codes were sent." in page.text
    assert len(provider.sms()) == 2


@pytest.mark.parametrize("unknown", ["pigeon", "SMS", "a" * 1000])
def test_an_unknown_way_is_not_found(browser, unknown):
    assert browser.get(f"{CODES}/{unknown}").status == 404


def test_weaker_ways_are_called_weaker(browser):
    """M4."""
    text = browser.get(PAGE).text

    assert "Weaker than an app: whoever takes over your number gets your codes." in text
    assert "Applications that ask for two factors do not accept it." in text
    assert "Weaker than an app" in browser.get(f"{CODES}/sms").text


def test_codes_by_sms_are_removed_after_a_question(provider, browser):
    set_up_sms(provider, browser)
    session = browser_with_code(provider)

    page = session.get(f"{CODES}/sms/remove").submit("code-remove-yes")

    assert page.path == PAGE
    assert "No codes are sent any more." in page.text
    assert not page.has("sms-remove")


# What holds for all of them


@pytest.mark.parametrize("address", FORMS)
def test_every_change_asks_for_a_fresh_sign_in(provider, browser, address):
    """M7: ten minutes after the sign-in, the person proves again who they are, and comes back."""
    begin_app(browser)
    browser.get(f"{CODES}/sms").submit("code-send", address="+4930123456")
    page = browser.get(PAGE)
    provider.advance(minutes=10, seconds=1)

    page = browser.open("POST", address, form=[("csrf_token", token(page)), ("code", "123456")], follow=False)

    assert page.status == 303
    assert page.answer.location.startswith("/reauthenticate?return_to=%2Faccount%2Fsecurity")


def test_a_page_with_a_form_asks_before_anything_is_typed(provider, browser):
    provider.advance(minutes=10, seconds=1)

    for address in (TOTP, RECOVERY, f"{CODES}/sms", f"{CODES}/email"):
        page = browser.get(address, follow=False)
        assert page.answer.location == f"/reauthenticate?return_to={address.replace('/', '%2F')}"
    assert browser.get(PAGE).path == PAGE


def test_a_sign_in_without_the_second_step_is_not_enough(provider, browser):
    """M8: who has a second step takes it before changing it; a remembered browser does not stand in."""
    elsewhere = sign_in(provider.browser())
    app = set_up_app(provider, browser)
    provider.advance(seconds=60)

    page = elsewhere.get(f"{TOTP}/remove", follow=False)
    assert page.answer.location.startswith("/reauthenticate")
    page = elsewhere.get(PAGE)
    page = elsewhere.open("POST", f"{TOTP}/remove", form=[("csrf_token", token(page))], follow=False)
    assert page.answer.location.startswith("/reauthenticate")
    page = elsewhere.get(PAGE)
    assert page.has("totp-remove")

    page = elsewhere.get(f"{TOTP}/remove").submit("login-submit", password=PASSWORD)
    page = page.submit("code-submit", code=app.at(provider.clock.now()))
    assert page.path == f"{TOTP}/remove"
    assert page.submit("totp-remove-yes").path == PAGE


def test_setting_up_a_second_step_is_taking_it(provider, browser):
    """S2, M8: the session is one of two factors from then on, under a new value, and may go on at once."""
    before = dict(browser.cookies)
    set_up_app(provider, browser)

    assert browser.cookies["__Host-idp_session"] != before["__Host-idp_session"]
    assert "With a second step" in browser.get("/account/sessions").text
    assert len(codes_on(browser.get(PAGE).submit("recovery-create"))) == 10
    assert browser.get(f"{TOTP}/remove").submit("totp-remove-yes").path == PAGE
    planted = provider.browser()
    planted.cookies.update(before)
    assert planted.get(PAGE).path == "/login"


def test_who_proves_it_again_comes_back_to_what_they_wanted(provider, browser):
    """M7: after ten minutes, by the password of an account that has nothing else."""
    provider.advance(minutes=10, seconds=1)

    page = browser.get(PAGE).submit("recovery-create").submit("login-submit", password=PASSWORD)

    assert page.path == RECOVERY
    assert len(codes_on(page.submit("recovery-create"))) == 10


@pytest.mark.parametrize("address", [*FORMS, f"{PAGE}/devices/forget"])
def test_opening_an_address_changes_nothing(provider, browser, address):
    """S9."""
    before = events(provider)

    page = browser.get(address)

    assert page.status == 200
    assert events(provider) == before


@pytest.mark.parametrize("address", [*FORMS, f"{PAGE}/devices/forget"])
def test_a_form_without_its_token_is_refused(provider, browser, address):
    """S8."""
    page = browser.open("POST", address, form=[("code", "123456"), ("address", "+4930123456")])

    assert page.status in {400, 403}
    assert events(provider) == []


@pytest.mark.parametrize("address", [*FORMS, f"{PAGE}/devices/forget"])
def test_another_site_cannot_send_a_form(provider, browser, address):
    """S8: Fetch-Metadata."""
    page = browser.get(PAGE)

    page = browser.open("POST", address, form=[("csrf_token", token(page))], site="cross-site")

    assert page.status in {400, 403}
    assert events(provider) == []


@pytest.mark.parametrize("address", [PAGE, *FORMS])
def test_who_is_not_signed_in_is_asked_to(provider, address):
    page = provider.browser().get(address)

    assert page.path == "/login"


def test_changes_are_recorded_and_told(provider, browser):
    """M13: an event and a mail for each, in the transaction of the change."""
    app = set_up_app(provider, browser)
    session = browser_with_second_step(provider, app)
    session.get(PAGE).submit("recovery-create")
    session.get(f"{TOTP}/remove").submit("totp-remove-yes")

    assert {event for event, _ in events(provider)} == {
        "account.totp.added",
        "account.recovery.created",
        "account.totp.removed",
        "account.recovery.removed",
    }
    assert len(events(provider)) == 4
    subjects = [mail.subject for mail in provider.mails()]
    for subject in (
        "An authenticator app was added",
        "New recovery codes were made",
        "Your authenticator app was removed",
    ):
        assert subject in subjects


def test_the_last_second_step_stays_where_everybody_needs_one(new_provider, tmp_path):
    """`login.second_factor = "required"`."""
    provider = new_provider(login={"second_factor": "required"}, mail={"transport": "none"})
    account = provider.account("ada")
    container = provider.container
    secret = container.totp.new_secret()
    app = pyotp.TOTP(secret.reveal())
    with container.database.transaction():
        now = provider.clock.now()
        assert container.totp.enrol(account["id"], secret, app.at(now), now)
    session = browser_with_second_step(provider, app)

    page = session.get(f"{TOTP}/remove").submit("totp-remove-yes")

    assert "Here everybody needs a second step." in page.text
    assert session.get(PAGE).has("totp-remove")
    assert account_accepts(provider, app)


def test_remembered_devices_are_counted_and_forgotten(provider, browser):
    container, now = provider.container, provider.clock.now()
    with container.database.transaction():
        account = container.accounts.find_by_identifier("ada")
        for _ in range(2):
            container.devices.remember(None, account.id, now, trusted_until=now + timedelta(days=30))

    page = browser.get(PAGE)
    assert "In 2 browsers you are asked for your password only." in page.text
    page = page.submit("devices-forget")

    assert "Every device is asked for the second step again." in page.text
    assert not page.has("devices-forget")
    assert events(provider)[-1][0] == "account.devices.distrusted"
