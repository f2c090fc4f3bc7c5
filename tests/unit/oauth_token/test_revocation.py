"""The revocation endpoint. Source: RFC 7009."""

import pytest


def test_a_refresh_token_takes_its_family_with_it(back):
    """RFC 7009 §2.1."""
    tokens = back.sign_in()

    assert back.revoke(tokens["refresh_token"]).status == 200
    assert back.refresh(tokens["refresh_token"]).status == 400
    assert back.userinfo(tokens["access_token"]).status == 401
    assert back.events().count("token.revoked") == 1


def test_an_access_token_goes_alone(back):
    tokens = back.sign_in()

    assert back.revoke(tokens["access_token"]).status == 200
    assert back.userinfo(tokens["access_token"]).status == 401
    assert back.introspect(tokens["access_token"]) == {"active": False}
    assert back.refresh(tokens["refresh_token"]).status == 200


def test_a_machines_token_can_be_revoked(back):
    back.machine()
    token = back.token(grant_type="client_credentials", auth=("machine", "s3cret")).body["access_token"]

    assert back.revoke(token, "machine").status == 200
    assert back.introspect(token, "machine") == {"active": False}


@pytest.mark.parametrize("token", ["junk", "idp_rt_junk", "idp_at_junk", "☃", "a.b.c"])
def test_unknown_tokens_are_fine(back, token):
    """T14, RFC 7009 §2.2: 200, as nothing is left to revoke."""
    assert back.revoke(token).status == 200


def test_twice_is_fine_and_recorded_once(back):
    token = back.sign_in()["access_token"]

    assert [back.revoke(token).status for _ in range(2)] == [200, 200]
    assert back.events().count("token.revoked") == 1


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_another_clients_token_is_refused(back, kind):
    """T14, RFC 7009 §2.1."""
    back.client("other")
    tokens = back.sign_in()

    response = back.revoke(tokens[kind], "other")

    assert (response.status, response.body["error"]) == (400, "invalid_grant")
    assert back.userinfo(tokens["access_token"]).status == 200


def test_a_public_client_revokes_by_naming_itself(back):
    back.client("app", token_endpoint_auth_method="none")
    tokens = back.exchange(back.code("app"), auth=None, client_id="app").body

    response = back.revoke(tokens["refresh_token"], auth=None, client_id="app", token_type_hint="x")

    assert response.status == 200
    assert back.userinfo(tokens["access_token"]).status == 401


def test_a_stranger_is_not_heard(back):
    assert back.revoke("junk", auth=("web", "wrong")).status == 401
