"""What surrounds every page: CSRF, headers, hosts, errors."""

import sqlite3
from contextlib import closing

import pytest

from tests.provider import PASSWORD, make_provider, make_settings
from tests.serving import reach
from tests.transport import Http

FORM = ("Content-Type", "application/x-www-form-urlencoded")


def test_every_page_carries_the_headers(provider, shop):
    """S10, S11, S12, R13."""
    for path in ("/", "/login", "/logged-out", "/nothing-here", "/authorize"):
        answer = provider.browser().get(path).answer
        policy = answer.header("Content-Security-Policy")
        for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"):
            assert part in policy
        assert answer.header("X-Frame-Options") == "DENY"
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("Referrer-Policy") == "no-referrer"
        assert answer.header("Cross-Origin-Opener-Policy") == "same-origin"
        assert answer.header("Cache-Control") == "no-store"
        assert answer.header("Strict-Transport-Security").startswith("max-age=63072000")
        assert answer.header("Access-Control-Allow-Origin") is None
        assert len(answer.header("X-Request-Id")) == 24


def test_an_incoming_request_id_is_ignored(provider):
    answer = provider.http.get("/", headers=[("X-Request-Id", "forged")])

    assert answer.header("X-Request-Id") != "forged"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_from_elsewhere_is_refused(provider, site):
    """S8: also with a valid token."""
    browser = provider.browser()
    page = browser.get("/login")
    fields = [*page.form_with("login-submit").fields.items(), ("password", PASSWORD)]

    page = browser.open("POST", "/login", form=fields, site=site)

    assert page.status == 403
    assert "__Host-idp_session" not in browser.cookies


@pytest.mark.parametrize(
    "address", ["/login", "/login/x", "/consent/x", "/select-account/x", "/logout/confirm"]
)
def test_a_form_without_a_token_is_refused(provider, address):
    """S8: login, consent and logout included."""
    page = provider.browser().open("POST", address, form=[("username", "ada"), ("password", PASSWORD)])

    assert page.status == 403
    assert page.has("request-id")


def test_a_token_of_before_a_new_sign_in_is_out_of_date(provider):
    """S8: the token is bound to the session; only the sign-in form outlives a sign-in elsewhere."""
    browser = provider.browser()
    form = browser.get("/login")
    home = form.submit("login-submit", username="ada", password=PASSWORD)
    form.submit("login-submit", username="ada", password=PASSWORD)

    assert home.submit("home-logout").status == 403
    assert browser.get("/").submit("home-logout").status == 200


def test_a_posted_authorization_request_becomes_a_get(provider):
    """OpenID Connect Core §3.1.2.1: GET and POST; R8: no CORS."""
    page = provider.browser().open(
        "POST", "/authorize?a=1", form=[("state", "ä &="), ("a", "2")], site="cross-site", follow=False
    )

    assert page.status == 303
    assert page.answer.location == "/authorize?a=1&state=%C3%A4%20%26%3D&a=2"
    assert page.answer.header("Access-Control-Allow-Origin") is None


def test_an_untrusted_request_is_shown_not_redirected(provider, shop):
    """R2: an HTML page, 4xx, that names the code and the parameter."""
    page = provider.authorize(provider.browser(), shop, redirect_uri="https://evil.example/")

    assert page.status == 400
    assert page.answer.header("Content-Type") == "text/html; charset=utf-8"
    assert "invalid_request" in page.text
    assert "redirect_uri" in page.text


@pytest.mark.parametrize(
    "query", ["client_id=%zz", "client_id=%ff", "client_id=%00", "a&" * 200, "x" * 20000]
)
def test_junk_in_the_address_is_a_page_not_a_crash(provider, query):
    """X3, X5."""
    page = provider.browser().open("GET", f"/authorize?{query}")

    assert page.status in {400, 414}
    assert page.has("request-id")


@pytest.mark.parametrize("path", ["/login/a%00b", "/logos/%00", "/%00", "/token%00"])
def test_a_nul_in_the_address_is_refused(provider, path):
    """X5: PostgreSQL text cannot hold it."""
    assert provider.http.get(path).status == 400


@pytest.mark.parametrize("host", ["evil.example", "idp.example.evil.example", ""])
def test_other_hosts_are_refused(provider, host):
    """X2."""
    for path in ("/", "/token", "/.well-known/openid-configuration", "/static/site.css"):
        assert provider.http.get(path, headers=[("Host", host)]).status == 400


def test_methods_and_types_are_those_documented(provider):
    """X4: 405 with Allow; 415."""
    answer = provider.http.send("PUT", "/login")
    assert (answer.status, answer.header("Allow")) == (405, "GET, HEAD, POST")
    assert "text/html" in answer.header("Content-Type")

    answer = provider.http.send("POST", "/login", headers=[("Content-Type", "application/json")], body=b"{}")
    assert answer.status == 415


def test_a_large_form_is_refused(provider):
    """X3: 413."""
    assert provider.http.send("POST", "/login", headers=[FORM], body=b"a" * 70_000).status == 413


def test_an_unforeseen_error_shows_an_id_and_nothing_else(provider, tmp_path):
    """X7: a generic message with an opaque error id."""
    broken = make_provider(make_settings(tmp_path))

    def fail() -> str:
        raise RuntimeError("the secret detail")

    broken.app.add_url_rule("/fail", view_func=fail)
    answer = broken.http.get("/fail")
    broken.close()

    assert answer.status == 500
    assert "secret detail" not in answer.text
    assert answer.header("X-Request-Id") in answer.text


def test_a_worker_that_hears_of_no_changes_says_so(tmp_path):
    """X8: 503 with Retry-After for everything stateful; metadata and keys go on answering."""
    lost = make_provider(make_settings(tmp_path))
    lost.metadata()
    with closing(sqlite3.connect(tmp_path / "idp.sqlite3")) as connection:
        connection.execute("DROP TABLE change_counter")
    lost.settle()
    lost.settle()

    for path in ("/login", "/authorize?client_id=x", "/readyz"):
        answer = lost.http.get(path)
        assert answer.status == 503, (path, answer.text)
        assert int(answer.header("Retry-After")) > 0
    answer = lost.http.post("/token", {"grant_type": "client_credentials"})
    assert (answer.status, answer.json()["error"]) == (503, "temporarily_unavailable")
    for path in ("/.well-known/openid-configuration", "/jwks", "/healthz", "/static/site.css"):
        assert lost.http.get(path).status == 200
    lost.close()


def test_static_files_come_without_cookies(provider):
    page = provider.browser().get("/login")
    (sheet,) = [link["href"] for link in page.elements("link") if link["rel"] == "stylesheet"]

    answer = provider.http.get(sheet)

    assert answer.header("Set-Cookie") is None
    assert "immutable" in answer.header("Cache-Control")
    assert provider.http.get("/static/../app.py").status == 404
    assert len(answer.body) < 20_480


def test_an_issuer_with_a_path_keeps_everything_below_it(tmp_path):
    under = make_provider(make_settings(tmp_path, issuer="https://idp.example/auth"))
    http = Http(reach(under.app))

    assert http.get("/auth/.well-known/openid-configuration").json()["issuer"] == "https://idp.example/auth"
    assert http.get("/.well-known/oauth-authorization-server/auth").status == 200
    assert http.get("/auth/").status == http.get("/auth").status == 200
    assert http.get("/login").status == 404
    assert 'href="/auth/static/site.css' in http.get("/auth/login").text
    assert http.get("/healthz").status == http.get("/auth/healthz").status == 200
    under.close()
