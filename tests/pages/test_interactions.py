"""Half-finished requests: one per tab, of one browser, unchangeable, used once.

| row | MUST                                             | test                                        |
|-----|--------------------------------------------------|---------------------------------------------|
| R14 | later steps cannot change the request            | test_nothing_sent_later_changes_the_request |
| R14 | another browser cannot go on with it             | test_another_browser_cannot_go_on           |
| R14 | answered once: replay, double click, back button | test_answer_cannot_be_repeated              |
|     |                                                  | test_back_button_after_finishing            |
| R14 | a changed or guessed uid is nobody's             | test_unknown_uids                           |
| M5  | no step is skipped                               | test_pages_cannot_be_jumped_to              |
| C4  | the code is bound to the request as it came in   | test_nothing_sent_later_changes_the_request |
|     | two tabs do not disturb each other               | test_two_tabs_*                             |
|     | an interaction ends by time                      | test_interaction_ends                       |
| K4  | registration changes count at once               | test_registration_changes_on_the_way        |
"""

from http import HTTPStatus
from urllib.parse import urlencode

import pytest

from tests.frontchannel import BROWSER, SQLITE_ONLY, VERIFIER, ask, refusal, signed_in, success
from tests.protocol import jose
from tests.provider import CALLBACK, PASSWORD, Client, Pkce, response_parameters

sqlite_only = pytest.mark.parametrize(*SQLITE_ONLY)


@pytest.fixture
def third(provider, ada) -> Client:
    return provider.client("third", first_party=False)


EVIL = {
    "redirect_uri": "https://evil.example/",
    "client_id": "other",
    "scope": "openid email phone address profile offline_access",
    "state": "evil",
    "nonce": "evil",
    "code_challenge": "e" * 43,
    "response_mode": "fragment",
    "resource": "https://api.example",
    "prompt": "none",
    "uid": "x",
}


def test_nothing_sent_later_changes_the_request(provider, third):
    """R14, C4: client, address, scope, PKCE, nonce, state and mode are those of the beginning."""
    provider.client("other", redirect_uris=["https://evil.example/"])
    browser = provider.browser()
    page = ask(provider, third, browser, scope="openid", nonce="n-1", state="s-1")
    query = "?" + urlencode(EVIL)

    fields = page.form_with("login-submit").fields
    form = [*{**fields, "username": "ada", "password": PASSWORD}.items()]
    assert browser.open("POST", page.path, form=[*form, *EVIL.items()]).status == HTTPStatus.BAD_REQUEST
    page = browser.open("POST", page.path + query, form=form)
    assert page.has("consent-allow")
    assert "e-mail" not in page.text.replace("ada@example.org", "")
    form = [*page.form_with("consent-allow").fields.items(), ("decision", "allow")]
    assert browser.open("POST", page.path, form=[*form, *EVIL.items()]).status == HTTPStatus.BAD_REQUEST
    page = browser.open("POST", page.path + query, form=form)

    answer = response_parameters(page)
    assert page.url.startswith(CALLBACK + "?code=")
    assert (answer["state"], answer["iss"]) == ("s-1", provider.issuer)
    tokens = provider.exchange(third, answer["code"], verifier=VERIFIER).json()
    assert tokens["scope"] == "openid"
    claims = jose.claims(tokens["id_token"])
    assert (claims["nonce"], claims["aud"]) == ("n-1", third.id)


@pytest.mark.parametrize("path", ["/login/", "/consent/", "/authorize/", "/select-account/"])
def test_another_browser_cannot_go_on(provider, third, path):
    """R14: not with the address, not with a session of one's own, not with somebody else's browser cookie."""
    mine = signed_in(provider)
    page = ask(provider, third, mine)
    uid = page.path.rpartition("/")[2]
    provider.account("mallory")
    thief = signed_in(provider, "mallory")

    seen = thief.get(path + uid)
    assert (seen.status, seen.left) == (HTTPStatus.BAD_REQUEST, False)
    token = thief.get("/").form_with("home-logout").fields["csrf_token"]
    form = [("csrf_token", token), ("decision", "allow"), ("choice", "keep"), ("action", "cancel")]
    if path != "/authorize/":
        assert thief.open("POST", path + uid, form=form).status == HTTPStatus.BAD_REQUEST

    assert success(page.submit("consent-allow"))


@sqlite_only
def test_interaction_of_another_browser_looks_like_none(provider, third):
    """R14, X7: the same answer for unknown and for somebody else's."""
    page = ask(provider, third)
    stranger = provider.browser()

    theirs, none = stranger.get(page.path), stranger.get("/login/" + "x" * 22)

    assert theirs.status == none.status
    assert theirs.text.split("Request")[0] == none.text.split("Request")[0]


def test_answer_cannot_be_repeated(provider, third):
    """R14: a consent that was sent twice gives one code; the same for a cancelled request."""
    page = ask(provider, third, signed_in(provider))
    assert success(page.submit("consent-allow"))

    again = page.submit("consent-allow")
    assert (again.status, again.left) == (HTTPStatus.BAD_REQUEST, False)
    assert "already used" in again.text

    page = ask(provider, third)
    assert refusal(page.submit("login-cancel")) == "access_denied"
    assert not page.submit("login-cancel").left


def test_deny_then_allow(provider, third):
    """R14: a no is final for this request."""
    page = ask(provider, third, signed_in(provider))
    assert refusal(page.submit("consent-deny")) == "access_denied"

    again = page.submit("consent-allow")

    assert not again.left
    assert refusal(ask(provider, third, page.browser, prompt="none")) == "consent_required"


def test_back_button_after_finishing(provider, third):
    """R14: every page of a finished request says so, friendly, and gives no second code."""
    browser = provider.browser()
    login = ask(provider, third, browser)
    consent = login.submit("login-submit", username="ada", password=PASSWORD)
    assert success(consent.submit("consent-allow"))
    uid = login.path.rpartition("/")[2]

    for path in ("/login/", "/consent/", "/authorize/", "/select-account/"):
        page = browser.get(path + uid)
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "go back to the application" in page.text
        assert not page.left
    assert browser.get("/").has("home-logout")


def test_back_button_to_the_login_form(provider, third):
    """R14: signed in, then back to the form in the browser's cache: signing in again goes on from there."""
    page = ask(provider, third)
    page.submit("login-submit", username="ada", password=PASSWORD)

    again = page.submit("login-submit", username="ada", password=PASSWORD)

    assert success(again.submit("consent-allow"))


def test_two_tabs_may_both_sign_in(provider, third):
    """Credentials typed into a second tab count, though the first tab has signed in meanwhile."""
    browser, one, two = provider.browser(), Pkce(), Pkce()
    first = ask(provider, third, browser, state="one", code_challenge=one.challenge)
    second = ask(provider, third, browser, state="two", code_challenge=two.challenge)

    first = provider.sign_in(first)
    second = provider.sign_in(second)

    assert response_parameters(first)["state"] == "one"
    assert response_parameters(second)["state"] == "two"


def test_two_tabs_do_not_disturb_each_other(provider, third):
    """Two requests at once in one browser: each gets its own answer, whichever is finished first."""
    browser, one, two = provider.browser(), Pkce(), Pkce()
    first = ask(provider, third, browser, state="one", scope="openid", code_challenge=one.challenge)
    second = ask(provider, third, browser, state="two", scope="openid email", code_challenge=two.challenge)
    assert first.path != second.path

    second = second.submit("login-submit", username="ada", password=PASSWORD).submit("consent-allow")
    first = browser.get(first.path.replace("/login/", "/authorize/"))

    assert response_parameters(second)["state"] == "two"
    assert response_parameters(first)["state"] == "one"
    tokens = provider.exchange(third, success(second), verifier=two.verifier).json()
    assert tokens["scope"] == "openid email"
    assert provider.exchange(third, success(first), verifier=one.verifier).json()["scope"] == "openid"


def test_two_tabs_of_two_clients(provider, third):
    """The answer of one tab never goes to the client of the other."""
    other = provider.client("other", first_party=False, redirect_uris=["https://other.example/cb"])
    browser = signed_in(provider)
    mine, theirs = ask(provider, third, browser), ask(provider, other, browser)

    assert mine.submit("consent-allow").url.startswith(CALLBACK)
    assert theirs.submit("consent-deny").url.startswith("https://other.example/cb?error=access_denied")


def test_two_tabs_signing_in_as_two_people(provider, third):
    """The browser has one session: the tab that comes later is asked again rather than answered wrongly."""
    grace = provider.account("grace")
    browser = provider.browser()
    first, second = ask(provider, third, browser), ask(provider, third, browser)
    first = first.submit("login-submit", username="ada", password=PASSWORD)
    assert first.has("consent-allow")

    second = browser.get(second.path).submit("login-submit", username="grace", password=PASSWORD)
    assert not first.submit("consent-allow").left

    tokens = provider.exchange(third, success(second.submit("consent-allow")), verifier=VERIFIER).json()
    assert jose.claims(tokens["id_token"])["sub"] == grace["id"]


def test_interaction_ends(provider, third):
    """An hour is enough; afterwards the page says what to do, and nobody is signed in by it."""
    page = ask(provider, third)
    provider.advance(minutes=59)
    assert page.browser.get(page.path).has("login-submit")
    provider.advance(minutes=1)

    late = page.submit("login-submit", username="ada", password=PASSWORD)

    assert late.status == HTTPStatus.BAD_REQUEST
    assert "expired" in late.text
    assert "go back to the application" in late.text
    assert page.browser.get("/").has("home-login")


@sqlite_only
@pytest.mark.parametrize(
    "uid", ["x", "x" * 22, "x" * 1000, "..%2f..", "%00", "%ff", "'--", "%F0%9F%98%80", "0", "-1"]
)
def test_unknown_uids(provider, third, uid):
    """R14, X5: 4xx and a page, whatever somebody puts there."""
    browser = signed_in(provider)

    for path in ("/login/", "/consent/", "/authorize/", "/select-account/"):
        page = browser.get(path + uid)
        assert page.status in {400, 404}
        assert page.has("request-id")


def test_pages_cannot_be_jumped_to(provider, third):
    """M5, S13: without a session every page leads to the login form."""
    page = ask(provider, third)
    uid = page.path.rpartition("/")[2]
    token = page.form_with("login-submit").fields["csrf_token"]

    for path in ("/consent/", "/select-account/", "/authorize/"):
        assert page.browser.get(path + uid).has("login-submit")
    for path, field in (("/consent/", ("decision", "allow")), ("/select-account/", ("choice", "keep"))):
        answer = page.browser.open("POST", path + uid, form=[("csrf_token", token), field])
        assert answer.has("login-submit")


def test_cancel_reaches_the_client(provider, third):
    """RFC 6749 §4.1.2.1: access_denied with state and iss; nobody is signed in."""
    page = ask(provider, third).submit("login-cancel")

    assert response_parameters(page)["error"] == "access_denied"
    assert response_parameters(page)["state"] == "s-123"
    assert set(page.browser.cookies) == {BROWSER}


@sqlite_only
@pytest.mark.parametrize("change", ["disabled", "deleted"])
def test_registration_changes_on_the_way(provider, third, change):
    """K4, R2: a client that is gone gets nothing, not even an error, and the person sees a page."""
    page = ask(provider, third)
    clients = provider.container.admin.clients
    clients.disable(third.id) if change == "disabled" else clients.delete(third.id)
    provider.settle()

    for answer in (
        page.browser.get(page.path),
        page.submit("login-submit", username="ada", password=PASSWORD),
        page.submit("login-cancel"),
    ):
        assert not answer.left
        assert answer.status == HTTPStatus.BAD_REQUEST


@sqlite_only
@pytest.mark.parametrize("decision", ["", "yes", "ALLOW", "allow deny", "1"])
def test_other_decisions_are_refused(provider, third, decision):
    """X16: two buttons, two values; anything else is no yes."""
    page = ask(provider, third, signed_in(provider))
    form = [*page.form_with("consent-allow").fields.items(), ("decision", decision)]

    answer = page.browser.open("POST", page.path, form=form)

    assert answer.status == HTTPStatus.BAD_REQUEST
    assert success(page.submit("consent-allow"))


def test_head_asks_for_nothing_and_stores_nothing(provider):
    """X3, RFC 9110 §9.3.2: a HEAD at the authorization endpoint would store what nobody reads."""
    answer = provider.http.send("HEAD", "/authorize?client_id=shop&response_type=code")

    assert answer.status == 405
    assert "GET" in (answer.header("Allow") or "")
