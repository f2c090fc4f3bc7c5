"""The sign-in page: what it shows, what it takes, what it says."""

import pytest

from tests.provider import PASSWORD, response_parameters


def test_the_page_names_the_client_and_its_papers(provider, shop):
    page = provider.authorize(provider.browser(), shop)

    links = {link.get("id"): link for link in page.elements("a")}
    assert page.path.startswith("/login/")
    assert "Shop <b>& Sons</b>" in page.text
    assert "shop.example" in page.text
    assert links["client-policy"]["href"] == "https://shop.example/privacy"
    assert links["client-terms"]["href"] == "https://shop.example/terms"
    away = [link for link in links.values() if not link["href"].startswith("/")]
    assert [link["rel"] for link in away] == ["noopener noreferrer"] * 2


def test_the_form_suits_password_managers(provider, shop):
    """P8: autocomplete values, one form, no hindrance to paste."""
    page = provider.authorize(provider.browser(), shop, login_hint="ada@example.org")

    inputs = {given["name"]: given for given in page.elements("input")}
    assert inputs["username"]["autocomplete"] == "username webauthn"
    assert inputs["username"]["value"] == "ada@example.org"
    assert inputs["password"]["autocomplete"] == "current-password"
    assert {"username", "password", "login-submit"} <= page.form_with("login-submit").ids


def test_a_wrong_password_keeps_the_name_and_drops_the_password(provider, shop):
    page = provider.authorize(provider.browser(), shop)

    page = page.submit("login-submit", username="Ada ", password="hunter2-wrong")

    assert page.status == 422
    assert page.form_with("login-submit").fields["username"] == "Ada "
    assert "hunter2-wrong" not in page.answer.text
    assert any(given.get("role") == "alert" for given in page.elements("div"))


def test_known_and_unknown_names_get_the_same_page(provider, shop):
    """L6: text, status and headers are alike."""
    answers = []
    for name in ("ada", "bob"):
        page = provider.authorize(provider.browser(), shop)
        answer = page.submit("login-submit", username=name, password="wrong-password").answer
        headers = {key for key, _ in answer.headers}
        answers.append((answer.status, headers, len(answer.text)))

    assert answers[0] == answers[1]


@pytest.mark.parametrize(("username", "password", "field"), [("", "x", "username"), ("ada", "", "password")])
def test_an_empty_field_is_marked(provider, shop, username, password, field):
    page = provider.authorize(provider.browser(), shop)

    page = page.submit("login-submit", username=username, password=password)

    inputs = {given["name"]: given for given in page.elements("input")}
    assert page.status == 400
    assert inputs[field]["aria-invalid"] == "true"


@pytest.mark.parametrize("name", ["a\x07b", "é" * 3000, "' OR 1=1 --", "\ufeff", "a\u202eb"])
def test_odd_names_are_just_wrong(provider, shop, name):
    """X5: never a 500."""
    page = provider.authorize(provider.browser(), shop)

    assert page.submit("login-submit", username=name, password="x").status in {400, 422}


def test_too_many_attempts_say_how_long_to_wait(provider, shop):
    """L1: a growing delay, in words and as Retry-After."""
    provider.account("mallory")
    page = provider.authorize(provider.browser(), shop)

    for _ in range(8):
        page = page.submit("login-submit", username="mallory", password="wrong-password")

    assert page.status == 429
    assert int(page.answer.header("Retry-After")) > 0
    assert "Try again in" in page.text


def test_signing_in_sets_cookies_for_this_host_alone(provider, shop):
    """S3, S2: __Host- cookies; a new session value at each sign-in."""
    browser = provider.browser()
    provider.authorize(browser, shop).submit("login-submit", username="ada", password=PASSWORD)
    first = browser.cookies["__Host-idp_session"]

    provider.authorize(browser, shop, prompt="login").submit(
        "login-submit", username="ada", password=PASSWORD
    )

    assert browser.cookies["__Host-idp_session"] != first
    for header in browser.set_cookies:
        assert header.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(header.split("; "))


def test_a_form_is_answered_with_303(provider, shop):
    """R7: never 307 or 308 after credentials."""
    browser = provider.browser()
    page = provider.authorize(browser, shop)

    page.submit("login-submit", username="ada", password=PASSWORD)

    assert [answer.status for answer in browser.trail[:-1]] == [303, 303]


def test_cancel_goes_back_to_the_client(provider, shop):
    page = provider.authorize(provider.browser(), shop).submit("login-cancel")

    assert response_parameters(page)["error"] == "access_denied"


def test_sign_in_without_a_client_ends_at_home(provider):
    browser = provider.browser()

    page = browser.get("/login").submit("login-submit", username="ada@example.org", password=PASSWORD)

    assert (page.path, page.status) == ("/", 200)
    assert "Ada Lovelace" in page.text
    assert browser.get("/login").path == "/"
    page = page.submit("home-logout")
    assert page.path == "/logged-out"
    assert "Ada" not in browser.get("/").text
