"""How the authorization endpoint reads what it is sent.

| row         | MUST                                                     | test                                            |
|-------------|----------------------------------------------------------|-------------------------------------------------|
| OIDC 3.1.2.1| GET and POST alike                                       | test_get_and_post_give_the_same                 |
| 6749 3.1    | any order                                                | test_order_does_not_matter                      |
| R9          | repeated parameters are refused                          | test_repeated_parameter_is_refused, test_repeated_client_or_address_is_shown |
| R9          | unknown ones are ignored                                 | test_unknown_parameters_are_ignored             |
| R9          | empty means absent                                       | test_empty_means_absent                         |
| 8707 2      | resource may repeat                                      | (test_authorization_resources.py)               |
| OIDC 3.1.2.1| nonce is optional                                        | test_nonce_is_optional                          |
| OIDC 3.1.2.1| display, ui_locales, claims_locales, acr_values, login_hint are accepted | test_wishes_are_accepted        |
| OIDC 3.1.2.6| request, request_uri, registration are refused by name   | test_request_objects_are_refused                |
| X3          | sizes are limited: 4xx, not 500                          | test_oversized_*, test_too_many_parameters      |
| X4          | only the documented methods and types                    | test_other_methods_are_refused, test_other_content_types_are_refused |
| X5          | NUL, control characters, broken UTF-8 stop at the edge   | test_broken_text_is_refused, test_broken_text_in_a_form_is_refused |
"""

import random
from http import HTTPStatus

import pytest

from tests.frontchannel import (
    SQLITE_ONLY,
    ask,
    refusal,
    request_pairs,
    request_parameters,
    shown_error,
    success,
)
from tests.protocol import jose
from tests.provider import PASSWORD, Pkce, response_parameters

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)

FORM = ("Content-Type", "application/x-www-form-urlencoded")

VALUES = {
    "response_type": "code",
    "response_mode": "query",
    "scope": "openid",
    "state": "s-123",
    "nonce": "n",
    "code_challenge": "c" * 43,
    "code_challenge_method": "S256",
    "prompt": "login",
    "max_age": "100",
    "display": "page",
    "ui_locales": "en",
    "claims_locales": "en",
    "login_hint": "ada",
    "id_token_hint": "x.y.z",
    "acr_values": "1",
    "claims": "{}",
    "request": "x.y.z",
    "request_uri": "https://shop.example/request",
    "registration": "{}",
}


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_get_and_post_give_the_same(provider, shop, site):
    """OIDC Core §3.1.2.1: both methods; a POST comes from the client's site, with its origin."""
    browser = provider.browser()

    page = browser.open("POST", "/authorize", form=request_pairs(shop), site=site)

    assert page.has("login-submit")
    assert success(page.submit("login-submit", username="ada", password=PASSWORD))


def test_a_posted_request_finds_the_session(provider, shop):
    """OIDC Core §3.1.2.1: SameSite=Lax cookies stay behind on a cross-site POST, the sign-in does not."""
    browser = provider.browser()
    provider.sign_in(ask(provider, shop, browser))

    page = browser.open("POST", "/authorize", form=request_pairs(shop, prompt="none"), site="cross-site")

    assert success(page)


def test_errors_of_posted_requests_are_the_same(provider, shop):
    """OIDC Core §3.1.2.1: no other rules for POST."""
    browser = provider.browser()

    page = browser.open("POST", "/authorize", form=request_pairs(shop, prompt="none"), site="cross-site")
    assert refusal(page) == "login_required"

    page = browser.open("POST", "/authorize", form=request_pairs(shop, redirect_uri="https://evil.example/"))
    assert page.status == HTTPStatus.BAD_REQUEST
    assert not page.left


def test_order_does_not_matter(provider, shop):
    """RFC 6749 §3.1: parameters and scopes in any order."""
    pairs = request_pairs(shop, scope="email profile openid", nonce="n", display="page")

    for seed in range(5):
        random.Random(seed).shuffle(pairs)
        assert provider.browser().get("/authorize", pairs).has("login-submit")


@pytest.mark.parametrize("second", ["same", "other", ""])
def test_repeated_parameter_is_refused(provider, shop, second):
    """R9, RFC 6749 §3.1: at most once, also with the same value twice."""
    for name, value in VALUES.items():
        pairs = [pair for pair in request_pairs(shop) if pair[0] != name]
        twice = [(name, value), (name, value if second == "same" else second)]

        answer = response_parameters(provider.browser().get("/authorize", [*pairs, *twice]))

        assert answer["error"] == "invalid_request", name
        assert name in answer["error_description"]
        assert answer.get("state") == (None if name == "state" else "s-123")


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
@pytest.mark.parametrize("second", ["same", "evil", ""])
def test_repeated_client_or_address_is_shown(provider, shop, name, second):
    """R9, R2: which of two clients or addresses is meant nobody knows, so nothing is redirected."""
    value = {"same": request_parameters(shop)[name], "evil": "https://evil.example/", "": ""}[second]

    page = provider.browser().get("/authorize", request_pairs(shop, (name, value)))

    assert shown_error(page) == (400, "invalid_request", name)


def test_repeated_between_form_and_address(provider, shop):
    """R9: once in the query and once in the body is twice."""
    page = provider.browser().open("POST", "/authorize?state=one", form=request_pairs(shop), site="cross-site")

    assert refusal(page) == "invalid_request"


def test_unknown_parameters_are_ignored(provider, shop):
    """R9, RFC 6749 §3.1: also repeated, empty or strangely named ones."""
    more = [("foo", "1"), ("foo", "2"), ("bar", ""), ("", "x"), ("client_id[]", "x"), ("ünï", "ö"), ("CLIENT_ID", "x")]

    page = provider.browser().get("/authorize", request_pairs(shop, *more))

    assert success(provider.sign_in(page))


@pytest.mark.parametrize("name", sorted(set(VALUES) - {"response_type", "code_challenge", "code_challenge_method"}))
def test_empty_means_absent(provider, shop, name):
    """R9, RFC 6749 §3.1: a parameter sent without a value is treated as left out."""
    page = ask(provider, shop, **{name: ""})

    assert success(provider.sign_in(page))


def test_nonce_is_optional(provider, shop):
    """OIDC Core §3.1.2.1: optional for the code flow, and then absent from the ID token."""
    without = provider.tokens(shop)
    with_nonce = provider.tokens(shop, nonce="n-0S6_WzA2Mj")

    assert "nonce" not in jose.claims(without["id_token"])
    assert jose.claims(with_nonce["id_token"])["nonce"] == "n-0S6_WzA2Mj"


@pytest.mark.parametrize(
    "wish",
    [
        {"display": "page"},
        {"display": "popup"},
        {"display": "touch"},
        {"display": "hologram"},
        {"ui_locales": "en"},
        {"ui_locales": "se tlh xx-YY"},
        {"ui_locales": "../../etc/passwd"},
        {"ui_locales": "ünï * , ;"},
        {"claims_locales": "se"},
        {"claims_locales": "not a language"},
        {"acr_values": "1 2 urn:unheard:of"},
        {"acr_values": "urn:idp:loa:3"},
        {"login_hint": "ada"},
        {"login_hint": "nobody@nowhere.example"},
        {"login_hint": '"><script>alert(1)</script>'},
        {"prompt": "create"},
        {"prompt": "unheard_of"},
    ],
)
def test_wishes_are_accepted(provider, shop, wish):
    """OIDC Core §3.1.2.1, §15.1: what cannot be met is no error."""
    page = ask(provider, shop, **wish)

    assert page.status == HTTPStatus.OK
    assert success(provider.sign_in(page))


def test_acr_tells_the_truth(provider, shop):
    """OIDC Core §2, §5.5.1.1: acr says what was reached, not what was wished for."""
    tokens = provider.tokens(shop, acr_values="urn:idp:loa:3 urn:idp:loa:2")

    claims = jose.claims(tokens["id_token"])
    assert claims["acr"] == "urn:idp:loa:1"
    assert claims["amr"] == ["pwd"]


def test_login_hint_fills_the_field(provider, shop):
    """OIDC Core §3.1.2.1: pre-filled, as text."""
    for hint in ("ada@example.org", '"><b id="evil">'):
        page = ask(provider, shop, login_hint=hint)

        assert page.form_with("login-submit").fields["username"] == hint
        assert not page.has("evil")


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request", "junk", "request_not_supported"),
        ("request_uri", "https://shop.example/r", "request_uri_not_supported"),
        ("request_uri", "urn:ietf:params:oauth:request_uri:x", "request_uri_not_supported"),
        ("registration", '{"client_name": "x"}', "registration_not_supported"),
    ],
)
def test_request_objects_are_refused(provider, shop, name, value, error):
    """OIDC Core §3.1.2.6: silently ignoring them would drop what they protect."""
    page = ask(provider, shop, **{name: value})

    assert refusal(page) == error
    assert provider.metadata().get(f"{name}_parameter_supported") in {False, None}


LONG = {
    "client_id": 300,
    "redirect_uri": 2100,
    "response_type": 100,
    "scope": 5000,
    "state": 5000,
    "nonce": 1100,
    "code_challenge": 200,
    "login_hint": 1100,
    "prompt": 200,
    "max_age": 20,
    "claims": 9000,
    "id_token_hint": 9000,
}


@pytest.mark.parametrize("name", sorted(LONG))
def test_oversized_parameter_is_refused(provider, shop, name):
    """X3: a page that names the parameter; nobody has to carry it back to the client."""
    page = ask(provider, shop, **{name: "1" * LONG[name]})

    assert shown_error(page)[:2] == (400, "invalid_request")
    assert name in page.text


def test_largest_allowed_values_pass(provider, shop):
    """X3: limits leave room for real requests."""
    page = ask(provider, shop, state="s" * 4096, nonce="n" * 1024, login_hint="a" * 1024)

    answer = response_parameters(provider.sign_in(page))
    assert answer["state"] == "s" * 4096


def test_oversized_address_and_form(provider, shop):
    """X3: 414 for the address, 413 for the form, 431 for headers."""
    get, send = provider.http.get, provider.http.send

    assert get("/authorize?x=" + "a" * 20_000).status == HTTPStatus.REQUEST_URI_TOO_LONG
    assert get("/authorize/" + "a" * 5_000).status == HTTPStatus.REQUEST_URI_TOO_LONG
    assert get("/authorize", headers=[("Cookie", "a=" + "b" * 10_000)]).status == 431
    large = send("POST", "/authorize", headers=[FORM], body=b"x=" + b"a" * 70_000)
    assert large.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    medium = send("POST", "/authorize", headers=[FORM], body=b"x=" + b"a" * 20_000)
    assert 400 <= medium.status < 500


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_too_many_parameters(provider, shop, method):
    """X3: at most a hundred."""
    many = [(f"p{number}", "x") for number in range(150)]
    browser = provider.browser()

    page = (
        browser.get("/authorize", request_pairs(shop, *many))
        if method == "GET"
        else browser.open("POST", "/authorize", form=request_pairs(shop, *many))
    )

    assert page.status == HTTPStatus.BAD_REQUEST
    assert not page.left


BROKEN = [
    "%00",
    "a%00b",
    "%ff",
    "%c3%28",
    "%ed%a0%80",
    "%f4%90%80%80",
    "%c0%80",
    "%zz",
    "%",
    "%u0041",
    "%0a",
    "%0d%0aSet-Cookie:x=1",
    "%1b%5b31m",
    "%7f",
    "%c2%85",
]


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "login_hint", "nonce"])
def test_broken_text_is_refused(provider, shop, name):
    """X5, X11: 4xx with a page and a request id; nothing goes to the client, no header is injected."""
    others = [f"{key}={value}" for key, value in request_parameters(shop).items() if key != name]

    for text in BROKEN:
        answer = provider.http.get("/authorize?" + "&".join([*others, f"{name}={text}"]))

        assert answer.status == HTTPStatus.BAD_REQUEST, text
        assert answer.header("Location") is None
        assert answer.header("Content-Type") == "text/html; charset=utf-8"
        assert answer.header("X-Request-Id") in answer.text


@pytest.mark.parametrize("path", ["/authorize", "/logout", "/login"])
def test_broken_text_in_a_form_is_refused(provider, path):
    """X5: raw bytes as well as escapes."""
    for body in (b"state=%00", b"state=%ff", b"state=\xff", b"state=\x00", b"\xff=1", b"state=%"):
        answer = provider.http.send("POST", path, headers=[FORM], body=body)

        assert answer.status == HTTPStatus.BAD_REQUEST, body
        assert answer.header("X-Request-Id") in answer.text


def test_unknown_parameters_may_hold_anything_printable_or_not(provider, shop):
    """R9: ignored means that their content does not matter, as long as it is UTF-8."""
    page = provider.browser().get("/authorize", request_pairs(shop, ("tracking", "a\tb\x07")))

    assert page.has("login-submit")


@pytest.mark.parametrize("path", ["/authorize", "/login", "/logout", "/logout/confirm", "/logged-out", "/"])
def test_other_methods_are_refused(provider, path):
    """X4: 405 with the methods that work."""
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"):
        answer = provider.http.send(method, path)

        assert answer.status == HTTPStatus.METHOD_NOT_ALLOWED, method
        assert set((answer.header("Allow") or "").split(", ")) <= {"GET", "HEAD", "POST"}
        assert answer.header("X-Request-Id") in answer.text


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded; charset=iso-8859-1",
    ],
)
def test_other_content_types_are_refused(provider, content_type):
    """X4: 415."""
    for path in ("/authorize", "/login", "/logout", "/logout/confirm"):
        answer = provider.http.send("POST", path, headers=[("Content-Type", content_type)], body=b"a=b")

        assert answer.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize("content_type", [FORM[1], FORM[1] + "; charset=UTF-8", FORM[1].upper()])
def test_the_form_type_in_its_spellings(provider, shop, content_type):
    """X4, RFC 9110 §8.3.1: media types are compared without case."""
    answer = provider.http.send("POST", "/authorize", headers=[("Content-Type", content_type)], body=b"a=b")

    assert answer.status == HTTPStatus.SEE_OTHER


def test_plus_is_a_space_and_percent_20_too(provider, shop):
    """RFC 6749 appendix B: application/x-www-form-urlencoded in the query."""
    given = request_parameters(shop, scope=None)
    query = "&".join(f"{name}={value}" for name, value in given.items())

    for scope in ("openid+email", "openid%20email", "openid%20+email"):
        pkce = Pkce()
        browser = provider.browser()
        page = browser.get(f"/authorize?{query}&scope={scope}".replace(given["code_challenge"], pkce.challenge))
        answer = provider.exchange(shop, success(provider.sign_in(page)), verifier=pkce.verifier)
        assert answer.json()["scope"] == "openid email"
