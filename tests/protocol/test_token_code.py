"""The authorization code grant at the token endpoint.

| row          | MUST                                 | test                                               |
|--------------|--------------------------------------|----------------------------------------------------|
| 6749 5.1     | JSON, no-store, token_type,          | test_response_has_the_members_of_the_specification |
|              | expires_in, scope                    |                                                    |
| C1           | a code works once                    | test_code_works_once                               |
| C1           | N parallel exchanges, one success    | test_parallel_exchanges_have_one_winner            |
| C2           | a valid second use kills what the    | test_code_used_twice_revokes_the_tokens_it_gave    |
|              | first gave                           |                                                    |
| C2           | … also 30 seconds later              | the same, parametrised                             |
| C2           | a replay without proof does not      | test_replay_without_proof_revokes_nothing          |
|              | revoke                               |                                                    |
| C3           | codes end within 60 s                | test_code_ends_after_a_minute                      |
| C4           | bound to client, redirect URI,       | test_code_is_bound_to_its_client,                  |
|              | challenge                            | test_wrong_verifier_is_refused                     |
| C6           | no verifier without challenge, none  | test_missing_verifier_is_refused,                  |
|              | missing with one                     | test_verifier_without_challenge_is_refused         |
| C7           | 43 to 128 unreserved characters      | test_malformed_verifier_is_refused,                |
|              |                                      | test_verifier_lengths_at_the_limits                |
| C8           | a few wrong verifiers burn the code  | test_wrong_verifiers_burn_the_code                 |
| C9           | 128 bits of entropy                  | test_codes_are_long_and_all_different              |
| C10          | only hashes of codes and tokens are  | test_database_holds_no_code_and_no_token           |
|              | stored                               |                                                    |
| R5           | redirect_uri, when sent, equals the  | test_other_redirect_uri_is_refused,                |
|              | request's                            | test_redirect_uri_may_be_left_out                  |
| R10, R11     | no password grant; only registered   | test_password_grant_is_unknown,                    |
|              | grants                               | test_unregistered_grant_is_refused                 |
| 6749 6       | a refresh token only with that grant | test_no_refresh_token_without_the_grant            |
| OIDC 3.1.2.1 | an ID token only with openid         | test_no_id_token_without_openid                    |
"""

import threading
from http import HTTPStatus

import pytest
from sqlalchemy import MetaData, select

from tests.bench import NewProvider
from tests.provider import CALLBACK, PASSWORD, Client, Pkce, Provider
from tests.serving import reach
from tests.transport import Answer, Http

INVALID_GRANT = (400, "invalid_grant")


def outcome(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["error"]


def new_code(provider: Provider, client: Client, **parameters: str) -> tuple[str, str]:
    """A code and the verifier that belongs to it."""
    pkce = Pkce()
    return provider.code(client, **pkce.parameters, **parameters), pkce.verifier


def test_response_has_the_members_of_the_specification(provider, shop):
    """RFC 6749 §5.1, OIDC Core §3.1.3.3, row T12: JSON, no-store, Bearer, expires_in, scope, id_token."""
    code, verifier = new_code(provider, shop, scope="openid profile")

    answer = provider.exchange(shop, code, verifier=verifier)

    assert answer.status == HTTPStatus.OK
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("Pragma") == "no-cache"
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 300
    assert body["scope"].split() == ["openid", "profile"]


def test_code_works_once(provider, shop):
    """C1, RFC 6749 §4.1.2: a code used twice is denied."""
    code, verifier = new_code(provider, shop)
    assert provider.exchange(shop, code, verifier=verifier).status == HTTPStatus.OK

    assert outcome(provider.exchange(shop, code, verifier=verifier)) == INVALID_GRANT


def test_parallel_exchanges_have_one_winner(provider, shop):
    """C1: of N parallel exchanges exactly one succeeds; none is a server error."""
    code, verifier = new_code(provider, shop)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }
    answers: list[Answer] = []
    together = threading.Barrier(6)

    def exchange() -> None:
        http = Http(reach(provider.app))
        together.wait()
        answers.append(http.post("/token", form, auth=shop.auth))

    threads = [threading.Thread(target=exchange) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status for answer in answers) == [200] + [400] * 5


@pytest.mark.parametrize("seconds", [0, 30])
def test_code_used_twice_revokes_the_tokens_it_gave(provider, shop, seconds):
    """C2, RFC 6749 §4.1.2: a valid second use is denied and kills the tokens of the first, also later."""
    code, verifier = new_code(provider, shop)
    tokens = provider.exchange(shop, code, verifier=verifier).json()
    assert provider.userinfo(tokens["access_token"]).status == HTTPStatus.OK
    provider.advance(seconds=seconds)

    replay = provider.exchange(shop, code, verifier=verifier)

    assert outcome(replay) == INVALID_GRANT
    assert provider.userinfo(tokens["access_token"]).status == HTTPStatus.UNAUTHORIZED
    assert outcome(provider.refresh(shop, tokens["refresh_token"])) == INVALID_GRANT
    assert provider.introspect(shop, tokens["access_token"]).json() == {"active": False}


@pytest.mark.parametrize(
    "change", ["other_verifier", "no_verifier", "other_client", "other_redirect_uri", "wrong_secret"]
)
def test_replay_without_proof_revokes_nothing(provider, shop, change):
    """C2: who stole a used code alone cannot end the owner's sign-in with it."""
    code, verifier = new_code(provider, shop)
    tokens = provider.exchange(shop, code, verifier=verifier).json()
    client = provider.client("thief") if change == "other_client" else shop
    if change == "wrong_secret":
        client = Client(shop.id, "wrong")
    shown = {"other_verifier": Pkce().verifier, "no_verifier": None}.get(change, verifier)
    form = {"redirect_uri": "https://shop.example/other"} if change == "other_redirect_uri" else {}

    replay = provider.exchange(client, code, verifier=shown, **form)

    assert replay.status in {400, 401}
    assert provider.userinfo(tokens["access_token"]).status == HTTPStatus.OK
    assert provider.refresh(shop, tokens["refresh_token"]).status == HTTPStatus.OK


@pytest.mark.parametrize(("seconds", "status"), [(59, 200), (60, 400), (3600, 400)])
def test_code_ends_after_a_minute(provider, shop, seconds, status):
    """C3: codes live 60 seconds at most."""
    code, verifier = new_code(provider, shop)
    provider.advance(seconds=seconds)

    assert provider.exchange(shop, code, verifier=verifier).status == status


def test_code_is_bound_to_its_client(provider, shop):
    """C4, RFC 6749 §4.1.3: another client gets nothing, and the code stays good for its own."""
    thief = provider.client("thief")
    code, verifier = new_code(provider, shop)

    assert outcome(provider.exchange(thief, code, verifier=verifier)) == INVALID_GRANT

    assert provider.exchange(shop, code, verifier=verifier).status == HTTPStatus.OK


def test_wrong_verifier_is_refused(provider, shop):
    """C4, RFC 7636 §4.6: another verifier gets nothing; the right one still works afterwards."""
    code, verifier = new_code(provider, shop)

    assert outcome(provider.exchange(shop, code, verifier=Pkce().verifier)) == INVALID_GRANT

    assert provider.exchange(shop, code, verifier=verifier).status == HTTPStatus.OK


def test_challenge_itself_is_no_verifier(provider, shop):
    """C5: `plain` does not exist; the challenge seen in the browser is worth nothing."""
    pkce = Pkce()
    code = provider.code(shop, **pkce.parameters)

    assert outcome(provider.exchange(shop, code, verifier=pkce.challenge)) == INVALID_GRANT


def test_missing_verifier_is_refused(provider, shop):
    """C6: a challenge was sent, so a verifier is due; its absence does not use the code up."""
    code, verifier = new_code(provider, shop)

    assert outcome(provider.exchange(shop, code)) == INVALID_GRANT

    assert provider.exchange(shop, code, verifier=verifier).status == HTTPStatus.OK


def test_verifier_without_challenge_is_refused(provider, ada):
    """C6, RFC 9700 §4.8.2: no challenge was sent, so a verifier betrays a code of another request."""
    legacy = provider.client("legacy", require_pkce=False)
    code = provider.code(legacy)

    assert outcome(provider.exchange(legacy, code, verifier=Pkce().verifier)) == INVALID_GRANT

    assert provider.exchange(legacy, code).status == HTTPStatus.OK


@pytest.mark.parametrize(
    "verifier", ["a" * 42, "a" * 129, "a" * 43 + "+", "a" * 43 + " ", "a" * 43 + "é", "a" * 43 + "\n"]
)
def test_malformed_verifier_is_refused(provider, shop, verifier):
    """C7, RFC 7636 §4.1: 43 to 128 unreserved characters; anything else is no verifier, and costs nothing."""
    code, good = new_code(provider, shop)

    answer = provider.exchange(shop, code, verifier=verifier)

    assert answer.status == HTTPStatus.BAD_REQUEST
    assert answer.json()["error"] in {"invalid_request", "invalid_grant"}
    assert provider.exchange(shop, code, verifier=good).status == HTTPStatus.OK


@pytest.mark.parametrize("verifier", ["a" * 43, "a-._~Z9" * 18 + "aa"])
def test_verifier_lengths_at_the_limits(provider, shop, verifier):
    """C7: 43 and 128 characters are fine, and all unreserved characters are."""
    pkce = Pkce(verifier)
    code = provider.code(shop, **pkce.parameters)

    assert provider.exchange(shop, code, verifier=verifier).status == HTTPStatus.OK


def test_wrong_verifiers_burn_the_code(provider, shop):
    """C8: nobody guesses verifiers online; after a few wrong ones the right one does not work either."""
    code, verifier = new_code(provider, shop)
    for _ in range(10):
        assert outcome(provider.exchange(shop, code, verifier=Pkce().verifier)) == INVALID_GRANT

    assert outcome(provider.exchange(shop, code, verifier=verifier)) == INVALID_GRANT


def test_codes_are_long_and_all_different(provider, shop):
    """C9, T18: at least 128 random bits behind a prefix that secret scanners know."""
    browser = provider.browser()

    codes = {provider.code(shop, browser=browser, **Pkce().parameters) for _ in range(20)}

    assert len(codes) == 20
    assert all(code.startswith("idp_ac_") and len(code) >= len("idp_ac_") + 22 for code in codes)


@pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
def test_database_holds_no_code_and_no_token(provider, ada, access_token_format):
    """C10, K5, S1: not one secret of a whole flow can be found in any table."""
    client = provider.client("vault", access_token_format=access_token_format)
    browser = provider.browser()
    pkce = Pkce()
    code = provider.code(client, browser=browser, scope="openid offline_access", **pkce.parameters)
    waiting = provider.code(client, browser=browser, **Pkce().parameters)
    tokens = provider.exchange(client, code, verifier=pkce.verifier).json()
    provider.refresh(client, tokens["refresh_token"])

    stored = everything_stored(provider)

    given = [code, waiting, tokens["access_token"], tokens["refresh_token"], tokens["id_token"]]
    hidden = [*given, client.secret, PASSWORD, pkce.verifier, *browser.cookies.values()]
    assert [secret for secret in hidden if secret in stored] == []
    assert [secret for secret in given if secret[len("idp_xx_") :] in stored] == []


def everything_stored(provider: Provider) -> str:
    """Every row of every table as text."""
    engine = provider.container.database.engine
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        rows = [
            repr(tuple(row)) for table in tables.sorted_tables for row in connection.execute(select(table))
        ]
    assert any("ada@example.org" in row for row in rows)
    return "\n".join(rows)


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://shop.example/other",
        CALLBACK + "/",
        CALLBACK + "?",
        CALLBACK.upper(),
        "x",
        "https://shop.example/call%62ack",
    ],
)
def test_other_redirect_uri_is_refused(provider, shop, redirect_uri):
    """R5, RFC 6749 §4.1.3: sent, it must be identical; a wrong one does not use the code up."""
    code, verifier = new_code(provider, shop)

    answer = provider.exchange(shop, code, verifier=verifier, redirect_uri=redirect_uri)

    assert outcome(answer) == INVALID_GRANT
    assert provider.exchange(shop, code, verifier=verifier).status == HTTPStatus.OK


def test_redirect_uri_may_be_left_out(provider, shop):
    """R5: the OAuth 2.1 draft drops the need to send it; PKCE binds the code."""
    code, verifier = new_code(provider, shop)

    answer = provider.exchange(shop, code, verifier=verifier, redirect_uri="")

    assert answer.status == HTTPStatus.OK


@pytest.mark.parametrize("code", ["x", "idp_ac_", "idp_ac_" + "A" * 43, "A" * 5000, "ünïcödé", "' OR 1=1 --"])
def test_unknown_code_is_an_invalid_grant(provider, shop, code):
    """RFC 6749 §5.2: whatever is wrong with a code is told alike."""
    assert outcome(provider.exchange(shop, code, verifier=Pkce().verifier)) == INVALID_GRANT


def test_token_of_another_kind_is_no_code(provider, shop):
    """T4: a refresh token or an access token is not a code."""
    tokens = provider.tokens(shop)

    for name in ("refresh_token", "access_token", "id_token"):
        answer = provider.exchange(shop, tokens[name], verifier=Pkce().verifier)
        assert outcome(answer) == INVALID_GRANT


def test_missing_code_is_an_invalid_request(provider, shop):
    """RFC 6749 §5.2: a missing parameter is invalid_request."""
    assert outcome(provider.exchange(shop, "", verifier=Pkce().verifier)) == (400, "invalid_request")


@pytest.mark.parametrize(
    "grant_type", ["password", "implicit", "urn:ietf:params:oauth:grant-type:device_code", 'x"y']
)
def test_password_grant_is_unknown(provider, shop, grant_type):
    """R10: the password grant does not exist, nor does any other we do not offer."""
    form = {"grant_type": grant_type, "username": "ada", "password": PASSWORD}

    answer = provider.http.post("/token", form, auth=shop.auth)

    assert outcome(answer) == (400, "unsupported_grant_type")


def test_unregistered_grant_is_refused(provider, robot, shop):
    """R11, RFC 6749 §5.2: unauthorized_client for a grant the client is not registered for."""
    code, verifier = new_code(provider, shop)

    assert outcome(provider.exchange(robot, code, verifier=verifier)) == (400, "unauthorized_client")
    form = {"grant_type": "client_credentials"}
    assert outcome(provider.http.post("/token", form, auth=shop.auth)) == (400, "unauthorized_client")
    assert provider.exchange(shop, code, verifier=verifier).status == HTTPStatus.OK


def test_no_refresh_token_without_the_grant(provider, ada):
    """R11: a client without the refresh_token grant gets no refresh token, and cannot use one."""
    client = provider.client("short", grant_types=("authorization_code",))

    tokens = provider.tokens(client, scope="openid offline_access")

    assert "refresh_token" not in tokens
    assert "offline_access" not in tokens["scope"].split()
    assert provider.userinfo(tokens["access_token"]).status == HTTPStatus.OK


def test_no_id_token_without_openid(provider, ada):
    """OIDC Core §3.1.2.1: without the scope openid it is plain OAuth."""
    client = provider.client("plain", scope="openid things")

    tokens = provider.tokens(client, scope="things")

    assert "id_token" not in tokens
    assert tokens["scope"] == "things"


def test_public_client_needs_its_verifier(provider, spa):
    """C5, T11: a public client proves itself by PKCE alone."""
    code, verifier = new_code(provider, spa)

    assert outcome(provider.exchange(spa, code)) == INVALID_GRANT
    assert provider.exchange(spa, code, verifier=verifier).status == HTTPStatus.OK


def test_code_of_one_node_works_at_another(new_provider: NewProvider):
    """D1: what one node issued, every node on the database exchanges, and no node exchanges again."""
    one, two = new_provider(), new_provider()
    one.account("ada")
    client = one.client("shop")
    two.settle()
    code, verifier = new_code(one, client)

    assert two.exchange(client, code, verifier=verifier).status == HTTPStatus.OK
    assert outcome(one.exchange(client, code, verifier=verifier)) == INVALID_GRANT


def test_nothing_is_lost_by_a_wrong_resource(provider, shop):
    """RFC 8707 §2.2: a resource outside the grant is invalid_target, and the code stays good."""
    code, verifier = new_code(provider, shop)

    answer = provider.exchange(shop, code, verifier=verifier, resource="https://api.example")

    assert outcome(answer) == (400, "invalid_target")
    assert provider.exchange(shop, code, verifier=verifier).status == HTTPStatus.OK
