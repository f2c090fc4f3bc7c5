"""A person's way through the demonstration in a real browser.

Every test also asserts, by the fixture `complaints`, that the browser found nothing to complain about: no
console error, no exception, no violated content security policy, no failed request.
"""

import re
from pathlib import Path
from urllib.parse import parse_qs

import pyotp
import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.chromium.conftest import Complaints, NewPage
from tests.chromium.opening import ask_again, authorization_url, claims, log_in, open_login, sign_in
from tests.demo.running import RunningDemo

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 320, "height": 640}, "is_mobile": True, "has_touch": True}
"""The narrowest width that WCAG 2.2 (1.4.10, reflow) speaks of."""


def test_log_in_consent_claims_api_log_out(new_page: NewPage, demo: RunningDemo) -> None:
    page = new_page()

    open_login(page, demo)
    assert page.url.startswith(demo.issuer)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.locator("main")).to_contain_text("Notes")
    sign_in(page, demo)
    expect(page.get_by_role("button", name="Do not allow")).to_be_visible()
    expect(page.locator(".asked")).to_contain_text("Read your notes")
    page.click("#consent-allow")

    expect(page).to_have_url(f"{demo.application}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Dana Demo")
    told = claims(page)
    assert told["iss"] == demo.issuer
    assert told["aud"] in {"notes", "['notes']"}
    assert told["email"] == "dana@example.com"
    assert told["sub"].startswith("acc_")

    page.click("#call-api")
    expect(page.locator("#api-answer")).to_contain_text("Rotate keys")
    assert told["sub"] in page.locator("#api-answer").inner_text()

    page.click("#log-out")
    expect(page).to_have_url(f"{demo.application}/")
    expect(page.locator("#log-in")).to_be_visible()


def test_who_is_signed_in_and_has_agreed_is_asked_nothing_until_the_log_out(
    new_page: NewPage, demo: RunningDemo
) -> None:
    page = new_page()
    log_in(page, demo)
    page.context.clear_cookies(name="notes_app")

    page.goto(demo.application)
    page.click("#log-in")
    expect(page.locator("#claims")).to_be_visible()
    page.click("#log-out")
    page.click("#log-in")

    expect(page.locator("#login-submit")).to_be_visible()


def test_registration_with_the_code_from_the_inbox(new_page: NewPage, demo: RunningDemo) -> None:
    page = new_page()
    open_login(page, demo)
    page.click("#login-signup")
    page.fill("#username", "grace@example.org")
    page.fill("#name", "Grace Hopper")
    page.click("#signup-submit")
    expect(page.locator("#code-submit")).to_be_visible()

    inbox = page.context.new_page()
    inbox.goto(demo.inbox)
    inbox.locator("#messages li", has_text="grace@example.org").first.locator("a").click()
    found = re.search(r"^ +(\d{6})$", inbox.locator("#text").inner_text(), re.MULTILINE)
    assert found is not None
    page.fill("#code", found[1])
    page.click("#code-submit")
    page.fill("#password", "violet anchors hum beneath nine roofs")
    page.click("#signup-submit")
    page.click("#consent-allow")

    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Grace Hopper")
    assert claims(page)["email"] == "grace@example.org"


def test_the_diary_opens_to_two_factors(new_page: NewPage, demo: RunningDemo) -> None:
    """RFC 9470: the API asks for more than a password; who has shown more already is asked nothing."""
    page = new_page()
    open_login(page, demo)
    page.fill("#username", demo.second[0])
    page.fill("#password", demo.second[1])
    page.click("#login-submit")
    page.fill("#code", pyotp.TOTP(demo.totp_secret).now())
    page.click("#code-submit")
    page.click("#consent-allow")
    expect(page.locator("#claims")).to_be_visible()

    page.click("#read-diary")

    expect(page.locator("#api-answer")).to_contain_text("Dear diary")
    assert claims(page)["acr"] == "urn:idp:loa:2"


def test_a_wrong_password_is_said_and_the_name_stays(
    new_page: NewPage, demo: RunningDemo, complaints: Complaints
) -> None:
    page = new_page()
    open_login(page, demo)

    page.fill("#username", demo.username)
    page.fill("#password", "not the password")
    page.click("#login-submit")

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#username")).to_have_value(demo.username)
    expect(page.locator("#password")).to_have_value("")
    expect(page.locator("#password")).to_be_focused()
    sign_in(page, demo)
    page.wait_for_selector("#consent-allow, #claims")
    # The browser says once in the console that the answer to the first attempt was no success.
    complaints.expect("Failed to load resource")


def test_what_is_refused_is_told_to_the_application(
    new_page: NewPage, demo: RunningDemo, complaints: Complaints
) -> None:
    page = new_page()
    open_login(page, demo)

    page.click("#login-cancel")

    expect(page.locator("#error")).to_contain_text("access_denied")
    assert page.url.startswith(f"{demo.application}/callback")
    complaints.expect("Failed to load resource")


def test_the_keyboard_is_enough(new_page: NewPage, demo: RunningDemo) -> None:
    """WCAG 2.2, 2.1.1 and 2.4.7: everything by keyboard, and one sees where one is."""
    page = new_page()
    ask_again(page, demo)
    page.goto(demo.application)

    _tab_to(page, "log-in")
    page.keyboard.press("Enter")
    expect(page.locator("#username")).to_be_focused()
    page.keyboard.type(demo.username)
    _tab_to(page, "password")
    page.keyboard.type(demo.password)
    page.keyboard.press("Enter")
    expect(page.locator("#consent-allow")).to_be_visible()
    _tab_to(page, "consent-allow")
    assert _focus_ring(page)
    page.keyboard.press("Enter")

    expect(page.locator("#claims")).to_be_visible()


def test_the_password_can_be_looked_at(new_page: NewPage, demo: RunningDemo) -> None:
    page = new_page()
    open_login(page, demo)
    page.fill("#password", "a secret")

    page.get_by_role("button", name="Show").click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide").click()

    expect(page.locator("#password")).to_have_attribute("type", "password")


def test_everything_works_without_javascript(new_page: NewPage, demo: RunningDemo) -> None:
    page = new_page(java_script_enabled=False)

    log_in(page, demo)
    page.click("#call-api")
    expect(page.locator("#api-answer")).to_contain_text("Rotate keys")
    page.click("#log-out")

    expect(page.locator("#log-in")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_form_post_takes_the_answer_to_the_application(
    new_page: NewPage, demo: RunningDemo, *, scripts: bool
) -> None:
    """OAuth 2.0 Form Post Response Mode §2: by itself; without JavaScript by one more button."""
    page = new_page(java_script_enabled=scripts)
    log_in(page, demo)
    posted: list[Request] = []

    def answer(route: Route) -> None:
        posted.append(route.request)
        route.fulfill(content_type="text/html", body="<!doctype html><title>Taken</title>")

    page.route(f"{demo.application}/callback", answer)

    page.goto(f"{authorization_url(page, demo)}&response_mode=form_post")
    if not scripts:
        page.click("#form-post-submit")
    expect(page).to_have_title("Taken")

    [request] = posted
    fields = parse_qs(request.post_data or "")
    assert request.method == "POST"
    assert fields["iss"] == [demo.issuer]
    assert set(fields) == {"code", "state", "iss"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_read_in_both_colour_schemes(new_page: NewPage, demo: RunningDemo, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: text contrasts with what is behind it by 4.5 to 1."""
    page = new_page(color_scheme=scheme)

    ask_again(page, demo)
    open_login(page, demo)
    _assert_it_can_be_read(page, scheme)
    sign_in(page, demo)
    expect(page.locator("#consent-allow")).to_be_visible()
    _assert_it_can_be_read(page, scheme)
    page.goto(f"{demo.issuer}/")
    _assert_it_can_be_read(page, scheme)
    page.goto(f"{demo.issuer}/logged-out")
    _assert_it_can_be_read(page, scheme)


def test_nothing_scrolls_sideways_on_a_phone(
    new_page: NewPage, demo: RunningDemo, complaints: Complaints
) -> None:
    page = new_page(**PHONE)
    ask_again(page, demo)
    open_login(page, demo)
    _assert_it_fits(page)
    page.fill("#username", "x" * 200)
    page.click("#login-submit")
    _assert_it_fits(page)
    sign_in(page, demo)
    expect(page.locator("#consent-allow")).to_be_visible()
    _assert_it_fits(page)
    page.click("#consent-allow")
    expect(page.locator("#claims")).to_be_visible()
    _assert_it_fits(page)
    for path in ("/", "/logout", "/logged-out", "/authorize"):
        page.goto(f"{demo.issuer}{path}")
        _assert_it_fits(page)

    complaints.expect("Failed to load resource")


def test_what_the_browser_complains_about_is_heard(
    new_page: NewPage, demo: RunningDemo, complaints: Complaints
) -> None:
    """The other tests prove something only if a violated policy and an exception would be noticed."""
    page = new_page()
    open_login(page, demo)

    with page.expect_console_message(lambda said: said.text.startswith("policy:")):
        page.evaluate(
            "document.body.append(Object.assign(new Image(), {src: 'https://elsewhere.example/x'}))"
        )
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('on purpose') })")

    assert any("policy: img-src" in said for said in complaints.seen)
    assert any("on purpose" in said for said in complaints.seen)
    complaints.seen.clear()


def _tab_to(page: Page, identifier: str) -> None:
    for _ in range(20):
        if page.evaluate("document.activeElement.id") == identifier:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach #{identifier}")


def _focus_ring(page: Page) -> bool:
    style = page.evaluate(
        "(({outlineStyle, outlineWidth, boxShadow}) => [outlineStyle, outlineWidth, boxShadow])"
        "(getComputedStyle(document.activeElement))"
    )
    outline, width, shadow = style
    return (outline != "none" and not re.fullmatch("0(px)?", width)) or shadow != "none"


def _assert_it_fits(page: Page) -> None:
    wide, there = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide <= there, f"{page.url}: {wide} px on a screen of {there}"


def _assert_it_can_be_read(page: Page, scheme: str) -> None:
    seen = page.evaluate((Path(__file__).parent / "contrast.js").read_text(encoding="utf-8"))
    assert (seen["lightness"] < 0.2) == (scheme == "dark")
    assert seen["texts"]
    assert [text for text in seen["texts"] if text[0] < 4.5] == [], page.url
