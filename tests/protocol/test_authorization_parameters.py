"""How the authorization endpoint reads what it is sent.

| row          | MUST                                             | test                                     |
|--------------|--------------------------------------------------|------------------------------------------|
| OIDC 3.1.2.1 | GET and POST alike                               | test_get_and_post_give_the_same          |
| 6749 3.1     | any order                                        | test_order_does_not_matter               |
| R9           | repeated parameters are refused                  | test_repeated_parameter_is_refused       |
|              |                                                  | test_repeated_client_or_address_is_shown |
| R9           | unknown ones are ignored                         | test_unknown_parameters_are_ignored      |
| R9           | empty means absent                               | test_empty_means_absent                  |
| 8707 2       | resource may repeat                              | (test_authorization_resources.py)        |
| OIDC 3.1.2.1 | nonce is optional                                | test_nonce_is_optional                   |
| OIDC 3.1.2.1 | display, ui_locales, claims_locales, acr_values, | test_wishes_are_accepted                 |
|              | login_hint are accepted                          |                                          |
| OIDC 3.1.2.6 | request, request_uri, registration are refused   | test_request_objects_are_refused         |
|              | by name                                          |                                          |
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
    page = provider.browser().open(
        "POST", "/authorize?state=one", form=request_pairs(shop), site="cross-site"
    )

    assert refusal(page) == "invalid_request"


def test_unknown_parameters_are_ignored(provider, shop):
    """R9, RFC 6749 §3.1: also repeated, empty or strangely named ones."""
    more = [
        ("foo", "1"),
        ("foo", "2"),
        ("bar", ""),
        ("", "x"),
        ("client_id[]", "x"),
        ("ünï", "ö"),
        ("CLIENT_ID", "x"),
    ]

    page = provider.browser().get("/authorize", request_pairs(shop, *more))

    assert success(provider.sign_in(page))


@pytest.mark.parametrize(
    "name", sorted(set(VALUES) - {"response_type", "code_challenge", "code_challenge_method"})
)
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


def test_plus_is_a_space_and_percent_20_too(provider, shop):
    """RFC 6749 appendix B: application/x-www-form-urlencoded in the query."""
    given = request_parameters(shop, scope=None)
    query = "&".join(f"{name}={value}" for name, value in given.items())

    for scope in ("openid+email", "openid%20email", "openid%20+email"):
        pkce = Pkce()
        browser = provider.browser()
        page = browser.get(
            f"/authorize?{query}&scope={scope}".replace(given["code_challenge"], pkce.challenge)
        )
        answer = provider.exchange(shop, success(provider.sign_in(page)), verifier=pkce.verifier)
        assert answer.json()["scope"] == "openid email"
