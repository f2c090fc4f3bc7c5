"""The userinfo endpoint. Source: OpenID Connect Core §5.3, RFC 6750."""

from datetime import timedelta

import pytest

EVERYTHING = ("openid", "profile", "email", "address", "phone")


def _challenge(response) -> str:
    return dict(response.headers)["WWW-Authenticate"]


def test_claims_come_by_scope_with_the_right_types(back):
    """OIDC Core §5.1, §5.4."""
    body = back.userinfo(back.sign_in(scopes=EVERYTHING)["access_token"]).body

    assert body == {
        "sub": back.account.id,
        "name": "Ada Lovelace",
        "preferred_username": "ada",
        "birthdate": "1815-12-10",
        "updated_at": int(back.account.updated_at.timestamp()),
        "email": "ada@example.org",
        "email_verified": True,
        "address": {"locality": "London", "country": "GB"},
        "phone_number": "+44 20 7946 0000",
        "phone_number_verified": True,
    }


def test_nothing_of_scopes_not_granted(back):
    assert back.userinfo(back.sign_in()["access_token"]).body == {"sub": back.account.id}


def test_single_claims_can_be_asked_for(back):
    """OIDC Core §5.5."""
    asked = {"userinfo": {"birthdate": None, "email": {"essential": True}, "password": None}, "id_token": {}}

    body = back.userinfo(back.sign_in(claims_request=asked)["access_token"]).body

    assert body == {"sub": back.account.id, "birthdate": "1815-12-10", "email": "ada@example.org"}


def test_opaque_tokens_work_as_well(back):
    back.client("sealed", access_token_format="opaque")
    token = back.sign_in("sealed")["access_token"]

    assert token.startswith("idp_at_")
    assert back.userinfo(token).status == 200


def test_the_token_may_come_in_a_posted_form(back):
    """RFC 6750 §2.2."""
    token = back.sign_in()["access_token"]

    assert back.userinfo(method="POST", access_token=token).status == 200
    assert back.userinfo(token, method="POST").status == 200


def test_no_token_is_challenged_without_an_error(back):
    """RFC 6750 §3.1."""
    for options in (
        {},
        {"headers": {"Authorization": "Basic abc"}},
        {"headers": {"Authorization": "Bearer"}},
    ):
        response = back.userinfo(**options)
        assert (response.status, _challenge(response)) == (401, 'Bearer realm="https://idp.example"')


def test_two_tokens_are_one_too_many(back):
    token = back.sign_in()["access_token"]

    response = back.userinfo(token, method="POST", access_token=token)

    assert (response.status, response.body["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "token", ["junk", "idp_at_junk", "a.b.c", "x" * 9000, "☃", "eyJhbGciOiJub25lIn0.e30."]
)
def test_junk_is_an_invalid_token(back, token):
    """T1, T3."""
    response = back.userinfo(token)

    assert (response.status, response.body["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in _challenge(response)


def test_other_kinds_of_token_are_refused(back):
    """T4: each kind is typed and checked."""
    tokens = back.sign_in()

    assert back.userinfo(tokens["id_token"]).status == 401
    assert back.userinfo(tokens["refresh_token"]).status == 401


def test_without_openid_the_scope_is_insufficient(back):
    response = back.userinfo(back.sign_in(scopes=("profile",))["access_token"])

    assert (response.status, response.body["error"]) == (403, "insufficient_scope")
    assert 'scope="openid"' in _challenge(response)


def test_a_token_expires(back):
    """T6."""
    token = back.sign_in()["access_token"]
    back.clock.advance(timedelta(minutes=5))

    assert back.userinfo(token).status == 401


@pytest.mark.parametrize("end", ["account", "client", "session"])
def test_what_the_token_stands_on_ends_it_at_once(back, end):
    """T16."""
    token = back.sign_in()["access_token"]
    back.clock.advance(timedelta(seconds=1))

    if end == "account":
        back.disable_account()
    elif end == "client":
        back.set_client_disabled("web", disabled=True)
    else:
        with back.database.transaction():
            back.repos.families.revoke_for_session("ses_1", back.clock.now(), keep_offline=True)

    assert back.userinfo(token).status == 401


def test_offline_access_survives_the_session(back):
    token = back.sign_in(scopes=("openid", "offline_access"), offline=True)["access_token"]
    with back.database.transaction():
        back.repos.families.revoke_for_session("ses_1", back.clock.now(), keep_offline=True)

    assert back.userinfo(token).status == 200


def test_one_statement_is_all_it_takes(back):
    token = back.sign_in()["access_token"]
    back.userinfo(token)

    with back.database.statements.measure() as measured:
        back.userinfo(token)

    assert (len(measured.statements), measured.commits) == (1, 0)
