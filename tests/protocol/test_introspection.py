"""The introspection endpoint (RFC 7662).

| row      | MUST                                                | test                                    |
|----------|-----------------------------------------------------|-----------------------------------------|
| 7662 2.2 | active and what the token means                     | test_owner_sees_its_access_token,       |
|          |                                                     | test_owner_sees_its_refresh_token       |
| T15      | only authenticated callers                          | test_caller_must_authenticate,          |
|          |                                                     | test_public_client_may_not_ask          |
| T15      | outside the audience: active false and nothing else | test_other_client_learns_nothing        |
| 7662 2.1 | the resource server the token is for                | test_resource_server_sees_tokens_for_it |
| 7662 2.2 | dead, unknown, malformed: active false and nothing  | test_dead_token, test_junk              |
|          | else                                                |                                         |
| 7662 2.1 | an unknown or wrong hint does not matter            | test_hint_does_not_matter               |
| T12, X4  | no-store; POST forms only                           | test_never_stored, test_methods         |
| 7662 2.1 | token is required                                   | test_missing_token                      |
"""

from http import HTTPStatus

import pytest

from tests.protocol import jose
from tests.provider import START, Client, Provider

INACTIVE = {"active": False}
NOW = int(START.timestamp())


def machine_token(provider: Provider, client: Client, **form: str) -> str:
    answer = provider.http.post("/token", {"grant_type": "client_credentials", **form}, auth=client.auth)
    token: str = answer.json()["access_token"]
    return token


@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
def test_owner_sees_its_access_token(provider, ada, access_token_format):
    """RFC 7662 §2.2: the same for both formats."""
    client = provider.client("rp", access_token_format=access_token_format)
    token = provider.tokens(client, scope="openid email")["access_token"]

    body = provider.introspect(client, token).json()

    assert isinstance(body.pop("jti"), str)
    assert isinstance(body.pop("acr", ""), str)
    assert body.pop("amr", ["pwd"]) == ["pwd"]
    assert body.pop("auth_time", NOW) == NOW
    assert body == {
        "active": True,
        "scope": "openid email",
        "client_id": "rp",
        "token_type": "Bearer",
        "exp": NOW + 300,
        "iat": NOW,
        "sub": ada["id"],
        "aud": provider.issuer,
        "iss": provider.issuer,
        **({"username": "ada"} if "username" in body else {}),
    }


def test_owner_sees_its_machine_token(provider, robot):
    """RFC 7662 §2.2: a token without a person."""
    body = provider.introspect(robot, machine_token(provider, robot, scope="jobs:run")).json()

    assert body["active"] is True
    assert (body["sub"], body["client_id"], body["scope"]) == ("robot", "robot", "jobs:run")


def test_owner_sees_its_refresh_token(provider, shop):
    """RFC 7662 §2.2: a refresh token ends with its idle time, sooner than with the family."""
    tokens = provider.tokens(shop, scope="openid email")

    body = provider.introspect(shop, tokens["refresh_token"]).json()

    assert body["active"] is True
    assert (body["client_id"], body["scope"]) == ("shop", "openid email")
    assert body["exp"] == NOW + 30 * 86400


def test_used_refresh_token_is_dead(provider, ada):
    """T7: only the newest one of a family is alive, and asking about an old one revokes nothing."""
    client = provider.client("careful", rotate_refresh_tokens=True)
    first = provider.tokens(client)
    second = provider.refresh(client, first["refresh_token"]).json()

    assert provider.introspect(client, first["refresh_token"]).json() == INACTIVE
    assert provider.introspect(client, second["refresh_token"]).json()["active"] is True


@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
def test_other_client_learns_nothing(provider, ada, access_token_format):
    """T15, RFC 7662 §4: to callers outside the audience a live token looks like no token."""
    owner = provider.client("owner", access_token_format=access_token_format)
    stranger = provider.client("stranger")
    tokens = provider.tokens(owner)

    for name in ("access_token", "refresh_token"):
        assert provider.introspect(stranger, tokens[name]).json() == INACTIVE
        assert provider.introspect(owner, tokens[name]).json()["active"] is True


def test_resource_server_sees_tokens_for_it(provider, ada):
    """RFC 7662 §2.1: a resource server asks about tokens whose audience it is, and only those."""
    one = provider.resource("https://one.example", read_one="One")
    provider.resource("https://two.example", read_two="Two")
    api = provider.machine("api-one", scope="", resource_servers=[one])
    client = provider.machine("reader", scope="read:one read:two")
    for_one = machine_token(provider, client, resource="https://one.example")
    for_two = machine_token(provider, client, resource="https://two.example")

    seen = provider.introspect(api, for_one).json()

    assert (seen["active"], seen["aud"], seen["client_id"]) == (True, one, "reader")
    assert provider.introspect(api, for_two).json() == INACTIVE


@pytest.mark.parametrize("token", ["access_token", "refresh_token", "junk"])
def test_caller_must_authenticate(provider, shop, token):
    """T15: 401 before anything is said about the token, good or bad."""
    given = {**provider.tokens(shop), "junk": "junk"}[token]

    nobody = provider.http.post("/introspect", {"token": given})
    wrong = provider.http.post("/introspect", {"token": given}, auth=(shop.id, "wrong"))
    named = provider.http.post("/introspect", {"token": given, "client_id": shop.id})

    assert [answer.status for answer in (nobody, wrong, named)] == [401, 401, 401]
    assert len({answer.json()["error"] for answer in (nobody, wrong, named)}) == 1


def test_token_does_not_authenticate_its_bearer(provider, shop):
    """T15: the caller is a client with a secret, not whoever holds the token."""
    token = provider.tokens(shop)["access_token"]

    assert provider.http.post("/introspect", {"token": token}, bearer=token).status == HTTPStatus.UNAUTHORIZED


def test_public_client_may_not_ask(provider, spa):
    """T15: naming oneself is no authentication; else introspection would be a token oracle for everybody."""
    token = provider.tokens(spa)["access_token"]

    assert provider.introspect(spa, token).status == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
def test_dead_token(provider, ada, access_token_format):
    """RFC 7662 §2.2: expired and revoked tokens are inactive, without a reason."""
    client = provider.client("rp", access_token_format=access_token_format)
    revoked, expired = provider.tokens(client), provider.tokens(client)
    provider.revoke(client, revoked["access_token"])
    assert provider.introspect(client, revoked["access_token"]).json() == INACTIVE
    assert provider.introspect(client, expired["access_token"]).json()["active"] is True
    provider.advance(seconds=300)

    assert provider.introspect(client, expired["access_token"]).json() == INACTIVE
    provider.advance(days=31)
    assert provider.introspect(client, expired["refresh_token"]).json() == INACTIVE


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "..", "é", "\u202e", "idp_at_", "idp_rt_x", "idp_ac_x", "A" * 8000]
)
def test_junk(provider, shop, token):
    """RFC 7662 §2.2: what is no token is inactive, not an error."""
    answer = provider.introspect(shop, token)

    assert (answer.status, answer.json()) == (200, INACTIVE)


def test_other_kinds_of_tokens_are_inactive(provider, shop):
    """T4: codes and ID tokens are none of this endpoint's business."""
    waiting = provider.code(shop, code_challenge="A" * 43, code_challenge_method="S256")
    id_token = provider.tokens(shop)["id_token"]

    assert [provider.introspect(shop, token).json() for token in (waiting, id_token)] == [INACTIVE, INACTIVE]


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "", "unheard-of", "é"])
def test_hint_does_not_matter(provider, shop, hint):
    """RFC 7662 §2.1: a wrong or unknown token_type_hint changes nothing."""
    tokens = provider.tokens(shop)

    for name in ("access_token", "refresh_token"):
        assert provider.introspect(shop, tokens[name], token_type_hint=hint).json()["active"] is True


def test_client_posts_its_secret(provider, kiosk):
    """RFC 7662 §2.1: the client authenticates as it does at the token endpoint."""
    assert provider.introspect(kiosk, provider.tokens(kiosk)["access_token"]).json()["active"] is True


def test_asking_changes_nothing(provider, shop):
    """RFC 7662: a question about a refresh token neither uses it up nor prolongs it."""
    tokens = provider.tokens(shop)
    before = provider.introspect(shop, tokens["refresh_token"]).json()
    provider.advance(days=1)

    assert provider.introspect(shop, tokens["refresh_token"]).json() == before


@pytest.mark.parametrize("form", [{}, {"token": ""}])
def test_missing_token(provider, shop, form):
    """RFC 7662 §2.1: token is required."""
    answer = provider.http.post("/introspect", form, auth=shop.auth)

    assert (answer.status, answer.json()["error"]) == (400, "invalid_request")


def test_never_stored(provider, shop):
    """T12, R8: no-store, JSON, and no CORS: no script is a resource server."""
    answer = provider.introspect(shop, provider.tokens(shop)["access_token"])

    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_methods(provider, shop, method):
    """X4, T13: POST only, and nothing from the query."""
    token = provider.tokens(shop)["access_token"]

    assert provider.http.send(method, "/introspect").status == HTTPStatus.METHOD_NOT_ALLOWED
    answer = provider.http.post(f"/introspect?token={token}", {}, auth=shop.auth)
    assert answer.status == HTTPStatus.BAD_REQUEST


def test_subject_matches_userinfo(provider, shop):
    """OIDC Core §5.3.2: one person has one sub everywhere."""
    tokens = provider.tokens(shop)

    introspected = provider.introspect(shop, tokens["access_token"]).json()["sub"]

    assert introspected == provider.userinfo(tokens["access_token"]).json()["sub"]
    assert introspected == jose.claims(tokens["id_token"])["sub"]
