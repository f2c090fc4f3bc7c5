"""The userinfo endpoint.

| row        | MUST                                                  | test                              |
|------------|-------------------------------------------------------|-----------------------------------|
| Core 5.3.1 | GET and POST with a header, POST with a form          | test_three_ways_to_send_the_token |
| Core 5.3.2 | sub always; JSON                                      | test_sub_is_always_there          |
| Core 5.4   | claims by scope, with the right JSON types, no others | test_scope_opens_its_claims,      |
|            |                                                       | test_every_claim                  |
| Core 5.5   | claims asked for by name                              | test_claims_parameter             |
| Core 5.3.2 | claims without a value are left out                   | test_empty_claims_are_left_out    |
| 6750 2     | one token per request, never in the query             | test_two_tokens_are_refused,      |
|            |                                                       | test_query_is_refused             |
| 6750 3     | 401 with a challenge                                  | test_no_token, test_bad_token     |
| 6750 3.1   | insufficient_scope                                    | test_without_openid               |
| T5         | only tokens for userinfo                              | test_token_for_a_resource_server  |
| T12        | no-store                                              | test_never_stored                 |
| X4         | methods and content types                             | test_other_methods_are_refused,   |
|            |                                                       | test_other_content_types          |
"""

import json
from http import HTTPStatus

import pytest

from tests.bench import EVERY_CLAIM
from tests.provider import START
from tests.transport import Answer


def outcome(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["error"]


def challenge(answer: Answer) -> str:
    return answer.header("WWW-Authenticate") or ""


def test_three_ways_to_send_the_token(provider, ada, shop):
    """OIDC Core §5.3.1, RFC 6750 §2: GET and POST with a Bearer header, POST with a form."""
    token = provider.tokens(shop)["access_token"]

    answers = [
        provider.userinfo(token),
        provider.http.post("/userinfo", bearer=token),
        provider.http.post("/userinfo", {"access_token": token}),
        provider.http.send("POST", "/userinfo", headers=[("Authorization", f"Bearer {token}")]),
        provider.http.get("/userinfo", headers=[("Authorization", f"bearer {token}")]),
    ]

    assert [(answer.status, answer.json()) for answer in answers] == [(200, {"sub": ada["id"]})] * 5


def test_sub_is_always_there(provider, ada, shop):
    """OIDC Core §5.3.2: sub, and with openid alone nothing else."""
    answer = provider.userinfo(provider.tokens(shop)["access_token"])

    assert answer.header("Content-Type") == "application/json"
    assert answer.json() == {"sub": ada["id"]}


PROFILE = {
    name: value for name, value in EVERY_CLAIM.items() if not name.startswith(("phone", "address", "groups"))
} | {
    "preferred_username": "ada",
    "updated_at": int(START.timestamp()),
}
BY_SCOPE = {
    "profile": PROFILE,
    "email": {"email": "ada@example.org", "email_verified": True},
    "address": {"address": EVERY_CLAIM["address"]},
    "phone": {"phone_number": EVERY_CLAIM["phone_number"], "phone_number_verified": True},
    "groups": {"groups": ["editors", "staff"]},
    "offline_access": {},
}


@pytest.mark.parametrize("scope", BY_SCOPE)
def test_scope_opens_its_claims(provider, ada, shop, scope):
    """OIDC Core §5.4: each scope its claims with the types of §5.1, and nothing of the others."""
    token = provider.tokens(shop, scope=f"openid {scope}")["access_token"]

    assert provider.userinfo(token).json() == {"sub": ada["id"], **BY_SCOPE[scope]}


def test_every_claim(provider, ada, shop):
    """OIDC Core §5.1: an account can hold every standard claim, and all of them can be had; groups, too."""
    token = provider.tokens(shop, scope="openid profile email address phone groups")["access_token"]

    claims = provider.userinfo(token).json()

    expected = {"sub": ada["id"]}
    for given in BY_SCOPE.values():
        expected |= given
    assert claims == expected
    assert set(claims) - {"sub"} <= set(provider.metadata()["claims_supported"])


def test_empty_claims_are_left_out(provider, shop):
    """OIDC Core §5.3.2: what the account has no value for is absent, neither null nor empty."""
    provider.account("bob")
    page = provider.authorize(provider.browser(), shop, code_challenge="A" * 43, code_challenge_method="S256",
                              scope="openid profile email phone address")  # fmt: skip
    assert page.has("login-submit")
    legacy = provider.client("legacy", require_pkce=False)
    page = provider.authorize(provider.browser(), legacy, scope="openid profile email phone address")
    code = provider.sign_in(page, "bob").url.partition("code=")[2].partition("&")[0]
    token = provider.exchange(legacy, code).json()["access_token"]

    claims = provider.userinfo(token).json()

    assert set(claims) == {"sub", "preferred_username", "updated_at"}


def test_claims_parameter(provider, ada, shop):
    """OIDC Core §5.5: voluntary and essential claims by name; unknown ones are ignored."""
    asked = json.dumps({"userinfo": {"email": None, "given_name": {"essential": True}, "shoe_size": None}})
    token = provider.tokens(shop, scope="openid email profile", claims=asked)["access_token"]
    narrow = provider.tokens(shop, claims=asked)["access_token"]

    assert provider.userinfo(token).json()["email"] == "ada@example.org"
    assert provider.userinfo(narrow).json() == {
        "sub": ada["id"],
        "email": "ada@example.org",
        "given_name": "Ada",
    }


def test_changes_of_the_account_are_seen(provider, ada, shop):
    """OIDC Core §5.3.2: userinfo tells what is, not what was when the token was issued."""
    token = provider.tokens(shop, scope="openid email")["access_token"]
    container = provider.container
    with container.database.transaction():
        row = container.repos.accounts.get(ada["id"])
        row.email_verified = False

    assert provider.userinfo(token).json()["email_verified"] is False


def test_no_token(provider):
    """RFC 6750 §3.1: without a token the challenge says where one is due, and no error."""
    answer = provider.http.get("/userinfo")

    assert answer.status == HTTPStatus.UNAUTHORIZED
    assert challenge(answer).startswith('Bearer realm="')
    assert "error" not in challenge(answer)


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer ", "Basic eDp5", "Token x", "x", "é", "Bearer\tx", ",", 'Bearer realm="x"'],
)
def test_broken_header(provider, authorization):
    """RFC 6750 §3: 401 with a challenge, whatever stands in the header."""
    answer = provider.http.get("/userinfo", headers=[("Authorization", authorization)])

    assert answer.status == HTTPStatus.UNAUTHORIZED
    assert challenge(answer).startswith('Bearer realm="')


@pytest.mark.parametrize("token", ["x", "a.b.c", "...", "é", "x y", "idp_at_", '"', "A" * 5000])
def test_bad_token(provider, way, token):
    """RFC 6750 §3.1: invalid_token, in the challenge and in the body."""
    by_header = provider.userinfo(token)
    by_form = provider.http.post("/userinfo", {"access_token": token})

    for answer in (by_header, by_form):
        assert outcome(answer) == (401, "invalid_token")
    assert 'error="invalid_token"' in challenge(by_form)
    # granian hands on a header of bytes beyond ASCII as an empty one, so no token was presented
    assert ('error="invalid_token"' in challenge(by_header)) == (token.isascii() or way == "direct")


def test_two_tokens_are_refused(provider, shop):
    """RFC 6750 §2: not more than one method to send the token."""
    token = provider.tokens(shop)["access_token"]

    twice = provider.http.post("/userinfo", {"access_token": token}, bearer=token)
    repeated = provider.http.post("/userinfo", [("access_token", token), ("access_token", token)])

    assert [answer.status for answer in (twice, repeated)] == [400, 400]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_query_is_refused(provider, shop, method):
    """T13, RFC 6750 §2.3, §5.3: a token in the address is refused, alone or beside a good header."""
    token = provider.tokens(shop)["access_token"]

    alone = provider.http.send(method, f"/userinfo?access_token={token}")
    beside = provider.http.send(
        method, f"/userinfo?access_token={token}", headers=[("Authorization", f"Bearer {token}")]
    )

    assert [alone.status, beside.status] == [400, 400]


def test_form_token_needs_post(provider, shop):
    """RFC 6750 §2.2: a body of a GET means nothing."""
    token = provider.tokens(shop)["access_token"]

    answer = provider.http.send(
        "GET",
        "/userinfo",
        headers=[("Content-Type", "application/x-www-form-urlencoded")],
        body=f"access_token={token}".encode(),
    )

    assert answer.status == HTTPStatus.UNAUTHORIZED


def test_without_openid(provider, ada):
    """RFC 6750 §3.1, OIDC Core §5.3: a token without openid may not ask."""
    client = provider.client("plain", scope="openid things")
    token = provider.tokens(client, scope="things")["access_token"]

    answer = provider.userinfo(token)

    assert outcome(answer) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in challenge(answer)


def test_token_for_a_resource_server(provider, ada):
    """T5: a token for an API is refused here, although the same grant holds openid."""
    provider.resource("https://api.example")
    client = provider.client("reader", scope="openid email read:things")

    tokens = provider.tokens(client, scope="openid email read:things", resource="https://api.example")
    renewed = provider.refresh(client, tokens["refresh_token"], resource=provider.issuer).json()

    assert outcome(provider.userinfo(tokens["access_token"])) == (401, "invalid_token")
    assert provider.userinfo(renewed["access_token"]).json()["email"] == "ada@example.org"


def test_never_stored(provider, shop):
    """T12: no-store, on success and on failure."""
    token = provider.tokens(shop)["access_token"]

    for answer in (provider.userinfo(token), provider.userinfo("x"), provider.http.get("/userinfo")):
        assert answer.header("Cache-Control") == "no-store"
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert not answer.all_headers("Set-Cookie")


def test_scripts_of_other_origins_may_ask(provider, shop):
    """OIDC Core §5.3: CORS, without credentials."""
    token = provider.tokens(shop)["access_token"]
    asking = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET"),
              ("Access-Control-Request-Headers", "authorization")]  # fmt: skip

    preflight = provider.http.send("OPTIONS", "/userinfo", headers=asking)
    answer = provider.userinfo(token)

    assert preflight.status == HTTPStatus.NO_CONTENT
    assert "authorization" in (preflight.header("Access-Control-Allow-Headers") or "").lower()
    assert answer.header("Access-Control-Allow-Origin") == "*"
    assert answer.header("Access-Control-Allow-Credentials") is None


def test_cookies_are_no_credentials(provider, shop):
    """S3, R8: a signed-in browser without a token gets nothing."""
    browser = provider.browser()
    provider.tokens(shop, browser=browser)
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())

    answer = provider.http.get("/userinfo", headers=[("Cookie", cookie)])

    assert answer.status == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(provider, method):
    """X4: 405 with the methods there are."""
    answer = provider.http.send(method, "/userinfo")

    assert answer.status == HTTPStatus.METHOD_NOT_ALLOWED
    assert {"GET", "POST"} <= set((answer.header("Allow") or "").split(", "))


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain"]
)
def test_other_content_types(provider, shop, content_type):
    """X4, RFC 6750 §2.2: a form or nothing."""
    token = provider.tokens(shop)["access_token"]

    answer = provider.http.send(
        "POST",
        "/userinfo",
        headers=[("Content-Type", content_type)],
        body=json.dumps({"access_token": token}).encode(),
    )

    assert answer.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
