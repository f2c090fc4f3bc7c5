"""What stands on the pages: stable addresses and selectors, and who is asking.

| row     | MUST                                                 | test                                      |
|---------|------------------------------------------------------|-------------------------------------------|
| pages 1 | addresses tell the pages apart                       | test_addresses_tell_the_pages_apart       |
| pages 2 | plain forms with stable selectors                    | test_login_form                           |
|         |                                                      | test_consent_form                         |
|         |                                                      | test_logout_form                          |
| P8      | autocomplete values, one form, paste allowed         | test_login_form                           |
| pages 3 | the login page shows name, logo, policy and terms of | test_login_page_shows_who_asks            |
|         | the client                                           |                                           |
| R13     | nothing is loaded from elsewhere, logos included     | test_logo_is_our_copy                     |
|         |                                                      | test_no_third_party_resources             |
| pages 5 | errors: HTML, 4xx, the OAuth code and the parameter  | test_shown_errors_name_code_and_parameter |
|         | by name                                              |                                           |
| X7, X14 | no traces, no versions, no debugger; an id to quote  | test_no_banner                            |
|         |                                                      | test_error_pages_tell_an_id               |
| X4, X7  | unknown addresses are a page of ours                 | test_unknown_address                      |
|         | typed values are kept, the password never            | test_typed_values_are_kept                |
|         | everything works without a script                    | test_every_form_works_without_scripts     |
"""

from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import pytest

from idp.clients import Logo
from tests.browser import Page
from tests.frontchannel import SQLITE_ONLY, ask, shown_error, signed_in, text_of
from tests.provider import PASSWORD, Client, Provider

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + bytes(40)


@pytest.fixture
def third(provider, ada) -> Client:
    """A client that says everything about itself."""
    return provider.client(
        "third",
        first_party=False,
        client_name="Third & Sons",
        policy_uri="https://shop.example/privacy?a=1&b=2",
        tos_uri="https://shop.example/terms",
        client_uri="https://shop.example/",
    )


def every_page(provider: Provider, client: Client) -> dict[str, Page]:
    """One of each."""
    browser = signed_in(provider)
    login = ask(provider, client)
    return {
        "welcome": provider.browser().get("/"),
        "home": browser.get("/"),
        "plain login": provider.browser().get("/login"),
        "login": login,
        "failed login": login.submit("login-submit", username="ada", password="wrong"),
        "consent": ask(provider, client, browser),
        "select account": ask(provider, client, browser, prompt="select_account"),
        "logout": browser.get("/logout"),
        "logged out": provider.browser().get("/logged-out"),
        "error": provider.browser().get("/authorize"),
        "not found": provider.browser().get("/nowhere"),
        "gone": provider.browser().get("/login/unknown"),
        "stale": provider.browser().open("POST", "/login", form=[("username", "x")]),
        "form post": ask(provider, client, prompt="none", response_mode="form_post"),
    }


def test_addresses_tell_the_pages_apart(provider, third):
    """A robot without modern scripts knows by the path where it is."""
    pages = every_page(provider, third)

    for name, start in {
        "login": "/login/",
        "consent": "/consent/",
        "select account": "/select-account/",
        "logout": "/logout",
        "logged out": "/logged-out",
        "error": "/authorize",
    }.items():
        assert pages[name].path.startswith(start)


def test_login_form(provider, third):
    """Stable selectors; P8: values for password managers, one form, nothing that stops pasting."""
    page = ask(provider, third)

    form = page.form_with("login-submit")
    inputs = {field["name"]: field for field in page.elements("input") if field.get("type") != "hidden"}
    assert (inputs["username"]["type"], inputs["username"]["autocomplete"]) == ("text", "username webauthn")
    assert (inputs["password"]["type"], inputs["password"]["autocomplete"]) == (
        "password",
        "current-password",
    )
    assert {"username", "password", "csrf_token"} <= set(form.fields)
    assert form.method == "post"
    assert page.has("login-cancel")
    assert "onpaste" not in page.answer.text
    assert {label["for"] for label in page.elements("label")} == {"username", "password"}


def test_consent_form(provider, third):
    """Stable selectors: two buttons of one form."""
    form = ask(provider, third, signed_in(provider)).form_with("consent-allow")

    assert "consent-deny" in form.ids
    assert form.method == "post"


def test_logout_form(provider, ada):
    """Stable selectors."""
    form = signed_in(provider).get("/logout").form_with("logout-yes")

    assert form.method == "post"


def test_login_page_shows_who_asks(provider, third):
    """Name, policy and terms, and where the person will go; links open no way back (noopener)."""
    page = ask(provider, third)

    links = {link["id"]: link for link in page.elements("a") if "id" in link}
    assert "Third & Sons" in page.text
    assert "shop.example" in page.text
    assert links["client-policy"]["href"] == "https://shop.example/privacy?a=1&b=2"
    assert links["client-terms"]["href"] == "https://shop.example/terms"
    assert all("noopener" in links[name]["rel"] for name in ("client-policy", "client-terms"))


def test_logo_is_our_copy(provider, third):
    """R13: from our own origin, as a harmless picture; also without a sign-in and without cookies."""
    logo_uri = "https://shop.example/logo.png"
    client = provider.client("logoed", logo_uri=logo_uri)
    container = provider.container
    with container.database.transaction():
        container.admin.clients._context.logos.save(  # noqa: SLF001 - the real fetch needs a network
            client.id, Logo(uri=logo_uri, content_type="image/png", body=PNG), container.clock.now()
        )

    page = ask(provider, client)
    sources = [image["src"] for image in page.elements("img")]
    answer = provider.http.get("/logos/logoed")

    assert "/logos/logoed" in sources
    assert (answer.status, answer.body, answer.header("Content-Type")) == (200, PNG, "image/png")
    assert "sandbox" in (answer.header("Content-Security-Policy") or "")
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Set-Cookie") is None


def test_pages_on_the_way_to_a_client_have_its_colour(provider, ada):
    """WCAG 2.2, 1.4.3: a colour too light for white text is darkened, and lightened for dark pages."""
    client = provider.client("sunny", accent_color="#FFD400")

    page = ask(provider, client)
    own = provider.browser().get("/login")
    [sheet] = [link["href"] for link in page.elements("link") if "/accents/" in link["href"]]
    answer = provider.http.get(sheet)

    assert answer.status == 200
    assert answer.header("Content-Type") == "text/css; charset=utf-8"
    assert "immutable" in (answer.header("Cache-Control") or "")
    assert "--accent:#ffd400;--on-accent:#0b0d12" in answer.text
    assert ":root{--accent:#ffd400;--on-accent:#fff}" not in answer.text
    assert [link for link in own.elements("link") if "/accents/" in link["href"]] == []


@pytest.mark.parametrize("colour", ["red", "12345", "1234567", "ABCDEF", "12345;", "..%2f..%2f"])
def test_only_colours_have_a_style_sheet(provider, colour):
    """K2: nothing of an address gets into a style sheet but six hexadecimal digits."""
    assert provider.http.get(f"/accents/{colour}.css").status == 404


def test_no_third_party_resources(provider, third):
    """R13: whoever runs another server does not hear who signs in where."""
    for name, page in every_page(provider, third).items():
        loaded = [
            tag[attribute]
            for element, attribute in (("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"))
            for tag in page.elements(element)
            if attribute in tag
        ]
        assert loaded, name
        for address in loaded:
            assert urlsplit(urljoin(page.url, address)).netloc == "idp.example", name
            assert provider.http.get(address).status == HTTPStatus.OK
        assert "url(http" not in page.answer.text
        assert not page.elements("base")
        assert not page.elements("style")


def test_every_form_works_without_scripts(provider, third):
    """Plain forms with submit buttons: no handler attributes, no javascript: addresses."""
    for name, page in every_page(provider, third).items():
        for form in page.forms:
            assert any(button.get("type", "submit") == "submit" for button in form.buttons), name
        assert not any(
            key.startswith("on")
            for tag in ("form", "button", "input", "a", "body")
            for given in page.elements(tag)
            for key in given
        )
        assert "javascript:" not in page.answer.text


def test_pages_say_their_language_and_title(provider, third):
    """WCAG 2.2 3.1.1, 2.4.2: every page has a language, a title, one heading; errors say so in the title."""
    for name, page in every_page(provider, third).items():
        (html,) = page.elements("html")
        assert html["lang"] == "en", name
        assert len(page.elements("h1")) == 1, name
        assert "<title>" in page.answer.text
        (viewport,) = [meta for meta in page.elements("meta") if meta.get("name") == "viewport"]
        assert "user-scalable=no" not in viewport["content"]
    assert "<title>Error" in every_page(provider, third)["failed login"].answer.text


SHOWN = [
    ({"client_id": None}, "client_id"),
    ({"client_id": "nobody"}, "client_id"),
    ({"redirect_uri": "https://evil.example/"}, "redirect_uri"),
]


@pytest.mark.parametrize(("wrong", "parameter"), SHOWN)
def test_shown_errors_name_code_and_parameter(provider, third, wrong, parameter):
    """Errors that must not be redirected: HTML, 4xx, never empty, never JSON; in stable words."""
    page = ask(provider, third, **wrong)

    assert shown_error(page) == (400, "invalid_request", parameter)
    assert f"The {parameter} parameter" in page.text
    assert len(page.text) > 100


def test_shown_errors_do_not_show_the_request_back(provider, third):
    """X7, R13: what an attacker puts into an address does not come to stand on our page."""
    page = ask(provider, third, redirect_uri="https://evil.example/Call-this-number-now", state="Call-me")

    assert "Call-" not in page.answer.text


def test_error_pages_tell_an_id(provider, third):
    """X7: an opaque id that the log knows."""
    pages = every_page(provider, third)

    for name in ("error", "not found", "gone", "stale"):
        page = pages[name]
        assert text_of(page, "request-id") == page.answer.header("X-Request-Id"), name
        assert page.status in {400, 403, 404}


def test_every_answer_has_a_request_id(provider, third):
    """X7: pages, redirects, files and JSON; each its own; one sent along is not taken over."""
    seen = set()
    for path in (
        "/",
        "/authorize",
        "/nowhere",
        "/static/site.css",
        "/jwks",
        "/healthz",
        "/userinfo",
        "/logos/x",
    ):
        for headers in ([], [("X-Request-Id", "forged")]):
            answer = provider.http.get(path, headers=headers)
            seen.add(answer.header("X-Request-Id"))
    browser = provider.browser()
    ask(provider, third, browser)
    seen |= {answer.header("X-Request-Id") for answer in browser.trail}

    assert len(seen) == 16 + len(browser.trail)
    assert "forged" not in seen
    assert None not in seen


def test_no_banner(provider, third):
    """X14: neither header nor page names a product, a version or a path of the machine."""
    answers = [page.answer for page in every_page(provider, third).values()]
    answers += [provider.http.get(path) for path in ("/jwks", "/userinfo", "/token", "/static/x", "/console")]

    for answer in answers:
        everything = answer.text + repr(answer.headers)
        for banner in (
            "Werkzeug",
            "Flask",
            "Python/",
            "Traceback",
            "granian",
            "SQLite",
            "/site-packages/",
            "debugger",
        ):
            assert banner.lower() not in everything.lower(), banner
        assert answer.header("Server") == "idp"  # without it the HTTP server would write its own
        assert answer.header("X-Powered-By") is None


@pytest.mark.parametrize(
    "path", ["/console", "/admin", "/docs", "/metrics", "/debug", "/swagger.json", "/.git/config", "/.env"]
)
def test_nothing_else_is_served(provider, path):
    """X14: no docs, metrics or debugger on the public port."""
    assert provider.http.get(path).status == HTTPStatus.NOT_FOUND


def test_unknown_address(provider):
    """X7: a page of ours for people, JSON below protocol addresses."""
    page = provider.browser().get("/nowhere/%3Cscript%3E")

    assert page.status == HTTPStatus.NOT_FOUND
    assert "no page at this address" in page.text
    assert "<script>" not in page.answer.text


def test_typed_values_are_kept(provider, third):
    """The name stays in the field, as typed; the password never comes back."""
    page = ask(provider, third)
    for name in ("ada", 'a"><b id="evil">', "日本 語", "  spaced"):
        page = page.submit("login-submit", username=name, password="my secret word")

        assert page.form_with("login-submit").fields["username"] == name
        assert page.form_with("login-submit").fields["password"] == ""
        assert "my secret word" not in page.answer.text
        assert not page.has("evil")


@pytest.mark.parametrize(
    ("username", "password", "what"),
    [("", PASSWORD, "username"), ("  ", "x", "username"), ("ada", "", "password")],
)
def test_empty_fields_are_named(provider, ada, username, password, what):
    """WCAG 2.2 3.3.1: the page says which field is empty, and marks it; nothing is counted or hashed."""
    page = provider.browser().get("/login").submit("login-submit", username=username, password=password)

    assert page.status == HTTPStatus.BAD_REQUEST
    assert what in (text_of(page, "trouble") or "").lower()
    (marked,) = [field for field in page.elements("input") if field.get("aria-invalid") == "true"]
    assert marked["name"] == what


def test_too_long_password_is_refused_clearly(provider, ada):
    """P4: before hashing, with a clear text."""
    page = provider.browser().get("/login").submit("login-submit", username="ada", password="x" * 2000)

    assert page.status == HTTPStatus.BAD_REQUEST
    assert "long" in page.text


def test_brand_is_text(new_provider):
    """K2: also what the operator configured is escaped."""
    provider = new_provider(pages={"brand_name": "A & B <Bank>"})

    assert "A & B <Bank>" in provider.browser().get("/login").text
