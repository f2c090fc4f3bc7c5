"""The client credentials grant. Source: RFC 6749 §4.4."""

import pytest

from idp.oauth import ProtocolResponse

AUTH = ("machine", "s3cret")


@pytest.fixture
def ask(back):
    back.machine()

    def ask(**form) -> ProtocolResponse:
        return back.token(grant_type="client_credentials", auth=AUTH, **form)

    return ask


def test_a_machine_gets_a_token_for_itself(back, ask):
    response = ask()
    claims = back.claims(response.body["access_token"], "at+jwt")

    assert set(response.body) == {"access_token", "token_type", "expires_in", "scope"}
    assert response.body["scope"] == "jobs:run"
    assert (claims["sub"], claims["client_id"], claims["aud"]) == (
        "machine",
        "machine",
        "https://idp.example",
    )
    assert "fam" not in claims
    assert "auth_time" not in claims


def test_it_touches_no_store(back, ask):
    """No client_credentials request writes to the database, and none reads from it."""
    ask()

    with back.database.statements.measure() as measured:
        assert ask().status == 200

    assert (measured.statements, measured.commits) == ([], 0)


def test_it_is_counted_in_batches(back, ask):
    ask()
    ask()

    assert back.issue_counter.flush() == 1


@pytest.mark.parametrize("scope", ["openid", "jobs:run other", "email", "jobs:run openid"])
def test_scopes_it_is_not_registered_for_are_refused(ask, scope):
    response = ask(scope=scope)

    assert (response.status, response.body["error"]) == (400, "invalid_scope")


def test_openid_scopes_are_never_granted(back):
    """There is no person."""
    back.machine("both", scope="openid jobs:run")

    response = back.token(grant_type="client_credentials", auth=("both", "s3cret"))

    assert response.body["scope"] == "jobs:run"


def test_the_owner_of_the_scopes_is_the_audience(back):
    """T5, RFC 8707."""
    back.resource("https://jobs.example", "jobs:run")
    back.resource("https://mail.example", "mail:send")
    back.machine("busy", scope="jobs:run mail:send")

    def ask(**form):
        return back.token(grant_type="client_credentials", auth=("busy", "s3cret"), **form)

    one = back.claims(ask(scope="jobs:run").body["access_token"], "at+jwt")
    chosen = back.claims(ask(resource="https://mail.example").body["access_token"], "at+jwt")

    assert (one["aud"], one["scope"]) == ("https://jobs.example", "jobs:run")
    assert (chosen["aud"], chosen["scope"]) == ("https://mail.example", "mail:send")
    assert ask().body["error"] == "invalid_target"
    assert ask(resource="https://elsewhere.example").body["error"] == "invalid_target"


def test_opaque_on_request(back):
    back.machine("sealed", access_token_format="opaque")

    token = back.token(grant_type="client_credentials", auth=("sealed", "s3cret")).body["access_token"]

    assert token.startswith("idp_at_")
    assert back.introspect(token, "sealed")["active"] is True


def test_a_person_cannot_be_asked_for_with_it(back, ask):
    """T17: a token of a machine opens no userinfo."""
    response = back.userinfo(ask().body["access_token"])

    assert response.status == 403
    assert 'error="insufficient_scope"' in dict(response.headers)["WWW-Authenticate"]
