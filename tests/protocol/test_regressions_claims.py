"""The claims parameter is no way round what a client is registered for."""

import json

import pytest

from tests.provider import Pkce, response_parameters


@pytest.mark.parametrize("first_party", [True, False])
def test_claims_stay_within_the_registered_scopes(provider, ada, first_party):
    """K4: no claim of a scope the client is not registered for, with or without a consent page."""
    client = provider.client("mail", scope="openid email", first_party=first_party, require_pkce=False)
    asked = {"email": None, "phone_number": None, "address": {"essential": True}, "name": None}
    claims = json.dumps({"userinfo": asked, "id_token": {**asked, "auth_time": {"essential": True}}})

    page = provider.sign_in(provider.authorize(provider.browser(), client, claims=claims))
    tokens = provider.exchange(client, response_parameters(page)["code"]).json()
    userinfo = provider.userinfo(tokens["access_token"]).json()

    assert set(userinfo) == {"sub", "email"}


def test_claims_alone_ask_for_nothing_unregistered(provider, ada):
    """K4: what is left out is passed over, never an error."""
    client = provider.client("bare", scope="openid", require_pkce=False)
    claims = json.dumps({"userinfo": {"email": {"essential": True}}})

    page = provider.sign_in(provider.authorize(provider.browser(), client, claims=claims))

    assert provider.exchange(client, response_parameters(page)["code"]).status == 200


@pytest.mark.parametrize("number", ["9" * 400, "-" + "9" * 400, "1" + "0" * 19])
def test_numbers_without_end_are_refused(provider, shop, number):
    """X3: what a JSON reader takes for infinity is refused at once, not met again at the token endpoint."""
    claims = '{"id_token": {"acr": {"value": ' + number + "}}}"

    page = provider.authorize(provider.browser(), shop, claims=claims, **Pkce().parameters)

    assert response_parameters(page)["error"] == "invalid_request"


def test_large_numbers_come_through(provider, shop):
    """OIDC Core §5.5.1: any JSON value may be asked for; the whole journey takes it."""
    claims = json.dumps({"id_token": {"acr": {"values": [10**18, -(10**17), 0.1]}}})

    assert provider.tokens(shop, claims=claims)["id_token"]
