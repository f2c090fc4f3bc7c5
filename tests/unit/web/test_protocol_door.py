"""The protocol endpoints' door: strict bodies, JSON errors, CORS, no cookies."""

import pytest

from tests.provider import PASSWORD

FORM = ("Content-Type", "application/x-www-form-urlencoded")
ENDPOINTS = ("/token", "/introspect", "/revoke", "/userinfo")


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ([("Content-Type", "application/json")], b"{}", 415),
        ([("Content-Type", "multipart/form-data; boundary=x")], b"--x--", 415),
        ([FORM], b"a=%zz", 400),
        ([FORM], b"a=%ff", 400),
        ([FORM], b"a=%00", 400),
        ([FORM], b"&a=1" * 200, 400),
        ([FORM], b"a" * 70_000, 413),
        ([FORM, ("Authorization", "Basic " + "a" * 9000)], b"a=1", 431),
    ],
)
def test_malformed_requests_get_a_json_error(provider, path, headers, body, status):
    """X3, X4, X5, T12: 4xx as JSON with a request id and no-store, never a 500."""
    answer = provider.http.send("POST", path, headers=headers, body=body)

    assert answer.status == status
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Cache-Control") == "no-store"
    assert answer.json()["error"] == "invalid_request"
    assert answer.json()["request_id"] == answer.header("X-Request-Id")


@pytest.mark.parametrize("path", ENDPOINTS)
def test_parameters_in_the_address_are_refused(provider, path):
    """T13: tokens and codes never travel in a query string."""
    answer = provider.http.post(f"{path}?access_token=x", {})

    assert (answer.status, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/token", "OPTIONS, POST"),
        ("/introspect", "POST"),
        ("/userinfo", "GET, HEAD, OPTIONS, POST"),
        ("/jwks", "GET, HEAD, OPTIONS"),
    ],
)
def test_other_methods_are_refused(provider, path, allow):
    """X4: 405 with Allow."""
    answer = provider.http.send("DELETE", path)

    assert (answer.status, answer.header("Allow")) == (405, allow)
    assert answer.header("Content-Type") == "application/json"


@pytest.mark.parametrize(
    "path", ["/token", "/revoke", "/userinfo", "/jwks", "/.well-known/openid-configuration"]
)
def test_scripts_of_any_origin_may_call_without_credentials(provider, path):
    answer = provider.http.send("OPTIONS", path, headers=[("Origin", "https://spa.example")])

    assert (answer.status, answer.header("Access-Control-Allow-Origin")) == (204, "*")
    assert answer.header("Access-Control-Allow-Credentials") is None
    assert "Authorization" in answer.header("Access-Control-Allow-Headers")


def test_scripts_can_read_errors(provider):
    answer = provider.http.post("/token", {})

    assert answer.status >= 400
    assert answer.header("Access-Control-Allow-Origin") == "*"


@pytest.mark.parametrize("path", ["/authorize", "/introspect", "/login", "/logout", "/"])
def test_no_cors_elsewhere(provider, path):
    """R8: none at the authorization endpoint."""
    for method in ("GET", "OPTIONS", "POST"):
        answer = provider.http.send(method, path, headers=[("Origin", "https://spa.example")])
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    "path", ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"]
)
def test_documents_are_cached_by_their_etag(provider, path):
    """X18: a short, explicit max-age."""
    answer = provider.http.get(path)
    again = provider.http.get(path, headers=[("If-None-Match", answer.header("ETag"))])

    assert (answer.status, again.status, again.body) == (200, 304, b"")
    assert "max-age=" in answer.header("Cache-Control")
    assert provider.http.get(path, headers=[("If-None-Match", '"other"')]).status == 200


def test_metadata_follows_the_resource_servers(provider):
    before = provider.metadata()["scopes_supported"]

    provider.resource("https://metadata.example", read_metadata="See it")

    assert "read:metadata" not in before
    assert "read:metadata" in provider.metadata()["scopes_supported"]


def test_the_protocol_knows_no_cookies(provider):
    """Decision D6: no cookie is read or set, no hook runs."""
    browser = provider.browser()
    browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)

    for path in ("/jwks", "/.well-known/openid-configuration", "/userinfo"):
        answer = browser.get(path).answer
        assert answer.header("Set-Cookie") is None
        assert answer.header("Content-Security-Policy") is None
    assert browser.get("/userinfo").status == 401


def test_unknown_wells_are_json(provider):
    answer = provider.http.get("/.well-known/nothing")

    assert (answer.status, answer.json()["error"]) == (404, "not_found")
