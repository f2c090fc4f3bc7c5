"""The introspection endpoint. Source: RFC 7662."""

from datetime import timedelta

import pytest

DEAD = {"active": False}


def test_a_client_sees_its_own_tokens(back):
    body = back.introspect(back.sign_in(scopes=("openid", "email"))["access_token"])

    assert body["active"] is True
    assert (body["client_id"], body["sub"], body["aud"]) == ("web", back.account.id, "https://idp.example")
    assert (body["scope"], body["token_type"]) == ("openid email", "Bearer")
    assert body["exp"] - body["iat"] == 300
    assert isinstance(body["auth_time"], int)


def test_a_client_sees_its_own_refresh_token(back):
    body = back.introspect(back.sign_in()["refresh_token"])

    assert (body["active"], body["client_id"], body["scope"]) == (True, "web", "openid")
    assert "token_type" not in body


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_strangers_learn_nothing(back, kind):
    """T15: active:false with no other member."""
    back.client("stranger")
    token = back.sign_in()[kind]

    assert back.introspect(token, "stranger") == DEAD


@pytest.mark.parametrize("token", ["junk", "idp_at_junk", "idp_rt_junk", "a.b.c", "☃", "idp_ac_x"])
def test_junk_is_inactive(back, token):
    assert back.introspect(token) == DEAD


def test_an_id_token_is_inactive(back):
    """T4."""
    assert back.introspect(back.sign_in()["id_token"]) == DEAD


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
def test_the_hint_changes_nothing(back, hint):
    """RFC 7662 §2.1: a hint that does not help is ignored."""
    assert back.introspect(back.sign_in()["access_token"], token_type_hint=hint)["active"] is True


def test_public_clients_may_not_ask(back):
    """T15: only authenticated callers."""
    back.client("app", token_endpoint_auth_method="none")

    response = back.server.introspect(back.request(token="x", client_id="app"))

    assert (response.status, response.body["error"]) == (401, "invalid_client")


def test_the_token_is_required(back):
    response = back.server.introspect(back.request(auth=("web", "s3cret")))

    assert (response.status, response.body["error"]) == (400, "invalid_request")


def test_an_old_generation_is_inactive(back):
    back.client("rotating", rotate_refresh_tokens=True)
    token = back.sign_in("rotating")["refresh_token"]
    back.refresh(token, "rotating")

    assert back.introspect(token, "rotating") == DEAD


def test_what_the_token_stands_on_ends_it_at_once(back):
    """T16."""
    back.machine()
    machine = back.token(grant_type="client_credentials", auth=("machine", "s3cret")).body["access_token"]
    tokens = back.sign_in()
    back.client("observer")
    back.clock.advance(timedelta(seconds=1))
    assert back.introspect(machine, "machine")["active"] is True

    back.set_client_disabled("machine", disabled=True)
    back.set_client_disabled("machine", disabled=False)
    back.disable_account()

    assert back.introspect(machine, "machine") == DEAD
    assert back.introspect(tokens["access_token"]) == DEAD
    assert back.introspect(tokens["refresh_token"]) == DEAD


def test_the_resource_server_a_token_is_for_sees_it(back):
    """T15: inside the audience; the client is registered as that resource server."""
    api = "https://api.example"
    back.resource(api, "read")
    back.client("owner", scope="openid read")
    back.client("api", scope="", resource_servers=[api])
    back.client("other", scope="openid read")
    grant = {"scopes": ("openid", "read"), "resources": (api,), "default_audience": api}
    tokens = back.sign_in("owner", **grant)

    seen = back.introspect(tokens["access_token"], "api")
    unseen = back.introspect(tokens["access_token"], "other")

    assert (seen["active"], seen["aud"], seen["scope"]) == (True, api, "read")
    assert unseen == {"active": False}
