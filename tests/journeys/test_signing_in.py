"""Stories of people who sign in somewhere. Each ends with what the application knows of them.

| story                                                 | test                               |
|-------------------------------------------------------|------------------------------------|
| the first time, at an application of somebody else    | test_first_sign_in                 |
| mistyped, then right                                  | test_wrong_password_then_right     |
| signed in here, then silently in a second application | test_second_application_is_silent  |
| changing one's mind at each page                      | test_cancel_on_every_page          |
| not me, please                                        | test_signing_in_as_another_account |
| the shared computer                                   | test_two_people_share_a_computer   |
| at home and at work                                   | test_two_browsers                  |
| with the e-mail address, in whatever spelling         | test_names_in_other_spellings      |
| the next day                                          | test_the_next_day                  |
| straight to the provider                              | test_at_the_front_door             |
"""

import unicodedata
from typing import Any

import pytest

from tests.browser import Page
from tests.frontchannel import SQLITE_ONLY, VERIFIER, ask, refusal, signed_in, success, text_of
from tests.protocol import jose
from tests.provider import PASSWORD, Client, Provider

GRACE = "a quite different passphrase"


@pytest.fixture
def blog(provider, ada) -> Client:
    """Somebody else's application."""
    return provider.client(
        "blog", first_party=False, client_name="The Blog", redirect_uris=["https://blog.example/cb"]
    )


@pytest.fixture
def grace(provider) -> dict[str, Any]:
    return provider.account("grace", password=GRACE, email="Grace@Hopper.example", email_verified=True)


def who(provider: Provider, client: Client, page: Page) -> dict[str, Any]:
    """What the application learns: ID token and userinfo."""
    tokens = provider.exchange(client, success(page), verifier=VERIFIER).json()
    claims = jose.verified(provider, tokens["id_token"], alg="RS256")
    info: dict[str, Any] = provider.userinfo(tokens["access_token"]).json()
    assert info["sub"] == claims["sub"]
    return info


def test_first_sign_in(provider, ada, blog):
    """Sign in, read what is asked, allow it: the application knows the e-mail address and no more."""
    page = ask(provider, blog, scope="openid email")
    assert page.path.startswith("/login/")
    assert "The Blog" in page.text

    page = page.submit("login-submit", username="ada", password=PASSWORD)
    assert page.path.startswith("/consent/")
    assert "See your e-mail address" in page.text

    info = who(provider, blog, page.submit("consent-allow"))
    assert info == {"sub": ada["id"], "email": "ada@example.org", "email_verified": True}


def test_wrong_password_then_right(provider, ada, blog):
    """The page says so, keeps the name, and the second attempt goes where the first should have."""
    page = ask(provider, blog).submit("login-submit", username="ada", password="corect horse")
    assert text_of(page, "trouble") == "The username or the password is not right."
    assert page.form_with("login-submit").fields["username"] == "ada"

    page = page.submit("login-submit", password=PASSWORD)

    assert who(provider, blog, page.submit("consent-allow"))["sub"] == ada["id"]


def test_second_application_is_silent(provider, ada, shop, blog):
    """Consent for the one; the house's own application asks nothing at all; the first never asks again."""
    browser = provider.browser()
    page = ask(provider, blog, browser).submit("login-submit", username="ada", password=PASSWORD)
    who(provider, blog, page.submit("consent-allow"))
    provider.advance(minutes=30)

    for client in (shop, blog):
        page = ask(provider, client, browser)
        assert len(browser.trail) == 1
        assert who(provider, client, page)["sub"] == ada["id"]


def test_cancel_on_every_page(provider, blog):
    """At the sign-in page, and at the consent page; the application hears it, and may ask again."""
    browser = provider.browser()
    assert refusal(ask(provider, blog, browser).submit("login-cancel")) == "access_denied"

    page = ask(provider, blog, browser).submit("login-submit", username="ada", password=PASSWORD)
    assert refusal(page.submit("consent-deny")) == "access_denied"

    assert success(ask(provider, blog, browser).submit("consent-allow"))


def test_signing_in_as_another_account(provider, ada, grace, blog):
    """The button "Not you?" leads to a sign-in, and the application meets the other person."""
    browser = signed_in(provider)
    page = ask(provider, blog, browser)
    assert "Ada King" in page.text

    page = page.submit("account-other").submit("login-submit", username="grace", password=GRACE)
    assert "Ada King" not in page.text
    assert "grace" in page.text

    assert who(provider, blog, page.submit("consent-allow"))["sub"] == grace["id"]
    assert "grace" in browser.get("/").text


def test_two_people_share_a_computer(provider, ada, grace, shop):
    """One signs out, the other signs in; neither gets the other's session."""
    browser = signed_in(provider)
    assert who(provider, shop, ask(provider, shop, browser))["sub"] == ada["id"]

    browser.get("/").submit("home-logout")
    assert refusal(ask(provider, shop, browser, prompt="none")) == "login_required"

    page = ask(provider, shop, browser).submit("login-submit", username="grace", password=GRACE)
    assert who(provider, shop, page)["sub"] == grace["id"]


def test_two_browsers(provider, ada, shop):
    """Signing out in one leaves the other alone; they are two sessions."""
    home, work = signed_in(provider), signed_in(provider)

    home.get("/").submit("home-logout")

    assert refusal(ask(provider, shop, home, prompt="none")) == "login_required"
    assert who(provider, shop, ask(provider, shop, work, prompt="none"))["sub"] == ada["id"]


def test_the_next_day(provider, ada, shop):
    """The session has gone overnight; the same name and password bring the same person back."""
    browser = signed_in(provider)
    first = who(provider, shop, ask(provider, shop, browser))
    provider.advance(hours=14)

    page = ask(provider, shop, browser)
    assert page.has("login-submit")

    assert who(provider, shop, page.submit("login-submit", username="ada", password=PASSWORD)) == first


def test_at_the_front_door(provider, ada, shop):
    """Sign in at the provider itself, see who one is, go to an application, sign out."""
    browser = provider.browser()
    page = browser.get("/")
    (door,) = [link["href"] for link in page.elements("a") if link.get("id") == "home-login"]
    page = browser.get(door).submit("login-submit", username="ada", password=PASSWORD)
    assert (page.path, "Ada King" in page.text) == ("/", True)
    assert browser.get("/login").path == "/"

    assert who(provider, shop, ask(provider, shop, browser))["sub"] == ada["id"]

    page = browser.get("/").submit("home-logout")
    assert page.path == "/logged-out"
    assert browser.get("/").has("home-login")


@pytest.mark.parametrize(
    ("registered", "typed"),
    [
        (
            {"username": "Ada.King"},
            ["ada.king", "ADA.KING", " Ada.King ", "ａｄａ．ｋｉｎｇ", "Ada.K\u00adi\u200bng"],
        ),
        ({"username": "José"}, ["jose\u0301", "JOSÉ", "JOSE\u0301"]),
        ({"username": "straße"}, ["STRASSE", "strasse", "Straẞe"]),
        ({"username": "Ἀθηνᾶ"}, ["ἀθηνᾶ", "ἈΘΗΝΑ͂"]),
        ({"username": "山田 太郎"}, ["山田\u3000太郎", "山田  太郎"]),
        ({"username": "İstanbul"}, ["i\u0307stanbul"]),
        ({"username": "😀👩‍🚀"}, ["😀👩‍🚀"]),
        ({"username": "x", "email": "Ada@Example.ORG"}, ["ada@example.org", "ADA@EXAMPLE.ORG", "x"]),
        (
            {"username": "y", "email": "ada@bücher.example"},
            ["ada@xn--bcher-kva.example", "ADA@BÜCHER.example", "ada@bu\u0308cher.example"],
        ),
        ({"username": "z", "email": "δοκιμή@παράδειγμα.example"}, ["ΔΟΚΙΜΉ@ΠΑΡΆΔΕΙΓΜΑ.example"]),
    ],
)
def test_names_in_other_spellings(provider, registered, typed):
    """V7: one person, however the keyboard spells the name: case, width, composition, IDNA."""
    account = provider.account(**registered)
    shop = provider.client("shop")

    for name in [*registered.values(), *typed]:
        page = ask(provider, shop).submit("login-submit", username=name, password=PASSWORD)
        assert page.left, (name, page.text)
        assert who(provider, shop, page)["sub"] == account["id"]


@pytest.mark.parametrize(*SQLITE_ONLY)
@pytest.mark.parametrize(
    "password",
    [
        "pässwörd ünïcode",
        "パスワード は とても 長い",
        "👩‍🚀👩‍🚀👩‍🚀👩‍🚀👩‍🚀",
        "x" * 1024,
        " spaces at both ends ",
        "tab\tinside it",
    ],
)
def test_passwords_of_every_kind(provider, password):
    """P3: the whole password as sent; composed and decomposed spellings are one (NFC)."""
    provider.account("ada", password=password)
    shop = provider.client("shop")

    for form in ("NFC", "NFD"):
        typed = unicodedata.normalize(form, password)
        assert ask(provider, shop).submit("login-submit", username="ada", password=typed).left
    for wrong in (password[:-1], password + "x", password.upper() + "!"):
        assert not ask(provider, shop).submit("login-submit", username="ada", password=wrong).left
