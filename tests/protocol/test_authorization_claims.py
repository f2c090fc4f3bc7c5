"""The claims parameter (OpenID Connect Core §5.5).

| row          | MUST                                             | test                                   |
|--------------|--------------------------------------------------|----------------------------------------|
| OIDC 5.5     | announced                                        | test_support_is_announced              |
| OIDC 5.5     | essential and voluntary claims, for userinfo and | test_single_claims_for_userinfo        |
|              | ID token                                         | test_single_claims_for_the_id_token    |
| OIDC 5.5     | unknown members and claims are ignored           | test_what_is_not_understood_is_ignored |
| OIDC 5.5.1   | a claim that cannot be given is left out,        | test_missing_claims_are_no_error       |
|              | essential or not                                 |                                        |
| OIDC 5.5.1   | sub asks for one person                          | test_sub_*                             |
| OIDC 5.5.1.1 | an essential acr that cannot be met fails        | test_essential_acr                     |
| OIDC 5.5.1   | essential auth_time                              | test_auth_time_asked_for               |
| K1           | single claims need consent                       | test_single_claims_are_asked_for       |
| X3, X5       | malformed JSON is refused, not a crash           | test_malformed_claims_are_refused      |
"""

import json

import pytest

from tests.frontchannel import SQLITE_ONLY, VERIFIER, ask, refusal, signed_in, success
from tests.protocol import jose
from tests.provider import PASSWORD, response_parameters

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)


def redeemed(provider, client, page):
    """ID token claims and userinfo of the code in this answer."""
    tokens = provider.exchange(client, success(page), verifier=VERIFIER).json()
    return jose.verified(provider, tokens["id_token"], alg="RS256"), provider.userinfo(
        tokens["access_token"]
    ).json()


def test_support_is_announced(provider):
    """OIDC Discovery §3."""
    metadata = provider.metadata()

    assert metadata["claims_parameter_supported"] is True
    assert {"sub", "name", "email", "address", "phone_number", "acr", "auth_time"} <= set(
        metadata["claims_supported"]
    )


@pytest.mark.parametrize("member", [None, {"essential": True}, {"essential": False}])
def test_single_claims_for_userinfo(provider, shop, member):
    """OIDC Core §5.5: by name, essential or voluntary, without the scope they belong to."""
    claims = json.dumps({"userinfo": {"email": member, "given_name": member}})

    token, userinfo = redeemed(provider, shop, provider.sign_in(ask(provider, shop, claims=claims)))

    assert set(userinfo) == {"sub", "email", "given_name"}
    assert not {"email", "given_name"} & set(token)


def test_groups_by_name(provider, shop):
    """OIDC Core §5.5: without their scope, in the place where they are asked for; announced."""
    claims = json.dumps({"id_token": {"groups": None}})

    token, userinfo = redeemed(provider, shop, provider.sign_in(ask(provider, shop, claims=claims)))

    assert token["groups"] == ["editors", "staff"]
    assert "groups" not in userinfo
    metadata = provider.metadata()
    assert "groups" in metadata["scopes_supported"]
    assert "groups" in metadata["claims_supported"]


def test_groups_are_for_who_is_registered_for_them(provider, ada):
    """K4: neither the scope nor the claim comes to a client whose registration has not the scope."""
    bare = provider.client("bare", scope="openid profile", first_party=True)
    claims = json.dumps({"userinfo": {"groups": {"essential": True}}, "id_token": {"groups": None}})

    page = provider.sign_in(ask(provider, bare, scope="openid profile", claims=claims))
    token, userinfo = redeemed(provider, bare, page)

    assert "groups" not in {**token, **userinfo}
    assert refusal(ask(provider, bare, scope="openid groups")) == "invalid_scope"


def test_single_claims_for_the_id_token(provider, shop):
    """OIDC Core §5.5: each place gets what was asked for there."""
    claims = json.dumps({"id_token": {"email": {"essential": True}}, "userinfo": {"family_name": None}})

    token, userinfo = redeemed(provider, shop, provider.sign_in(ask(provider, shop, claims=claims)))

    assert token["email"] == "ada@example.org"
    assert set(userinfo) == {"sub", "family_name"}


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"userinfo": {}, "id_token": {}},
        {"userinfo": None, "id_token": None},
        {"verified_claims": {"x": 1}},
        {"userinfo": {"https://unheard.example/claim": {"essential": True, "purpose": "x"}}},
        {"userinfo": {"email": {"essential": True, "unheard_of": [{}, [], None]}}},
        {"userinfo": {"name#fr": None, "": None, "\u00fc": None}},
    ],
)
def test_what_is_not_understood_is_ignored(provider, shop, claims):
    """OIDC Core §5.5: any members that are not understood MUST be ignored."""
    assert success(provider.sign_in(ask(provider, shop, claims=json.dumps(claims))))


def test_missing_claims_are_no_error(provider, shop):
    """OIDC Core §5.5.1: not even an essential claim; nor one with a value that is not so."""
    provider.account("bare")
    claims = json.dumps({"userinfo": {"phone_number": {"essential": True}, "gender": {"value": "other"}}})
    page = ask(provider, shop, claims=claims).submit("login-submit", username="bare", password=PASSWORD)

    _, userinfo = redeemed(provider, shop, page)

    assert set(userinfo) == {"sub"}


def test_auth_time_asked_for(provider, shop):
    """OIDC Core §5.5.1: auth_time by name is in the ID token."""
    claims = json.dumps({"id_token": {"auth_time": {"essential": True}}})

    token, _ = redeemed(provider, shop, provider.sign_in(ask(provider, shop, claims=claims)))

    assert token["auth_time"] == int(provider.clock.now().timestamp())


@pytest.mark.parametrize("place", ["id_token", "userinfo"])
def test_sub_of_the_person_who_is_signed_in(provider, ada, shop, place):
    """OIDC Core §5.5.1: sub with a value asks for that person; silently, if it is so."""
    claims = json.dumps({place: {"sub": {"value": ada["id"]}}})

    token, _ = redeemed(
        provider, shop, ask(provider, shop, signed_in(provider), prompt="none", claims=claims)
    )

    assert token["sub"] == ada["id"]


def test_sub_of_somebody_else(provider, ada, shop):
    """OIDC Core §3.1.2.2: no ID token or code for another person than the one asked for."""
    provider.account("grace", password="another long password")
    claims = json.dumps({"id_token": {"sub": {"value": ada["id"]}}})
    browser = signed_in(provider, "grace", "another long password")

    assert refusal(ask(provider, shop, browser, prompt="none", claims=claims)) == "login_required"

    page = ask(provider, shop, browser, claims=claims)
    assert page.has("login-submit")
    assert (
        refusal(page.submit("login-submit", username="grace", password="another long password"))
        == "login_required"
    )


def test_essential_acr(provider, shop):
    """OIDC Core §5.5.1.1: an essential acr that cannot be reached fails; one we have succeeds."""
    unmet = json.dumps({"id_token": {"acr": {"essential": True, "values": ["urn:unheard:of"]}}})
    met = json.dumps({"id_token": {"acr": {"essential": True, "values": ["x", "urn:idp:loa:1"]}}})
    wish = json.dumps({"id_token": {"acr": {"values": ["urn:unheard:of"]}}})

    assert refusal(ask(provider, shop, claims=unmet)) == "unmet_authentication_requirements"
    assert (
        redeemed(provider, shop, provider.sign_in(ask(provider, shop, claims=met)))[0]["acr"]
        == "urn:idp:loa:1"
    )
    assert (
        redeemed(provider, shop, provider.sign_in(ask(provider, shop, claims=wish)))[0]["acr"]
        == "urn:idp:loa:1"
    )


def test_single_claims_are_asked_for(provider, ada):
    """K1: a claim is no way round the consent for a scope; each new one is asked for."""
    client = provider.client("third", first_party=False)
    browser = signed_in(provider)
    claims = json.dumps({"userinfo": {"birthdate": None}})
    success(ask(provider, client, browser).submit("consent-allow"))

    assert refusal(ask(provider, client, browser, prompt="none", claims=claims)) == "consent_required"
    page = ask(provider, client, browser, claims=claims)
    assert "date of birth" in page.text
    _, userinfo = redeemed(provider, client, page.submit("consent-allow"))
    assert userinfo["birthdate"] == "1815-12-10"
    assert success(ask(provider, client, browser, prompt="none", claims=claims))


@pytest.mark.parametrize(
    "claims",
    [
        "{",
        "null",
        "[]",
        "1",
        '"text"',
        "{'userinfo': {}}",
        '{"userinfo": []}',
        '{"userinfo": {"email": true}}',
        '{"userinfo": {"email": {"essential": "yes"}}}',
        '{"userinfo": {"email": {"values": "x"}}}',
        '{"userinfo": {"email": {"value": {}}}}',
        '{"userinfo": {}, "userinfo": {}}',
        '{"userinfo": {"email": {"value": NaN}}}',
        '{"userinfo": {"email": {"value": 1e999}}}',
        '{"id_token": {"sub": {"value": 7}}}',
        '{"id_token": {"sub": {"values": ["a", "b"]}}}',
        '{"userinfo": {"email": {"value": "a\\u0000b"}}}',
        '{"userinfo": {"email": {"value": "\\ud800"}}}',
        '{"a":' * 1000 + "1" + "}" * 1000,
        "[" * 4000,
        '{"userinfo": {"email": {"value": ' + "9" * 5000 + "}}}",
        "\ufeff{}",
    ],
)
def test_malformed_claims_are_refused(provider, shop, claims):
    """X3, X5: invalid_request to the client, whatever the JSON parser makes of it."""
    page = ask(provider, shop, claims=claims)

    assert refusal(page) == "invalid_request"
    assert "claim" in response_parameters(page)["error_description"]
