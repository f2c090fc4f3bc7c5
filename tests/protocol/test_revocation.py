"""The revocation endpoint (RFC 7009).

| row      | MUST                                           | test                                          |
|----------|------------------------------------------------|-----------------------------------------------|
| 7009 2.1 | a refresh token dies with all access tokens of | test_refresh_token_takes_its_family_along     |
|          | its grant                                      |                                               |
| 7009 2.1 | an access token dies; the refresh token may    | test_access_token_goes_alone                  |
|          | live                                           |                                               |
| 7009 2.2 | 200 for invalid, unknown, already revoked      | test_junk_is_revoked_already,                 |
|          | tokens                                         | test_revoking_twice                           |
| T14      | only the owning client                         | test_other_client_revokes_nothing             |
| 7009 2.1 | confidential clients authenticate, public ones | test_caller_must_authenticate,                |
|          | name themselves                                | test_public_client                            |
| 7009 2.1 | a wrong or unknown hint does not matter        | test_hint_does_not_matter                     |
| 7009 2.1 | token is required                              | test_missing_token                            |
| D12      | an old refresh token revokes its family too    | test_old_refresh_token_takes_its_family_along |
"""

from http import HTTPStatus

import pytest

from tests.provider import Client, Provider
from tests.transport import Answer

FORMATS = pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])


def outcome(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["error"]


def alive(provider: Provider, client: Client, tokens: dict) -> tuple[bool, bool]:
    """Whether the access token and the refresh token of a response still count."""
    access = provider.userinfo(tokens["access_token"]).status == HTTPStatus.OK
    if not client.secret:
        return access, provider.refresh(client, tokens["refresh_token"]).status == HTTPStatus.OK
    seen = [
        provider.introspect(client, tokens[name]).json()["active"]
        for name in ("access_token", "refresh_token")
    ]
    assert seen[0] == access, "userinfo and introspection disagree"
    return access, seen[1]


@FORMATS
def test_refresh_token_takes_its_family_along(provider, ada, access_token_format):
    """RFC 7009 §2.1: all access tokens of the same grant die at once, refreshed ones too."""
    client = provider.client("rp", access_token_format=access_token_format)
    tokens, other = provider.tokens(client), provider.tokens(client)
    newer = provider.refresh(client, tokens["refresh_token"]).json()

    answer = provider.revoke(client, tokens["refresh_token"])

    assert (answer.status, answer.json()) == (200, {})
    assert alive(provider, client, tokens) == (False, False)
    assert alive(provider, client, newer) == (False, False)
    assert alive(provider, client, other) == (True, True)
    assert outcome(provider.refresh(client, tokens["refresh_token"])) == (400, "invalid_grant")


@FORMATS
def test_access_token_goes_alone(provider, ada, access_token_format):
    """RFC 7009 §2.1: the access token dies; the grant goes on and gives another."""
    client = provider.client("rp", access_token_format=access_token_format)
    tokens = provider.tokens(client)
    sibling = provider.refresh(client, tokens["refresh_token"]).json()

    answer = provider.revoke(client, tokens["access_token"])

    assert answer.status == HTTPStatus.OK
    assert alive(provider, client, tokens) == (False, True)
    assert alive(provider, client, sibling) == (True, True)


def test_machine_token(provider, robot):
    """RFC 7009 §2.1: a token without a family can be revoked as well."""
    form = {"grant_type": "client_credentials"}
    one, two = (provider.http.post("/token", form, auth=robot.auth).json()["access_token"] for _ in range(2))

    assert provider.revoke(robot, one).status == HTTPStatus.OK

    assert provider.introspect(robot, one).json() == {"active": False}
    assert provider.introspect(robot, two).json()["active"] is True


def test_old_refresh_token_takes_its_family_along(provider, spa):
    """D12, RFC 7009 §2.1: a client that revokes a token it has already rotated means the grant."""
    first = provider.tokens(spa)
    second = provider.refresh(spa, first["refresh_token"]).json()

    assert provider.revoke(spa, first["refresh_token"]).status == HTTPStatus.OK

    assert alive(provider, spa, second) == (False, False)


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_revoking_twice(provider, shop, name):
    """RFC 7009 §2.2: the aim is reached already, so 200."""
    tokens = provider.tokens(shop)

    assert [provider.revoke(shop, tokens[name]).status for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "..", "é", "idp_at_", "idp_rt_" + "A" * 70, "idp_ac_x", "A" * 8000]
)
def test_junk_is_revoked_already(provider, shop, token):
    """RFC 7009 §2.2: an invalid token is not an error."""
    assert provider.revoke(shop, token).status == HTTPStatus.OK


def test_expired_token_is_revoked_already(provider, shop):
    """RFC 7009 §2.2."""
    tokens = provider.tokens(shop)
    provider.advance(days=40)

    assert [provider.revoke(shop, tokens[name]).status for name in ("access_token", "refresh_token")] == [
        200,
        200,
    ]


@pytest.mark.parametrize("auth_method", ["none", "client_secret_basic"])
@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
@FORMATS
def test_other_client_revokes_nothing(provider, ada, name, auth_method, access_token_format):
    """T14, RFC 7009 §2.1: refused, and nothing happens to the token."""
    owner = provider.client("owner", access_token_format=access_token_format)
    thief = provider.client("thief", auth_method=auth_method)
    tokens = provider.tokens(owner)

    answer = provider.revoke(thief, tokens[name])

    assert answer.status in {200, 400}
    assert alive(provider, owner, tokens) == (True, True)


def test_caller_must_authenticate(provider, shop):
    """RFC 7009 §2.1: a token alone cannot end itself."""
    tokens = provider.tokens(shop)

    for auth, form in ((None, {}), (None, {"client_id": shop.id}), ((shop.id, "wrong"), {})):
        answer = provider.http.post("/revoke", {"token": tokens["refresh_token"], **form}, auth=auth)
        assert outcome(answer) == (401, "invalid_client")

    assert alive(provider, shop, tokens) == (True, True)


def test_public_client(provider, spa):
    """RFC 7009 §2.1: a public client names itself, and the token must be its own."""
    tokens = provider.tokens(spa)

    assert provider.revoke(spa, tokens["refresh_token"]).status == HTTPStatus.OK

    assert alive(provider, spa, tokens) == (False, False)


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "unheard-of", "é"])
@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_hint_does_not_matter(provider, shop, name, hint):
    """RFC 7009 §2.1: the server searches all kinds when the hint does not help."""
    tokens = provider.tokens(shop)

    assert provider.revoke(shop, tokens[name], token_type_hint=hint).status == HTTPStatus.OK

    assert provider.introspect(shop, tokens[name]).json() == {"active": False}


@pytest.mark.parametrize("form", [{}, {"token": ""}])
def test_missing_token(provider, shop, form):
    """RFC 7009 §2.1: token is required."""
    assert outcome(provider.http.post("/revoke", form, auth=shop.auth)) == (400, "invalid_request")


def test_never_stored(provider, shop):
    """T12: no-store; scripts of single-page applications may sign out."""
    answer = provider.revoke(shop, "x")

    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Access-Control-Allow-Origin") == "*"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_methods(provider, shop, method):
    """X4, T13: POST only, nothing from the query; a link cannot revoke."""
    tokens = provider.tokens(shop)

    assert provider.http.send(method, "/revoke").status == HTTPStatus.METHOD_NOT_ALLOWED
    path = f"/revoke?token={tokens['refresh_token']}"
    assert provider.http.post(path, {}, auth=shop.auth).status == HTTPStatus.BAD_REQUEST
    assert alive(provider, shop, tokens) == (True, True)


def test_revocation_is_seen_by_other_nodes(new_provider):
    """D1: every node asks the same database, at once."""
    one, two = new_provider(), new_provider()
    one.account("ada")
    client = one.client("shop")
    two.settle()
    tokens = one.tokens(client)

    one.revoke(client, tokens["access_token"])

    assert two.userinfo(tokens["access_token"]).status == HTTPStatus.UNAUTHORIZED
    assert two.introspect(client, tokens["access_token"]).json() == {"active": False}
