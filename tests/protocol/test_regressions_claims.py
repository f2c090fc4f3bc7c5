"""The claims parameter is no way round what a client is registered for."""

import json

import pytest

from tests.provider import response_parameters


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
