"""The authorization code grant.

| MUST | test |
|---|---|
| used once (RFC 6749 §4.1.2) | test_a_code_works_once |
| replay revokes (§4.1.2) | test_a_replay_kills_what_the_code_gave |
| bound to client, redirect URI, challenge (§4.1.3, RFC 7636 §4.6) | test_a_code_is_bound |
"""

from datetime import timedelta

import pytest

from idp.oauth.id_token import at_hash

WRONG = "w" * 43


def _error(response) -> str:
    assert response.status == 400, response
    return response.body["error"]


def test_a_code_gives_tokens(back):
    """RFC 6749 §5.1: all members."""
    response = back.exchange(back.code())

    assert response.status == 200
    assert set(response.body) == {
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "refresh_token",
        "id_token",
    }
    assert response.body["token_type"] == "Bearer"
    assert response.body["expires_in"] == 300
    assert response.body["scope"] == "openid"


def test_the_id_token_says_who_signed_in_and_when(back):
    """OIDC Core §2: RS256 by default, nonce echoed, auth_time of the sign-in, no claims of scopes."""
    auth_time = back.clock.now() - timedelta(hours=1)
    tokens = back.sign_in(scopes=("openid", "profile", "email"), auth_time=auth_time)
    claims = back.claims(tokens["id_token"])
    now = int(back.clock.now().timestamp())

    assert claims == {
        "iss": "https://idp.example",
        "sub": back.account.id,
        "aud": "web",
        "iat": now,
        "exp": now + 600,
        "auth_time": int(auth_time.timestamp()),
        "nonce": "n-0S6",
        "acr": "urn:idp:loa:1",
        "amr": ["pwd"],
        "sid": "ses_1",
        "at_hash": at_hash(tokens["access_token"].encode(), "RS256"),
    }


def test_the_id_token_holds_claims_asked_for_by_name(back):
    """OIDC Core §5.5: the claims parameter reaches the ID token; it cannot replace protocol claims."""
    asked = {"id_token": {"email": {"essential": True}, "iss": None, "birthdate": None, "nickname": None}}

    claims = back.claims(back.sign_in(claims_request=asked)["id_token"])

    assert (claims["email"], claims["birthdate"]) == ("ada@example.org", "1815-12-10")
    assert claims["iss"] == "https://idp.example"
    assert "nickname" not in claims


def test_without_openid_there_is_no_id_token(back):
    assert "id_token" not in back.sign_in(scopes=("profile",))


def test_the_access_token_is_typed_and_belongs_to_its_family(back):
    """RFC 9068 §2, row T4."""
    claims = back.claims(back.sign_in()["access_token"], "at+jwt")

    assert (claims["aud"], claims["client_id"], claims["scope"]) == ("https://idp.example", "web", "openid")
    assert {"jti", "fam", "auth_time", "acr", "amr", "iat", "exp", "sub", "iss"} <= claims.keys()


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
def test_the_client_chooses_the_id_token_algorithm(back, alg):
    """OIDC Core §3.1.3.6: at_hash uses the digest that belongs to the algorithm."""
    back.client("chooser", id_token_signed_response_alg=alg)
    tokens = back.sign_in("chooser")

    assert back.claims(tokens["id_token"])["at_hash"] == at_hash(tokens["access_token"].encode(), alg)


def test_a_code_works_once(back):
    """C1, also 30 seconds later."""
    code = back.code()
    first = back.exchange(code)
    back.clock.advance(timedelta(seconds=30))

    assert first.status == 200
    assert _error(back.exchange(code)) == "invalid_grant"


def test_a_replay_kills_what_the_code_gave(back):
    """C2: a second valid use revokes the family."""
    code = back.code()
    tokens = back.exchange(code).body

    back.exchange(code)

    assert back.userinfo(tokens["access_token"]).status == 401
    assert _error(back.refresh(tokens["refresh_token"])) == "invalid_grant"
    assert back.events().count("token.code.replayed") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": WRONG},
        {"code_verifier": None},
        {"caller": "other"},
        {"redirect_uri": "https://client.example/other"},
    ],
)
def test_a_replay_by_somebody_else_kills_nothing(back, changes):
    """C2: a replay with a wrong verifier or client must not revoke."""
    back.client("other")
    code = back.code()
    tokens = back.exchange(code).body

    assert _error(back.exchange(code, **changes)) == "invalid_grant"
    assert back.userinfo(tokens["access_token"]).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": WRONG},
        {"code_verifier": None},
        {"caller": "other"},
        {"redirect_uri": "https://client.example/callback/"},
        {"code": "idp_ac_unknown"},
        {"code": "x" * 5000},
        {"code": "☃"},
    ],
)
def test_a_code_is_bound(back, changes):
    """C4, C6, R5: client, verifier and redirect URI must be the request's; the right ones still work."""
    back.client("other")
    code = back.code()

    assert _error(back.exchange(**{"code": code, **changes})) == "invalid_grant"
    assert back.exchange(code).status == 200


def test_a_redirect_uri_not_sent_is_not_compared(back):
    """R5: OAuth 2.1 drops the need to send it."""
    assert back.exchange(back.code(), redirect_uri=None).status == 200


def test_a_verifier_without_a_challenge_is_refused(back):
    """C6: otherwise stripping the challenge from the request would go unnoticed."""
    back.client("old", require_pkce=False)

    assert _error(back.exchange(back.code("old", challenge=None), "old")) == "invalid_grant"
    assert back.exchange(back.code("old", challenge=None), "old", code_verifier=None).status == 200


@pytest.mark.parametrize("verifier", ["v" * 42, "v" * 129, "v" * 42 + "!", "v" * 42 + "é"])
def test_a_malformed_verifier_is_refused_and_costs_nothing(back, verifier):
    """C7: 43 to 128 unreserved characters."""
    code = back.code()

    assert _error(back.exchange(code, code_verifier=verifier)) == "invalid_request"
    assert back.exchange(code).status == 200


def test_guessing_the_verifier_burns_the_code(back):
    """C8."""
    code = back.code()
    for _ in range(5):
        back.exchange(code, code_verifier=WRONG)

    assert _error(back.exchange(code)) == "invalid_grant"


def test_four_wrong_verifiers_do_not_burn_the_code(back):
    code = back.code()
    for _ in range(4):
        back.exchange(code, code_verifier=WRONG)

    assert back.exchange(code).status == 200


def test_a_code_expires(back):
    """C3: within 60 seconds."""
    code = back.code()
    back.clock.advance(timedelta(seconds=60))

    assert _error(back.exchange(code)) == "invalid_grant"


def test_a_disabled_account_gets_nothing(back):
    """T16."""
    code = back.code()
    back.disable_account()

    assert _error(back.exchange(code)) == "invalid_grant"


def test_codes_from_before_the_clients_epoch_are_dead(back):
    """T16: switching a client off and on again brings nothing back."""
    code = back.code()
    back.clock.advance(timedelta(seconds=1))
    back.set_client_disabled("web", disabled=True)
    back.set_client_disabled("web", disabled=False)

    assert _error(back.exchange(code)) == "invalid_grant"
    back.clock.advance(timedelta(seconds=1))
    assert back.exchange(back.code()).status == 200


def test_a_client_without_the_grant_is_refused(back):
    """R11."""
    back.machine()

    response = back.exchange(back.code(), "machine")

    assert _error(response) == "unauthorized_client"


def test_no_refresh_token_without_the_grant(back):
    back.client("short", grant_types=["authorization_code"])

    assert "refresh_token" not in back.sign_in("short")


def test_an_exchange_commits_once(back):
    back.exchange(back.code())
    code = back.code()

    with back.database.statements.measure() as measured:
        assert back.exchange(code).status == 200

    assert measured.commits == 1


def test_a_wrong_resource_is_told_before_the_code_is_used_up(back):
    """RFC 8707 §2.2; T10."""
    back.resource("https://api.example", "read")
    code = back.code(scopes=("openid",))

    assert _error(back.exchange(code, resource="https://api.example")) == "invalid_target"
    assert _error(back.exchange(code, resource="nonsense")) == "invalid_target"
    assert back.exchange(code, resource="https://idp.example").status == 200


def test_the_resource_of_the_grant_is_the_audience(back):
    """T5; opaque because the resource server wants it so."""
    back.resource("https://api.example", "read", access_token_format="opaque")
    back.client("caller", scope="openid read")
    api = "https://api.example"
    grant = {"scopes": ("openid", "read"), "resources": (api,), "default_audience": api}

    tokens = back.sign_in("caller", **grant)
    for_userinfo = back.exchange(back.code("caller", **grant), "caller", resource="https://idp.example").body

    assert tokens["access_token"].startswith("idp_at_")
    assert tokens["scope"] == "read"
    assert back.userinfo(tokens["access_token"]).status == 401
    assert back.userinfo(for_userinfo["access_token"]).status == 200


def test_several_resources_need_a_choice_and_asking_for_it_costs_nothing(back):
    """RFC 8707 §2.2: invalid_target, and the code and the refresh token stay good."""
    back.resource("https://api.example", "read")
    back.resource("https://mail.example", "send")
    back.client("caller", scope="read send", rotate_refresh_tokens=True)
    resources = ("https://api.example", "https://mail.example")
    code = back.code("caller", scopes=("read", "send"), resources=resources, default_audience=None)

    assert _error(back.exchange(code, "caller")) == "invalid_target"
    token = back.exchange(code, "caller", resource=resources[0]).body["refresh_token"]
    assert _error(back.refresh(token, "caller")) == "invalid_target"
    back.clock.advance(timedelta(minutes=1))
    assert back.refresh(token, "caller", resource=resources[1]).body["scope"] == "send"


def test_a_resource_server_that_is_gone_leaves_no_family_open(back):
    code = back.code(resources=("https://gone.example",), default_audience="https://gone.example")

    assert _error(back.exchange(code)) == "invalid_target"
    with back.database.transaction(write=False):
        row = back.repos.one_time.find("authorization_code", back.codes.digest_of(code))
        assert back.repos.families.get(row.outcome).revoked_at is not None
