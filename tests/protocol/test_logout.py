"""RP-initiated logout, and signing out at the home page.

| row        | MUST                                               | test                                     |
|------------|----------------------------------------------------|------------------------------------------|
| RPIL 2, 3  | hint + registered URI + state: there, with exactly | test_hint_and_registered_address         |
|            | that state                                         |                                          |
| RPIL 3     | no state when none was sent                        | test_no_state                            |
| RPIL 2     | GET and POST                                       | test_posted_request                      |
| RPIL 2     | an expired hint is good                            | test_expired_hint_is_good                |
| S5         | afterwards prompt=none is login_required, the      | test_session_is_over                     |
|            | cookie dead                                        | test_cookie_is_dead_everywhere           |
| S14        | unregistered address, something added: no redirect | test_unregistered_address_is_shown       |
| S14        | forged or unsigned hint: no redirect               | test_forged_hint_is_shown                |
| S14        | no hint: a confirmation                            | test_without_a_hint_the_person_is_asked  |
| RPIL 2     | client_id must fit the hint                        | test_contradicting_client_is_shown       |
| RPIL 3     | no parameters, or only state: confirmation, then a | test_no_parameters                       |
|            | page                                               |                                          |
| S8, S9     | a link alone, a form from elsewhere: nobody is     | test_logout_cannot_be_forged             |
|            | signed out                                         |                                          |
| S12        | Clear-Site-Data, no-store                          | test_browser_is_told_to_forget           |
| 6749, D12  | refresh tokens end with the session, except        | test_refresh_tokens_end_with_the_session |
|            | offline ones                                       |                                          |
| R9, X3, X5 | strict parameters                                  | test_junk_is_refused                     |
"""

from http import HTTPStatus
from urllib.parse import urlencode

import pytest

from tests.bench import NewProvider
from tests.frontchannel import SESSION, SQLITE_ONLY, ask, refusal, shown_error, signed_in, success
from tests.protocol import jose
from tests.provider import Client

BYE = "https://shop.example/bye"

sqlite_only = pytest.mark.parametrize(*SQLITE_ONLY)


@pytest.fixture
def shop(provider, ada) -> Client:
    return provider.client("shop", post_logout_redirect_uris=[BYE, "https://shop.example/bye?from=idp"])


@pytest.fixture
def visit(provider, shop):
    """A browser in which somebody used the shop, and the tokens the shop got."""
    browser = provider.browser()
    return browser, provider.tokens(shop, browser=browser)


def is_signed_in(provider, shop, browser) -> bool:
    page = ask(provider, shop, browser, prompt="none")
    return bool(success(page)) if "code=" in page.url else refusal(page) != "login_required"


def test_hint_and_registered_address(provider, shop, visit):
    """RP-Initiated Logout §2, §3: no question, straight to the client, with exactly that state."""
    browser, tokens = visit
    for_state = "a b+c%20&=ü😀'\"<>"

    page = browser.get(
        "/logout",
        {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BYE, "state": for_state},
    )

    assert page.url == BYE + "?" + urlencode({"state": for_state}).replace("+", "%20")
    assert not is_signed_in(provider, shop, browser)


@sqlite_only
@pytest.mark.parametrize("uri", [BYE, "https://shop.example/bye?from=idp"])
def test_no_state(provider, shop, visit, uri):
    """RP-Initiated Logout §3: state only if one was sent; a registered query stays."""
    browser, tokens = visit

    page = browser.get("/logout", {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": uri})

    assert page.url == uri


@sqlite_only
def test_posted_request(provider, shop, visit):
    """RP-Initiated Logout §2: POST from the client's site finds the session all the same."""
    browser, tokens = visit
    form = [("id_token_hint", tokens["id_token"]), ("post_logout_redirect_uri", BYE), ("state", "x")]

    page = browser.open("POST", "/logout", form=form, site="cross-site")

    assert page.url == BYE + "?state=x"
    assert not is_signed_in(provider, shop, browser)


def test_expired_hint_is_good(provider, shop, visit):
    """RP-Initiated Logout §2: the ID token says who is meant; it may have expired."""
    browser, tokens = visit
    provider.advance(hours=3)

    page = browser.get("/logout", {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BYE})

    assert page.url == BYE


@sqlite_only
def test_hint_alone_ends_on_the_signed_out_page(provider, shop, visit):
    """RP-Initiated Logout §2: post_logout_redirect_uri is optional; state without it goes nowhere."""
    browser, tokens = visit

    page = browser.get("/logout", {"id_token_hint": tokens["id_token"], "state": "x"})

    assert page.path == "/logged-out"
    assert "signed out" in page.text
    assert not is_signed_in(provider, shop, browser)


@pytest.mark.parametrize("way", ["hint", "confirm", "home"])
def test_session_is_over(provider, shop, visit, way):
    """S5: on the server; the old cookie opens nothing, whoever kept a copy."""
    browser, tokens = visit
    thief = provider.browser()
    thief.cookies = dict(browser.cookies)

    if way == "hint":
        browser.get("/logout", {"id_token_hint": tokens["id_token"]})
    elif way == "confirm":
        browser.get("/logout").submit("logout-yes")
    else:
        browser.get("/").submit("home-logout")

    assert SESSION not in browser.cookies
    for one in (browser, thief):
        assert refusal(ask(provider, shop, one, prompt="none")) == "login_required"
        assert one.get("/").has("home-login")


def test_cookie_is_dead_everywhere(new_provider: NewProvider):
    """S5: on every worker, without a word between them."""
    here, there = new_provider(), new_provider()
    here.account("ada")
    shop = here.client("shop")
    there.settle()
    browser = signed_in(here)
    elsewhere = there.browser()
    elsewhere.cookies = dict(browser.cookies)
    assert success(ask(there, shop, elsewhere, prompt="none"))

    browser.get("/").submit("home-logout")

    assert refusal(ask(there, shop, elsewhere, prompt="none")) == "login_required"


UNREGISTERED = [
    BYE + "/",
    BYE + "?x=1",
    BYE + "#f",
    "https://shop.example/bye2",
    "https://SHOP.example/bye",
    "http://shop.example/bye",
    "https://shop.example/callback",
    "https://evil.example/",
    "https://shop.example@evil.example/bye",
    "//evil.example/",
    "javascript:alert(1)",
    "/logged-out",
]


@sqlite_only
def test_unregistered_address_is_shown(provider, shop, visit):
    """S14, RP-Initiated Logout §3.1: exact comparison; an error page, no redirect; nobody is signed out."""
    browser, tokens = visit

    for uri in UNREGISTERED:
        for hint in ({"id_token_hint": tokens["id_token"]}, {"client_id": shop.id}):
            page = browser.get("/logout", {**hint, "post_logout_redirect_uri": uri})
            assert shown_error(page) == (400, "invalid_request", "post_logout_redirect_uri"), uri
    assert is_signed_in(provider, shop, browser)


@sqlite_only
@pytest.mark.parametrize(
    "kind", ["junk", "unsigned", "foreign key", "other issuer", "access token", "changed"]
)
def test_forged_hint_is_shown(provider, shop, visit, kind):
    """S14, T1, T4: an error page, no redirect, and the session stays."""
    browser, tokens = visit
    good = tokens["id_token"]
    claims = jose.claims(good)
    hint = {
        "junk": "x.y.z",
        "unsigned": jose.assemble({"alg": "none"}, claims),
        "foreign key": jose.hs256({"typ": "JWT"}, claims, b"x" * 32),
        "other issuer": jose.signed_by_us(provider, {**claims, "iss": "https://evil.example"}, typ="JWT"),
        "access token": tokens["access_token"],
        "changed": ".".join([good.split(".")[0], jose.encode({**claims, "aud": "x"}), good.split(".")[2]]),
    }[kind]

    page = browser.get("/logout", {"id_token_hint": hint, "post_logout_redirect_uri": BYE})

    assert shown_error(page) == (400, "invalid_request", "id_token_hint")
    assert is_signed_in(provider, shop, browser)


def test_without_a_hint_the_person_is_asked(provider, shop, visit):
    """S14: any page of the web can send a browser here; only a yes signs out."""
    browser, _ = visit

    page = browser.get("/logout", {"client_id": shop.id, "post_logout_redirect_uri": BYE, "state": "x y"})
    assert page.has("logout-yes")
    assert "The Shop" in page.text
    assert is_signed_in(provider, shop, browser)

    page = page.submit("logout-yes")
    assert page.url == BYE + "?state=x%20y"
    assert not is_signed_in(provider, shop, browser)


@sqlite_only
def test_address_without_anybody_who_vouches_for_it(provider, shop, visit):
    """S14: no hint and no client_id: confirmation, then our own page; the address is not used."""
    browser, _ = visit

    page = browser.get("/logout", {"post_logout_redirect_uri": BYE, "state": "x"})
    assert page.has("logout-yes")

    assert page.submit("logout-yes").path == "/logged-out"


@sqlite_only
def test_tampered_confirmation(provider, shop, visit):
    """S14, R14: what comes back with the confirmation is checked once more."""
    browser, _ = visit
    page = browser.get("/logout", {"client_id": shop.id, "post_logout_redirect_uri": BYE})

    page = page.submit("logout-yes", post_logout_redirect_uri="https://evil.example/")

    assert not page.left
    assert page.status == HTTPStatus.BAD_REQUEST


@sqlite_only
def test_contradicting_client_is_shown(provider, shop, visit):
    """RP-Initiated Logout §2: client_id must be the one the hint was issued to."""
    browser, tokens = visit
    provider.client("other", post_logout_redirect_uris=[BYE])

    page = browser.get("/logout", {"id_token_hint": tokens["id_token"], "client_id": "other"})

    assert shown_error(page) == (400, "invalid_request", "client_id")
    assert is_signed_in(provider, shop, browser)


@sqlite_only
@pytest.mark.parametrize(
    "parameters", [{}, {"state": "x"}, {"state": ""}, {"unknown": "y"}, {"ui_locales": "tlh en"}]
)
def test_no_parameters(provider, shop, visit, parameters):
    """RP-Initiated Logout §3: a confirmation, then a page that says it is done."""
    browser, _ = visit

    page = browser.get("/logout", parameters)
    assert (page.path, page.has("logout-yes")) == ("/logout", True)
    page = page.submit("logout-yes")

    assert page.path == "/logged-out"
    assert page.url.endswith("/logged-out")


@sqlite_only
def test_staying_signed_in(provider, shop, visit):
    """S14: not confirming changes nothing."""
    browser, _ = visit
    page = browser.get("/logout")

    (stay,) = [link["href"] for link in page.elements("a") if link.get("id") == "logout-no"]

    assert browser.get(stay).has("home-logout")
    assert is_signed_in(provider, shop, browser)


def test_somebody_elses_hint_asks(provider, shop, visit):
    """S14: a hint for another person signs nobody out without a yes."""
    provider.account("grace")
    browser = signed_in(provider, "grace")
    _, tokens = visit

    page = browser.get("/logout", {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BYE})

    assert page.has("logout-yes")
    assert is_signed_in(provider, shop, browser)


@sqlite_only
def test_nobody_signed_in(provider, shop, visit):
    """RP-Initiated Logout §3: the end is the same when there is nothing to end; twice is no error."""
    _, tokens = visit
    for browser in (provider.browser(), provider.browser()):
        page = browser.get("/logout", {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": BYE})
        assert page.url == BYE
    assert provider.browser().get("/logout").path == "/logged-out"
    page = provider.browser().get("/logout", {"client_id": shop.id, "post_logout_redirect_uri": BYE})
    assert not page.left


@pytest.mark.parametrize(
    "how", ["link", "image", "form without token", "form from elsewhere", "foreign token"]
)
def test_logout_cannot_be_forged(provider, shop, visit, how):
    """S8, S9, S14: signing somebody out is a state change like any other."""
    browser, _ = visit
    token = browser.get("/logout").form_with("logout-yes").fields["csrf_token"]
    foreign = signed_in(provider).get("/logout").form_with("logout-yes").fields["csrf_token"]

    if how == "link":
        browser.get("/logout", site="cross-site")
        browser.get("/logout/confirm", {"csrf_token": token}, site="cross-site")
    elif how == "image":
        browser.get("/logout", site="cross-site", headers=[("Sec-Fetch-Dest", "image")])
    else:
        sent = {"form without token": "", "form from elsewhere": token, "foreign token": foreign}[how]
        site = "cross-site" if how == "form from elsewhere" else None
        page = browser.open("POST", "/logout/confirm", form=[("csrf_token", sent)], site=site)
        assert page.status == HTTPStatus.FORBIDDEN

    assert is_signed_in(provider, shop, browser)


@sqlite_only
def test_browser_is_told_to_forget(provider, visit):
    """S12: caches and storage are cleared, the session cookie is taken back, nothing is stored."""
    browser, _ = visit
    browser.get("/logout").submit("logout-yes")

    done = browser.trail[0]
    assert '"cache"' in (done.header("Clear-Site-Data") or "")
    assert done.header("Cache-Control") == "no-store"
    (cleared,) = [header for header in done.all_headers("Set-Cookie") if header.startswith(SESSION)]
    assert "Max-Age=0" in cleared
    assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in cleared.split(";")}


def test_refresh_tokens_end_with_the_session(provider, shop, visit):
    """S5, OIDC Core §11: what was not granted for offline use ends; offline access goes on; others' stay."""
    browser, tokens = visit
    offline = provider.tokens(shop, browser=browser, scope="openid offline_access")
    elsewhere = provider.tokens(shop)

    browser.get("/logout").submit("logout-yes")

    assert provider.refresh(shop, tokens["refresh_token"]).status == HTTPStatus.BAD_REQUEST
    assert provider.userinfo(tokens["access_token"]).status == HTTPStatus.UNAUTHORIZED
    assert provider.refresh(shop, offline["refresh_token"]).status == HTTPStatus.OK
    assert provider.refresh(shop, elsewhere["refresh_token"]).status == HTTPStatus.OK


def test_a_code_on_its_way_dies_with_the_session(provider, shop):
    """S5: signed out before the client came to exchange it."""
    browser = signed_in(provider)
    code = success(ask(provider, shop, browser))

    browser.get("/").submit("home-logout")

    assert provider.exchange(shop, code, verifier="v" * 43).json()["error"] == "invalid_grant"


@sqlite_only
@pytest.mark.parametrize(
    "query",
    [
        "state=%00",
        "state=%ff",
        "state=a&state=b",
        "client_id=x&client_id=y",
        "post_logout_redirect_uri=%0d%0aSet-Cookie:x=1",
        "id_token_hint=" + "a" * 9000,
        "state=" + "a" * 5000,
        "client_id=nobody",
        "client_id=%zz",
    ],
)
def test_junk_is_refused(provider, shop, visit, query):
    """R9, X3, X5: a page with 4xx and a request id; the session stays."""
    browser, _ = visit

    page = browser.get("/logout?" + query)

    assert page.status == HTTPStatus.BAD_REQUEST
    assert page.has("request-id")
    assert is_signed_in(provider, shop, browser)


@sqlite_only
def test_end_session_endpoint_is_announced(provider):
    """RP-Initiated Logout §2.1."""
    assert provider.metadata()["end_session_endpoint"] == provider.issuer + "/logout"
