"""The client credentials grant.

| row        | MUST                                        | test                                           |
|------------|---------------------------------------------|------------------------------------------------|
| 6749 4.4.3 | access token, no refresh token, no ID token | test_response_has_no_more_than_an_access_token |
| 9068 2.2   | sub is the client itself                    | test_token_speaks_for_the_client               |
| K4         | only registered scopes                      | test_unregistered_scope_is_refused             |
| K4         | without scope: all registered ones          | test_without_scope_everything_registered       |
| OIDC       | nothing about a person                      | test_openid_scopes_are_never_granted,          |
|            |                                             | test_userinfo_refuses_the_token                |
| 6749 4.4   | confidential clients only, and only         | test_public_client_is_refused,                 |
|            | registered ones                             | test_unregistered_client_is_refused            |
| T5, 8707   | one audience, chosen by scope or resource   | test_audience_*                                |
| R9, T13    | form body only                              | test_query_is_refused,                         |
|            |                                             | test_other_methods_are_refused                 |
| R8         | CORS without credentials                    | test_scripts_of_other_origins                  |
"""

from http import HTTPStatus

import pytest

from tests.protocol import jose
from tests.provider import Client, Provider
from tests.transport import Answer


def ask(provider: Provider, client: Client, **form: str) -> Answer:
    return provider.http.post(
        "/token", {"grant_type": "client_credentials", **client.body, **form}, auth=client.auth
    )


def outcome(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["error"]


def test_response_has_no_more_than_an_access_token(provider, robot):
    """RFC 6749 §4.4.3, §5.1, row T12: no refresh token, no ID token; never stored."""
    answer = ask(provider, robot, scope="jobs:run")

    assert answer.status == HTTPStatus.OK
    assert answer.header("Cache-Control") == "no-store"
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, "jobs:run")


def test_the_same_request_again_is_answered_alike(provider, robot):
    """T12: answers from memory differ in their token and request id alone."""
    first, second = (ask(provider, robot, scope="jobs:run") for _ in range(2))

    one, other = first.json(), second.json()
    assert one.pop("access_token") != other.pop("access_token")
    assert [*one.items()] == [*other.items()]
    names = (
        "Content-Type",
        "Cache-Control",
        "Pragma",
        "Access-Control-Allow-Origin",
        "X-Content-Type-Options",
    )
    assert [first.header(name) for name in names] == [second.header(name) for name in names]


def test_a_repeated_request_is_looked_at_again(provider, robot):
    """R11, R8, T13: a good answer lets nothing pass that is wrong with the next request."""
    assert ask(provider, robot).status == HTTPStatus.OK
    form = {"grant_type": "client_credentials", **robot.body}

    assert provider.http.post("/token?a=b", form, auth=robot.auth).status == HTTPStatus.BAD_REQUEST
    provider.container.admin.clients.disable(robot.id)
    provider.settle()
    assert outcome(ask(provider, robot)) == (HTTPStatus.UNAUTHORIZED, "invalid_client")


def test_token_speaks_for_the_client(provider, robot):
    """RFC 9068 §2.2: sub is the client's id; nothing about a sign-in."""
    token = ask(provider, robot).json()["access_token"]

    claims = jose.verified(provider, token, alg="ES256")

    assert claims["sub"] == claims["client_id"] == robot.id
    assert not {"auth_time", "acr", "amr", "fam", "sid"} & set(claims)


def test_without_scope_everything_registered(provider, robot):
    """K4, RFC 6749 §3.3: a default is used when scope is left out or empty."""
    assert set(ask(provider, robot).json()["scope"].split()) == {"jobs:run", "jobs:see"}
    assert set(ask(provider, robot, scope="").json()["scope"].split()) == {"jobs:run", "jobs:see"}


@pytest.mark.parametrize(
    "scope", ["jobs:delete", "jobs:run jobs:delete", "JOBS:RUN", 'jobs:"run', "jobs:rün"]
)
def test_unregistered_scope_is_refused(provider, robot, scope):
    """K4: a scope that is not registered for the client is invalid_scope."""
    assert outcome(ask(provider, robot, scope=scope)) == (400, "invalid_scope")


@pytest.mark.parametrize("scope", ["openid", "openid email", "offline_access"])
def test_openid_scopes_are_never_granted(provider, scope):
    """OIDC scopes are about a person; a machine gets none even where they are registered."""
    client = provider.machine("confused", scope="openid email offline_access jobs:run")

    assert outcome(ask(provider, client, scope=scope)) == (400, "invalid_scope")
    assert ask(provider, client).json()["scope"] == "jobs:run"


def test_userinfo_refuses_the_token(provider, robot):
    """OIDC Core §5.3: userinfo is about a person."""
    token = ask(provider, robot).json()["access_token"]

    answer = provider.userinfo(token)

    assert answer.status in {401, 403}
    assert "Bearer " in (answer.header("WWW-Authenticate") or "")


@pytest.mark.parametrize("secret", [None, "x"])
def test_public_client_is_refused(provider, spa, secret):
    """RFC 6749 §4.4: only confidential clients; a public one has no secret that could be right."""
    form = {"client_secret": secret} if secret else {}

    answer = ask(provider, spa, **form)

    assert outcome(answer) in {(400, "unauthorized_client"), (401, "invalid_client")}


def test_unregistered_client_is_refused(provider, shop):
    """R11: a client that was not registered for the grant."""
    answer = ask(provider, shop)

    assert outcome(answer) == (400, "unauthorized_client")
    assert answer.json()["error_description"].endswith(" the grant type client_credentials.")


def test_client_posts_its_secret(provider):
    """OIDC Core §9: client_secret_post works alike."""
    client = provider.machine("poster", auth_method="client_secret_post")

    assert ask(provider, client).status == HTTPStatus.OK


def test_audience_without_resource_is_the_issuer(provider, robot):
    """T5: scopes that belong to no resource server leave the token with the issuer."""
    claims = jose.claims(ask(provider, robot).json()["access_token"])

    assert claims["aud"] == provider.issuer


def test_audience_is_the_owner_of_the_scope(provider):
    """T5, RFC 9068 §3: the resource server that the scope belongs to."""
    provider.resource("https://api.example")
    client = provider.machine("reader", scope="read:things jobs:run")

    body = ask(provider, client, scope="read:things").json()

    assert jose.claims(body["access_token"])["aud"] == "https://api.example"
    assert body["scope"] == "read:things"


def test_audience_by_resource(provider):
    """RFC 8707 §2: `resource` chooses among several; the scopes are those of that resource server."""
    provider.resource("https://one.example", read_one="One")
    provider.resource("https://two.example", read_two="Two")
    client = provider.machine("reader", scope="read:one read:two")

    body = ask(provider, client, resource="https://two.example").json()

    assert jose.claims(body["access_token"])["aud"] == "https://two.example"
    assert body["scope"] == "read:two"


def test_audience_must_be_one(provider):
    """T5, RFC 8707 §2: scopes of two resource servers and no choice is invalid_target."""
    provider.resource("https://one.example", read_one="One")
    provider.resource("https://two.example", read_two="Two")
    client = provider.machine("reader", scope="read:one read:two")

    assert outcome(ask(provider, client)) == (400, "invalid_target")


@pytest.mark.parametrize(
    "resource", ["https://nobody.example", "not a uri", "https://api.example#part", "é", "/x"]
)
def test_audience_must_be_known(provider, resource):
    """RFC 8707 §2: an unknown or malformed resource is invalid_target."""
    provider.resource("https://api.example")
    client = provider.machine("reader", scope="read:things")

    assert outcome(ask(provider, client, resource=resource)) == (400, "invalid_target")


def test_query_is_refused(provider, robot):
    """T13, R9: grant_type and scope are read from the body; an address with a query is a mistake."""
    for path in ("/token?grant_type=client_credentials", "/token?scope=jobs:run", "/token?client_id=robot"):
        answer = provider.http.post(path, {"grant_type": "client_credentials"}, auth=robot.auth)
        assert answer.status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(provider, method):
    """X4: POST only; 405 names it."""
    answer = provider.http.send(method, "/token")

    assert answer.status == HTTPStatus.METHOD_NOT_ALLOWED
    assert "POST" in (answer.header("Allow") or "")


def test_each_token_is_different(provider, robot):
    """RFC 9068 §2.2: jti tells tokens of the same second apart."""
    tokens = {ask(provider, robot).json()["access_token"] for _ in range(5)}

    assert len({jose.claims(token)["jti"] for token in tokens}) == 5


def test_token_lifetime_of_the_client(provider):
    """A client's own lifetime decides over the server's default."""
    client = provider.machine("quick", access_token_lifetime=42)

    body = ask(provider, client).json()

    claims = jose.claims(body["access_token"])
    assert body["expires_in"] == 42
    assert claims["exp"] - claims["iat"] == 42


@pytest.mark.parametrize(("path", "allowed"), [("/token", True), ("/revoke", True), ("/introspect", False)])
def test_scripts_of_other_origins(provider, path, allowed):
    """R8: single-page applications may fetch and revoke tokens; nobody gets credentials or introspection."""
    asking = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "POST")]

    answer = provider.http.send("OPTIONS", path, headers=asking)

    assert answer.status == (HTTPStatus.NO_CONTENT if allowed else HTTPStatus.METHOD_NOT_ALLOWED)
    assert answer.header("Access-Control-Allow-Origin") == ("*" if allowed else None)
    assert answer.header("Access-Control-Allow-Credentials") is None
