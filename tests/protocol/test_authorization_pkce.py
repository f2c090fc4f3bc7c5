"""PKCE at the authorization endpoint; the verifier's side is in test_token_code.py.

| row        | MUST                                            | test                                       |
|------------|-------------------------------------------------|--------------------------------------------|
| C5         | PKCE from every client                          | test_challenge_is_required                 |
| C5         | S256 only, absent means plain                   | test_other_methods_are_refused             |
| C5         | announced                                       | test_s256_is_announced                     |
| C5         | an exemption is for confidential clients alone  | test_exemption_is_for_confidential_clients |
| C7         | 43 unreserved characters for the S256 challenge | test_malformed_challenge_is_refused        |
| C6         | what was sent is bound to the code              | test_challenge_is_bound_whoever_is_exempt  |
| 7636 4.4.1 | the client hears of it by redirect              | test_challenge_is_required                 |
"""

import pytest

from idp.errors import Invalid
from tests.frontchannel import CHALLENGE, SQLITE_ONLY, VERIFIER, ask, refusal, success
from tests.provider import response_parameters

pytestmark = pytest.mark.parametrize(*SQLITE_ONLY)


@pytest.mark.parametrize("fixture", ["shop", "kiosk", "spa"])
@pytest.mark.parametrize("missing", [None, ""])
def test_challenge_is_required(provider, request, fixture, missing):
    """C5, RFC 7636 §4.4.1: no code without a challenge, for public and confidential clients; by redirect."""
    client = request.getfixturevalue(fixture)

    page = ask(provider, client, code_challenge=missing, code_challenge_method=missing)

    assert refusal(page) == "invalid_request"
    assert "code_challenge" in response_parameters(page)["error_description"]
    assert response_parameters(page)["state"] == "s-123"


def test_method_without_challenge_is_refused(provider, shop):
    """C5: half of PKCE is none."""
    exempt = provider.client("exempt", require_pkce=False)

    assert refusal(ask(provider, shop, code_challenge=None)) == "invalid_request"
    assert refusal(ask(provider, exempt, code_challenge=None)) == "invalid_request"


@pytest.mark.parametrize("method", [None, "", "plain", "s256", "S512", "S256 plain", "none"])
@pytest.mark.parametrize("require", [True, False])
def test_other_methods_are_refused(provider, ada, method, require):
    """C5: S256 alone; a missing method means plain (RFC 7636 §4.3), for exempt clients as well."""
    client = provider.client("app", require_pkce=require)

    assert refusal(ask(provider, client, code_challenge_method=method)) == "invalid_request"


@pytest.mark.parametrize(
    "challenge",
    [
        "c" * 42,
        "c" * 44,
        "c" * 128,
        CHALLENGE + "=",
        "c" * 42 + "+",
        "c" * 42 + "/",
        "c" * 42 + ".",
        "c" * 42 + "é",
        " " * 43,
    ],
)
def test_malformed_challenge_is_refused(provider, shop, challenge):
    """C7: a SHA-256 in base64url has 43 characters, no padding."""
    assert refusal(ask(provider, shop, code_challenge=challenge)) == "invalid_request"


def test_s256_is_announced(provider):
    """C5, RFC 8414 §2."""
    assert provider.metadata()["code_challenge_methods_supported"] == ["S256"]


def test_exemption_is_for_confidential_clients(provider, ada):
    """C5: an operator may exempt a client that has a secret, never a public one."""
    exempt = provider.client("exempt", require_pkce=False)

    page = provider.sign_in(ask(provider, exempt, code_challenge=None, code_challenge_method=None))
    assert provider.exchange(exempt, success(page)).status == 200

    with pytest.raises(Invalid) as refused:
        provider.client("public", auth_method="none", require_pkce=False)
    assert refused.value.field == "require_pkce"


def test_challenge_is_bound_whoever_is_exempt(provider, ada):
    """C6: a client that need not send a challenge is held to the one it sent."""
    exempt = provider.client("exempt", require_pkce=False)
    code = success(provider.sign_in(ask(provider, exempt)))

    assert provider.exchange(exempt, code).status == 400
    assert provider.exchange(exempt, code, verifier=VERIFIER).status == 200
