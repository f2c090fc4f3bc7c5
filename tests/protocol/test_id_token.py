"""ID tokens.

| row          | MUST                                     | test                                           |
|--------------|------------------------------------------|------------------------------------------------|
| Core 2       | iss, sub, aud, exp, iat; aud is the      | test_claims_of_the_specification               |
|              | client, no azp                           |                                                |
| Core 15.1    | RS256 by default, with kid; the client's | test_signature_verifies_with_the_published_key |
|              | algorithm else                           |                                                |
| T1           | never none, never symmetric              | test_only_asymmetric_algorithms                |
| Core 3.1.3.6 | at_hash                                  | test_signature_verifies_with_the_published_key |
| Core 3.1.2.1 | nonce echoed byte for byte; absent when  | test_nonce_comes_back, test_no_nonce           |
|              | none was sent                            |                                                |
| Core 2       | auth_time is the sign-in's, also in a    | test_auth_time_is_that_of_the_sign_in          |
|              | later session use                        |                                                |
| Core 5.4     | claims of scopes belong in userinfo      | test_scopes_add_nothing                        |
| Core 5.5     | claims asked for by name                 | test_claims_parameter                          |
| T4           | typed                                    | test_type_is_jwt                               |
| T17          | sub and client ids apart                 | test_sub_is_the_account                        |
| Logout 2     | sid                                      | test_session_id                                |
"""

import json

import pytest

from tests.protocol import jose
from tests.provider import START, Client, Provider


def id_token(provider: Provider, client: Client, **parameters: str) -> str:
    return provider.tokens(client, **parameters)["id_token"]


def test_claims_of_the_specification(provider, ada, shop):
    """OIDC Core §2, §3.1.3.7: what a relying party checks; aud one client, and no azp."""
    claims = jose.verified(provider, id_token(provider, shop, nonce="n-0S6_WzA2Mj"), alg="RS256")

    now = int(START.timestamp())
    assert claims["iss"] == provider.issuer == provider.metadata()["issuer"]
    assert claims["sub"] == ada["id"]
    assert claims["aud"] == shop.id
    assert claims["iat"] == now
    assert claims["exp"] == now + 600
    assert claims["auth_time"] == now
    assert claims["nonce"] == "n-0S6_WzA2Mj"
    assert claims["acr"] in provider.metadata()["acr_values_supported"]
    assert claims["amr"] == ["pwd"]
    assert "azp" not in claims


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_signature_verifies_with_the_published_key(provider, ada, alg):
    """OIDC Core §2, §10.1, §3.1.3.6: signed by a published key, registered algorithm, right at_hash."""
    client = provider.client("rp", id_token_signed_response_alg=alg)
    tokens = provider.tokens(client)

    claims = jose.verified(provider, tokens["id_token"], alg=alg)

    assert claims["at_hash"] == jose.at_hash(tokens["access_token"], alg)


def test_only_asymmetric_algorithms(provider):
    """T1: neither none nor a symmetric algorithm can be had."""
    offered = set(provider.metadata()["id_token_signing_alg_values_supported"])

    assert offered == {"RS256", "ES256", "EdDSA"}
    assert {key["alg"] for key in jose.published_keys(provider)} == offered


def test_type_is_jwt(provider, shop):
    """T4: typed, and not as an access token; nothing but alg, kid and typ in the header."""
    header = jose.header(id_token(provider, shop))

    assert set(header) == {"alg", "kid", "typ"}
    assert header["typ"] == "JWT"


@pytest.mark.parametrize("nonce", ["x", 'n 1&"é%+/=', "ü😀", "a" * 500])
def test_nonce_comes_back(provider, shop, nonce):
    """OIDC Core §3.1.2.1: passed through unmodified."""
    assert jose.claims(id_token(provider, shop, nonce=nonce))["nonce"] == nonce


def test_no_nonce(provider, shop):
    """OIDC Core §2: absent when the request had none."""
    assert "nonce" not in jose.claims(id_token(provider, shop))


def test_auth_time_is_that_of_the_sign_in(provider, shop):
    """OIDC Core §2: auth_time is when the person proved who they are; iat is now."""
    browser = provider.browser()
    first = jose.claims(id_token(provider, shop, browser=browser))
    provider.advance(hours=1)

    second = jose.claims(id_token(provider, shop, browser=browser))

    assert second["auth_time"] == first["auth_time"]
    assert second["iat"] == first["iat"] + 3600
    assert second["sid"] == first["sid"]


def test_session_id(provider, shop):
    """OIDC back- and front-channel logout §2: one sid per browser session, the same for all clients."""
    other = provider.client("other")
    browser = provider.browser()

    here = jose.claims(id_token(provider, shop, browser=browser))["sid"]
    there = jose.claims(id_token(provider, other, browser=browser))["sid"]
    elsewhere = jose.claims(id_token(provider, shop))["sid"]

    assert here == there
    assert here != elsewhere
    assert not any(here in cookie for cookie in browser.cookies.values())


def test_scopes_add_nothing(provider, shop):
    """OIDC Core §5.4: with an access token, claims of scopes are for userinfo."""
    claims = jose.claims(id_token(provider, shop, scope="openid profile email address phone"))

    protocol = {"iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "amr", "at_hash", "sid"}
    assert set(claims) == protocol


def test_claims_parameter(provider, shop):
    """OIDC Core §5.5: single claims asked for by name, for the ID token; others stay out."""
    asked = json.dumps({"id_token": {"email": {"essential": True}, "given_name": None, "unheard_of": None}})

    claims = jose.claims(id_token(provider, shop, scope="openid profile email", claims=asked))

    assert claims["email"] == "ada@example.org"
    assert claims["given_name"] == "Ada"
    assert not {"family_name", "phone_number", "unheard_of"} & set(claims)


def test_claims_parameter_cannot_replace_the_protocols(provider, ada, shop):
    """OIDC Core §5.5, T17: what identifies the token is never taken from the request."""
    asked = json.dumps({"id_token": {"aud": {"value": "x"}, "iss": {"value": "x"}, "exp": {"value": 1}}})

    claims = jose.claims(id_token(provider, shop, claims=asked))

    assert (claims["iss"], claims["aud"], claims["sub"]) == (provider.issuer, shop.id, ada["id"])


def test_sub_is_the_account(provider, ada, shop, spa):
    """T17, OIDC Core §2: the same for every client, at most 255 ASCII characters, no client id's form."""
    subs = {jose.claims(id_token(provider, client))["sub"] for client in (shop, spa)}

    assert subs == {ada["id"]}
    assert ada["id"].startswith("acc_")
    assert ada["id"].isascii()


def test_client_ids_cannot_look_like_accounts(provider):
    """T17: RFC 9700 §4.15."""
    with pytest.raises(Exception, match="acc_"):
        provider.machine("acc_01")
