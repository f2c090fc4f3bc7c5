"""Resource indicators (RFC 8707) at the authorization endpoint.

| row      | MUST                                             | test                                        |
|----------|--------------------------------------------------|---------------------------------------------|
| 8707 2   | resource may repeat                              | test_several_resources                      |
| 8707 2   | unknown or malformed ones are invalid_target     | test_unknown_resource_is_refused            |
| 8707 2.2 | the token is for what was asked for, and nothing | test_token_is_for_the_resource              |
|          | else                                             |                                             |
| T5       | one audience per token                           | test_several_resources                      |
| K1       | each new resource is asked for, even without a   | test_new_resource_is_asked_for              |
|          | scope                                            |                                             |
| K2       | the page names the resource server and its own   | test_page_names_the_resource                |
|          | words                                            |                                             |
| K4       | scopes of other resources are left out,          | test_scopes_of_other_resources_are_left_out |
|          | unregistered refused                             | test_unregistered_resource_scope            |
| X3       | not without end                                  | test_too_many_resources                     |
"""

import pytest

from tests.frontchannel import (
    SQLITE_ONLY,
    VERIFIER,
    ask,
    refusal,
    request_pairs,
    shown_error,
    signed_in,
    success,
)
from tests.protocol import jose
from tests.provider import Client

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)

THINGS, MAIL = "https://things.example", "https://mail.example/api?v=1"


@pytest.fixture
def portal(provider, ada) -> Client:
    """A third-party client for two resource servers."""
    provider.resource(THINGS, read_things="See your things", write_things="Change your things")
    provider.resource(MAIL, read_mail="Read your mail")
    return provider.client(
        "portal", scope="openid offline_access read:things write:things read:mail", first_party=False
    )


def redeemed(provider, client, page, **form):
    answer = provider.exchange(client, success(page), verifier=VERIFIER, **form)
    assert answer.status == 200, answer.text
    return answer.json(), jose.claims(answer.json()["access_token"])


def allowed(page):
    return page.submit("consent-allow") if page.has("consent-allow") else page


def test_token_is_for_the_resource(provider, portal):
    """RFC 8707 §2.2, T5: its audience, its scopes; the ID token beside it."""
    page = ask(provider, portal, signed_in(provider), scope="openid read:things", resource=THINGS)

    tokens, claims = redeemed(provider, portal, allowed(page))

    assert claims["aud"] == THINGS
    assert claims["scope"] == tokens["scope"] == "read:things"
    assert jose.claims(tokens["id_token"])["aud"] == portal.id
    assert provider.userinfo(tokens["access_token"]).status == 401


def test_several_resources(provider, portal):
    """RFC 8707 §2: several resource parameters; each token is for one of them (T5)."""
    pairs = request_pairs(
        portal, ("resource", THINGS), ("resource", MAIL), scope="openid read:things read:mail"
    )
    for chosen, scope in ((THINGS, "read:things"), (MAIL, "read:mail"), (provider.issuer, "openid")):
        page = signed_in(provider).get("/authorize", pairs)

        tokens, claims = redeemed(provider, portal, allowed(page), resource=chosen)

        assert (claims["aud"], tokens["scope"]) == (chosen, scope)


def test_the_same_resource_twice_is_one(provider, portal):
    """RFC 8707 §2: repetition is allowed, so it is no error."""
    pairs = request_pairs(portal, ("resource", THINGS), ("resource", THINGS), scope="read:things")

    page = signed_in(provider).get("/authorize", pairs)

    assert redeemed(provider, portal, allowed(page))[1]["aud"] == THINGS


@pytest.mark.parametrize(
    "resource",
    [
        "https://unknown.example",
        THINGS + "/",
        THINGS.upper(),
        "things",
        "https://things.example#f",
        "urn:x",
        "/",
    ],
)
def test_unknown_resource_is_refused(provider, portal, resource):
    """RFC 8707 §2: invalid_target, by redirect; identifiers are compared exactly."""
    assert refusal(ask(provider, portal, signed_in(provider), resource=resource)) == "invalid_target"


def test_one_unknown_among_known_ones(provider, portal):
    """RFC 8707 §2: all or nothing."""
    pairs = request_pairs(portal, ("resource", THINGS), ("resource", "https://unknown.example"))

    assert refusal(signed_in(provider).get("/authorize", pairs)) == "invalid_target"


def test_empty_resource_is_absent(provider, portal):
    """R9."""
    page = ask(provider, portal, signed_in(provider), resource="")

    assert redeemed(provider, portal, allowed(page))[1]["aud"] == provider.issuer


def test_issuer_as_resource(provider, portal):
    """RFC 8707 §2: the issuer's own resource is userinfo."""
    page = ask(provider, portal, signed_in(provider), resource=provider.issuer)

    tokens, claims = redeemed(provider, portal, allowed(page))

    assert claims["aud"] == provider.issuer
    assert provider.userinfo(tokens["access_token"]).status == 200


def test_scopes_of_other_resources_are_left_out(provider, portal):
    """RFC 8707 §2.2: read:mail means nothing at the things server; the answer's scope tells."""
    page = ask(provider, portal, signed_in(provider), scope="read:things read:mail", resource=THINGS)
    assert "Read your mail" not in page.text

    assert redeemed(provider, portal, allowed(page))[0]["scope"] == "read:things"


def test_unregistered_resource_scope(provider, portal):
    """K4: a resource server's scope that this client is not registered for."""
    provider.resource("https://bank.example", move_money="Move your money")

    assert refusal(ask(provider, portal, scope="openid move:money")) == "invalid_scope"


def test_new_resource_is_asked_for(provider, portal):
    """K1: a resource counts even without a scope of it; the token alone opens its door."""
    browser = signed_in(provider)
    success(allowed(ask(provider, portal, browser)))

    assert refusal(ask(provider, portal, browser, resource=THINGS, prompt="none")) == "consent_required"
    success(allowed(ask(provider, portal, browser, resource=THINGS)))
    assert success(ask(provider, portal, browser, resource=THINGS, prompt="none"))
    assert refusal(ask(provider, portal, browser, resource=MAIL, prompt="none")) == "consent_required"


def test_consent_is_per_resource(provider, portal):
    """K1: read:things allowed, write:things not yet."""
    browser = signed_in(provider)
    success(allowed(ask(provider, portal, browser, scope="openid read:things")))

    more = ask(provider, portal, browser, scope="openid read:things write:things", prompt="none")
    assert refusal(more) == "consent_required"


def test_page_names_the_resource(provider, portal):
    """K2: the resource server's own words, escaped."""
    words = "<script>alert(1)</script> 100% of %(name)s & more"
    provider.resource("https://evil.example", see_all=words)
    client = provider.client("other", scope="openid see:all read:things", first_party=False)

    page = ask(provider, client, signed_in(provider), scope="openid see:all read:things")

    assert "See your things" in page.text
    assert words in page.text
    assert "The API" in page.text


def test_too_many_resources(provider, portal):
    """X3."""
    many = [("resource", f"https://r{number}.example") for number in range(30)]

    page = provider.browser().get("/authorize", request_pairs(portal, *many))

    assert shown_error(page)[:2] == (400, "invalid_request")
    assert "resource" in page.text
