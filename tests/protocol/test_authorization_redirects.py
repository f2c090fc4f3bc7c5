"""Where the authorization endpoint sends people, and where it never does.

| row        | MUST                                        | test                                            |
|------------|---------------------------------------------|-------------------------------------------------|
| R1         | redirect_uri is compared as an exact string | test_redirect_uri_is_compared_exactly           |
| R2         | unknown client or redirect URI: a page, no  | test_unknown_client_is_shown                    |
|            | redirect                                    | test_wrong_redirect_uri_hides_every_other_error |
| R4         | redirect_uri is required when several are   | test_redirect_uri_is_required_among_several     |
|            | registered                                  |                                                 |
| 6749 3.1.2 | a registered query is kept                  | test_registered_query_is_kept                   |
| 6749 4.1.2 | state comes back byte for byte              | test_state_comes_back_byte_for_byte             |
|            |                                             | test_no_state_no_state                          |
| R6, 9207   | iss in every answer, success and error, and | test_every_answer_names_the_issuer              |
|            | announced                                   | test_iss_is_announced                           |
| R7         | 303 after a form that carried credentials   | test_forms_answer_with_303                      |
| R8         | no CORS at the authorization endpoint       | test_no_cors                                    |
| R10        | no token, id_token or hybrid response types | test_other_response_types_are_refused           |
| OIDC 3.1.2 | response_type is required                   | test_response_type_is_required                  |
| R11        | only the grants and modes the client is     | test_unregistered_grant_is_refused              |
|            | registered for                              | test_unregistered_response_mode_is_refused      |
| R13        | nothing secret in an address but the code   | test_addresses_hold_nothing_secret_but_the_code |
| R15        | no open redirect by a parameter of our own  | test_no_parameter_leads_elsewhere               |
| C9         | codes are long and all different            | (test_token_code.py)                            |
"""

import pytest

from tests.frontchannel import (
    DEVICE,
    SESSION,
    SQLITE_ONLY,
    ask,
    location_parameters,
    refusal,
    request_pairs,
    shown_error,
    signed_in,
    success,
)
from tests.provider import CALLBACK, PASSWORD, Client, response_parameters

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)

OTHER_SPELLINGS = [
    "https://shop.example/callback/",
    "https://shop.example/Callback",
    "https://SHOP.example/callback",
    "HTTPS://shop.example/callback",
    "http://shop.example/callback",
    "https://shop.example:443/callback",
    "https://shop.example/callback?",
    "https://shop.example/callback?x=1",
    "https://shop.example/callback#",
    "https://shop.example/callback#f",
    "https://shop.example/callback%20",
    "https://shop.example/%63allback",
    "https://shop.example/x/../callback",
    "https://shop.example//callback",
    "https://shop.example/callback/../../evil",
    "https://shop.example.evil.example/callback",
    "https://evil.example/https://shop.example/callback",
    "https://shop.example@evil.example/callback",
    "https://evil.example#@shop.example/callback",
    "https://evil.example\\@shop.example/callback",
    "https://shop.example/callback ",
    " https://shop.example/callback",
    "https://shop.example/callbac",
    "https://*.example/callback",
    "//shop.example/callback",
    "/callback",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://shop.exаmple/callback",
]


def test_redirect_uri_is_compared_exactly(provider, shop):
    """R1: by exact string, as it is registered; R2: anything else is an error page."""
    for uri in OTHER_SPELLINGS:
        page = ask(provider, shop, redirect_uri=uri)

        assert shown_error(page) == (400, "invalid_request", "redirect_uri"), uri


def test_a_redirect_uri_that_was_another_clients_is_refused(provider, shop):
    """R1: registered, but for somebody else."""
    provider.client("other", redirect_uris=["https://other.example/cb"])

    page = ask(provider, shop, redirect_uri="https://other.example/cb")

    assert shown_error(page) == (400, "invalid_request", "redirect_uri")


@pytest.mark.parametrize("client_id", ["nobody", "SHOP", "shop ", "shöp", "' OR 1=1 --", "", None])
def test_unknown_client_is_shown(provider, shop, client_id):
    """R2: nothing may be redirected for a client nobody knows."""
    page = ask(provider, shop, client_id=client_id)

    assert shown_error(page) == (400, "invalid_request", "client_id")


def test_disabled_client_is_shown(provider, shop):
    """R2, T16: a disabled client is as good as none, at once."""
    provider.container.admin.clients.disable(shop.id)
    provider.settle()

    assert shown_error(ask(provider, shop))[:2] == (400, "invalid_request")


@pytest.mark.parametrize(
    "wrong",
    [
        {"response_type": "token"},
        {"response_type": None},
        {"scope": "openid 💥"},
        {"prompt": "none"},
        {"prompt": "none login"},
        {"code_challenge": None},
        {"response_mode": "fragment"},
        {"response_mode": "form_post"},
        {"request": "x.y.z"},
        {"max_age": "-1"},
    ],
)
def test_wrong_redirect_uri_hides_every_other_error(provider, shop, wrong):
    """R2: whatever else is wrong or asked for, an unregistered address gets nothing."""
    page = ask(provider, shop, redirect_uri="https://evil.example/cb", **wrong)

    assert shown_error(page) == (400, "invalid_request", "redirect_uri")


def test_signed_in_people_are_not_sent_to_a_wrong_address_either(provider, shop):
    """R2: with a session and consent, a code would be ready."""
    browser = signed_in(provider)

    page = ask(provider, shop, browser, redirect_uri="https://evil.example/cb", prompt="none")

    assert shown_error(page) == (400, "invalid_request", "redirect_uri")


def test_redirect_uri_is_required_among_several(provider, ada):
    """R4: with more than one registered, the request says which."""
    client = provider.client("many", redirect_uris=[CALLBACK, "https://shop.example/other"])

    page = ask(provider, client, redirect_uri=None)

    assert shown_error(page) == (400, "invalid_request", "redirect_uri")


def test_the_only_redirect_uri_may_be_left_out(provider, shop):
    """RFC 6749 §3.1.2.3."""
    page = provider.sign_in(ask(provider, shop, redirect_uri=None))

    assert page.url.startswith(f"{CALLBACK}?code=")


@pytest.mark.parametrize(
    "uri", ["https://shop.example/cb?a=1&b=%20c", "https://shop.example/cb?", "https://shop.example/cb?x"]
)
def test_registered_query_is_kept(provider, ada, uri):
    """RFC 6749 §3.1.2: the query of the redirect URI stays, beside code and state."""
    client = provider.client("query", redirect_uris=[uri])

    page = provider.sign_in(ask(provider, client))

    kept, _, added = page.url.partition("code=")
    assert kept.rstrip("&?") == uri.rstrip("?")
    assert "&state=s-123" in added


OTHER_RESPONSE_TYPES = (
    *(
        "token",
        "id_token",
        "id_token token",
        "code token",
        "code id_token",
        "none",
        "code code",
        "CODE",
        "code ",
    ),
)
STATES = [
    "plain",
    "a b+c%20d%2Bd&e=f#g?h/i:j@k",
    "ünïcödé-日本語-😀",
    "'\"<script>alert(1)</script>",
    "e\u0301 is not \u00e9",
    "trailing ",
    " leading",
    "100%",
    "x" * 2000,
]


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_state_comes_back_byte_for_byte(provider, shop, mode):
    """RFC 6749 §4.1.2: exactly the value received from the client, in every mode."""
    for state in STATES:
        page = ask(provider, shop, state=state, response_mode=mode, prompt="none")

        if mode == "form_post":
            assert page.form_with("form-post-submit").fields["state"] == state
        else:
            assert dict(location_parameters(page.url))["state"] == state


@pytest.mark.parametrize("state", [None, ""])
def test_no_state_no_state(provider, shop, state):
    """RFC 6749 §4.1.2: state only if the request had one; empty is absent (R9)."""
    assert "state" not in response_parameters(provider.sign_in(ask(provider, shop, state=state)))
    assert "state" not in response_parameters(ask(provider, shop, state=state, prompt="none"))


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
@pytest.mark.parametrize("succeeds", [True, False])
def test_every_answer_names_the_issuer(provider, shop, mode, succeeds):
    """R6, RFC 9207 §2: iss in success and error, equal to the metadata's issuer."""
    page = ask(provider, shop, response_mode=mode)
    page = provider.sign_in(page) if succeeds else page.submit("login-cancel")

    fields = (
        page.form_with("form-post-submit").fields
        if mode == "form_post"
        else dict(location_parameters(page.url))
    )

    assert fields["iss"] == provider.metadata()["issuer"] == provider.issuer
    assert ("code" in fields) is succeeds
    assert fields.get("error") == (None if succeeds else "access_denied")


def test_iss_is_announced(provider):
    """R6, RFC 9207 §3."""
    assert provider.metadata()["authorization_response_iss_parameter_supported"] is True


def test_forms_answer_with_303(provider, ada):
    """R7: 307 and 308 would send the password on to the client."""
    client = provider.client("asking", first_party=False)
    page = ask(provider, client)
    seen = []

    page = page.submit("login-submit", username="ada", password=PASSWORD)
    seen += page.browser.trail
    page = page.submit("consent-allow")
    seen += page.browser.trail

    assert page.left
    assert {answer.status for answer in seen if answer.header("Location")} == {303}


def test_redirects_from_the_endpoint_are_303(provider, shop):
    """R7: errors as well, and posted requests."""
    for method in ("GET", "POST"):
        browser = provider.browser()
        suffix = "" if method == "POST" else "?" + "&".join(f"{k}={v}" for k, v in request_pairs(shop))
        browser.open(method, "/authorize" + suffix, form=request_pairs(shop), site="cross-site")
        assert {answer.status for answer in browser.trail[:-1]} == {303}


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "HEAD"])
def test_no_cors(provider, shop, method):
    """R8: no other origin's script may read an answer of this endpoint."""
    headers = [
        ("Origin", "https://shop.example"),
        ("Access-Control-Request-Method", "GET"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ]
    for path in ("/authorize", "/login", "/logout", f"/authorize?client_id={shop.id}"):
        answer = provider.http.send(method, path, headers=headers)
        assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]
        assert answer.status != 204


@pytest.mark.parametrize("mode", ["query", "fragment"])
def test_other_response_types_are_refused(provider, shop, mode):
    """R10: no implicit, no hybrid; RFC 6749 §4.1.2.1: the client hears of it."""
    for response_type in OTHER_RESPONSE_TYPES:
        page = ask(provider, shop, response_type=response_type, response_mode=mode)

        assert refusal(page) == "unsupported_response_type", response_type
        assert response_parameters(page)["state"] == "s-123"


@pytest.mark.parametrize("response_type", [None, ""])
def test_response_type_is_required(provider, shop, response_type):
    """OIDC Core §3.1.2.1, RFC 6749 §3.1.1: redirect with invalid_request."""
    page = ask(provider, shop, response_type=response_type)

    assert refusal(page) == "invalid_request"
    assert "response_type" in response_parameters(page)["error_description"]


def test_unregistered_grant_is_refused(provider, ada):
    """R11: a machine has no redirect URI and gets no code."""
    robot = provider.machine("robot")

    assert shown_error(ask(provider, robot))[:2] == (400, "invalid_request")


@pytest.mark.parametrize("mode", ["fragment", "form_post", "jwt", "query.jwt", "web_message", "QUERY"])
def test_unregistered_response_mode_is_refused(provider, ada, mode):
    """R11: also modes that we speak with others; the error goes by query, with iss and state."""
    client = provider.client("plain", response_modes=["query"])

    page = ask(provider, client, response_mode=mode)

    assert page.url.startswith(CALLBACK + "?error=invalid_request&")
    assert response_parameters(page)["state"] == "s-123"
    assert response_parameters(page)["iss"] == provider.issuer


def test_addresses_hold_nothing_secret_but_the_code(provider, ada):
    """R13: no password, session or form token in any address on the way."""
    client = provider.client("asking", first_party=False)
    page = ask(provider, client)
    browser, addresses = page.browser, []
    fields = page.form_with("login-submit").fields

    page = page.submit("login-submit", username="ada", password=PASSWORD)
    addresses += [answer.header("Location") or "" for answer in browser.trail]
    page = page.submit("consent-allow")
    addresses += [answer.header("Location") or "" for answer in browser.trail]

    for secret in (PASSWORD, fields["csrf_token"], browser.cookies[SESSION], browser.cookies[DEVICE]):
        assert not any(secret in address for address in addresses)
    assert {name for name, _ in location_parameters(page.url)} == {"code", "state", "iss"}


@pytest.mark.parametrize("path", ["/", "/login", "/logout", "/logged-out"])
def test_no_parameter_leads_elsewhere(provider, ada, path):
    """R15: no address of ours sends a browser to a place named in its own query."""
    browser = provider.browser()
    names = ("next", "return_to", "continue", "redirect", "url", "target", "redirect_uri", "goto")
    page = browser.get(path, dict.fromkeys(names, "https://evil.example/"))
    if page.has("login-submit"):
        page = page.submit("login-submit", username="ada", password=PASSWORD)

    assert not page.left
    assert not any("evil.example" in (answer.header("Location") or "") for answer in browser.trail)
    assert "evil.example" not in page.answer.text


@pytest.mark.parametrize(
    "path", ["/%2F%2Fevil.example", "/\\evil.example", "///evil.example/login", "/.//evil.example"]
)
def test_no_path_leads_elsewhere(provider, path):
    """R15: a doubled slash is not tidied up by a redirect to another host."""
    answer = provider.http.get(path)

    assert answer.status in {400, 404}
    assert answer.header("Location") is None


def test_the_clients_page_is_answered_after_sign_in(provider, shop):
    """RFC 6749 §4.1.2: the whole way round ends at the registered address with a code."""
    page = provider.sign_in(ask(provider, shop))

    assert page.url.split("?")[0] == CALLBACK
    code = success(page)
    assert provider.exchange(Client(shop.id, shop.secret), code, verifier="v" * 43).status == 200
