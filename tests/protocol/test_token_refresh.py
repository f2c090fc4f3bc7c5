"""The refresh token grant.

| row       | MUST                                      | test                                              |
|-----------|-------------------------------------------|---------------------------------------------------|
| T7        | public clients' refresh tokens rotate     | test_public_client_gets_a_new_refresh_token       |
| D12       | inside the grace window the parent gives  | test_parent_gives_the_same_child_inside_the_grace |
|           | the identical child                       |                                                   |
| T7        | reuse kills the family and its access     | test_reuse_after_the_grace_kills_the_family       |
|           | tokens                                    |                                                   |
| T7        | only the direct parent has a grace        | test_grandparent_has_no_grace                     |
| D12       | a grace of 0 is none                      | test_grace_of_zero_is_none                        |
| T8        | reuse is recognised for the life of the   | test_reuse_is_recognised_months_later             |
|           | family                                    |                                                   |
| D12       | confidential clients' tokens do not       | test_confidential_client_keeps_its_refresh_token  |
|           | rotate by default                         |                                                   |
| T9        | idle end, absolute end                    | test_idle_end, test_use_moves_the_idle_end_only   |
| T10       | equal or narrower scope and resource      | test_scope_can_be_narrowed,                       |
|           |                                           | test_wider_scope_is_refused_and_costs_nothing     |
| T11       | bound to its client, which must           | test_token_of_another_client,                     |
|           | authenticate                              | test_confidential_client_must_authenticate        |
| 6749 6    | junk is an invalid grant                  | test_junk_is_an_invalid_grant                     |
| OIDC 12.2 | a refreshed ID token keeps iss, sub, aud, | test_refreshed_id_token                           |
|           | auth_time                                 |                                                   |
| C1, T7    | N parallel refreshes: one child           | test_parallel_refreshes_have_one_child            |
"""

import threading
from datetime import timedelta
from http import HTTPStatus

import pytest

from tests.protocol import jose
from tests.provider import Client, Provider
from tests.serving import reach
from tests.transport import Answer, Http

INVALID_GRANT = (400, "invalid_grant")
GRACE = timedelta(seconds=10)


def outcome(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["error"]


def refreshed(provider: Provider, client: Client, token: str, **form: str) -> dict:
    answer = provider.refresh(client, token, **form)
    assert answer.status == HTTPStatus.OK, answer.text
    return answer.json()


def is_dead(provider: Provider, client: Client, tokens: dict) -> bool:
    """Neither token of this response does anything any more."""
    access = provider.userinfo(tokens["access_token"]).status == HTTPStatus.UNAUTHORIZED
    return access and provider.refresh(client, tokens["refresh_token"]).status == HTTPStatus.BAD_REQUEST


def test_response_has_the_members_of_the_specification(provider, spa):
    """RFC 6749 §6 and §5.1, row T12."""
    tokens = provider.tokens(spa, scope="openid email")

    answer = provider.refresh(spa, tokens["refresh_token"])

    assert answer.status == HTTPStatus.OK
    assert answer.header("Cache-Control") == "no-store"
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    assert body["scope"].split() == ["openid", "email"]
    assert body["access_token"] != tokens["access_token"]
    assert provider.userinfo(body["access_token"]).json()["email"] == "ada@example.org"


def test_public_client_gets_a_new_refresh_token(provider, spa):
    """T7, RFC 9700 §4.14.2: refresh tokens of public clients rotate."""
    first = provider.tokens(spa)

    second = refreshed(provider, spa, first["refresh_token"])
    third = refreshed(provider, spa, second["refresh_token"])

    assert len({tokens["refresh_token"] for tokens in (first, second, third)}) == 3
    assert third["refresh_token"].startswith("idp_rt_")


def test_parent_gives_the_same_child_inside_the_grace(provider, spa):
    """D12: a lost answer or a second tab gets the identical refresh token, and nothing is revoked."""
    first = provider.tokens(spa)
    child = refreshed(provider, spa, first["refresh_token"])
    provider.advance(seconds=9)

    again = refreshed(provider, spa, first["refresh_token"])

    assert again["refresh_token"] == child["refresh_token"]
    assert provider.userinfo(child["access_token"]).status == HTTPStatus.OK
    assert provider.userinfo(again["access_token"]).status == HTTPStatus.OK
    refreshed(provider, spa, child["refresh_token"])


def test_reuse_after_the_grace_kills_the_family(provider, spa):
    """T7: an old refresh token after the grace was stolen or copied; everything of the family dies."""
    first = provider.tokens(spa)
    child = refreshed(provider, spa, first["refresh_token"])
    provider.advance(seconds=GRACE.total_seconds())

    assert outcome(provider.refresh(spa, first["refresh_token"])) == INVALID_GRANT

    assert is_dead(provider, spa, child)
    assert is_dead(provider, spa, first)


def test_reuse_leaves_other_families_alone(provider, spa):
    """T7: what dies is the family, not the person's other sign-ins."""
    stolen, other = provider.tokens(spa), provider.tokens(spa)
    refreshed(provider, spa, stolen["refresh_token"])
    provider.advance(seconds=11)

    provider.refresh(spa, stolen["refresh_token"])

    assert provider.userinfo(other["access_token"]).status == HTTPStatus.OK
    refreshed(provider, spa, other["refresh_token"])


def test_grandparent_has_no_grace(provider, spa):
    """T7: only the direct parent may be a lost answer; an older one is reuse at once."""
    first = provider.tokens(spa)
    second = refreshed(provider, spa, first["refresh_token"])
    third = refreshed(provider, spa, second["refresh_token"])

    assert outcome(provider.refresh(spa, first["refresh_token"])) == INVALID_GRANT

    assert is_dead(provider, spa, third)


def test_grace_of_zero_is_none(provider, ada):
    """D12: a client may ask for no grace at all; then the second use of a token is reuse."""
    strict = provider.client("strict", auth_method="none", refresh_token_grace=0)
    first = provider.tokens(strict)
    child = refreshed(provider, strict, first["refresh_token"])

    assert outcome(provider.refresh(strict, first["refresh_token"])) == INVALID_GRANT

    assert is_dead(provider, strict, child)


def test_reuse_is_recognised_months_later(provider, spa):
    """T8: the first token of a family gives the thief away for as long as the family lives."""
    first = provider.tokens(spa)
    newest = first
    for _ in range(8):
        provider.advance(days=10)
        newest = refreshed(provider, spa, newest["refresh_token"])

    assert outcome(provider.refresh(spa, first["refresh_token"])) == INVALID_GRANT

    assert is_dead(provider, spa, newest)


def test_confidential_client_keeps_its_refresh_token(provider, shop):
    """D12, RFC 9700 §4.14.2: bound by authentication, it needs no rotation and may be used again."""
    first = provider.tokens(shop)
    provider.advance(days=1)

    second = refreshed(provider, shop, first["refresh_token"])
    provider.advance(days=1)
    third = refreshed(provider, shop, first["refresh_token"])

    assert first["refresh_token"] == second["refresh_token"] == third["refresh_token"]


def test_confidential_client_may_rotate(provider, ada):
    """D12: rotation is the client's choice when it has a secret."""
    careful = provider.client("careful", rotate_refresh_tokens=True)
    first = provider.tokens(careful)

    second = refreshed(provider, careful, first["refresh_token"])
    provider.advance(seconds=11)

    assert second["refresh_token"] != first["refresh_token"]
    assert outcome(provider.refresh(careful, first["refresh_token"])) == INVALID_GRANT
    assert is_dead(provider, careful, second)


@pytest.mark.parametrize(("auth_method", "days", "status"), [("none", 29, 200), ("none", 30, 400),
                                                             ("client_secret_basic", 29, 200),
                                                             ("client_secret_basic", 30, 400)])  # fmt: skip
def test_idle_end(provider, ada, auth_method, days, status):
    """T9: a refresh token that lies unused for 30 days is dead."""
    client = provider.client("idler", auth_method=auth_method)
    tokens = provider.tokens(client)
    provider.advance(days=days)

    assert provider.refresh(client, tokens["refresh_token"]).status == status


@pytest.mark.parametrize("auth_method", ["none", "client_secret_basic"])
def test_use_moves_the_idle_end_only(provider, ada, auth_method):
    """T9: however often it is used, refreshing ends 90 days after the sign-in."""
    client = provider.client("busy", auth_method=auth_method)
    newest = provider.tokens(client)
    for _ in range(4):
        provider.advance(days=20)
        newest = refreshed(provider, client, newest["refresh_token"])
    provider.advance(days=10, seconds=-60)
    last = refreshed(provider, client, newest["refresh_token"])
    provider.advance(seconds=60)

    assert outcome(provider.refresh(client, last["refresh_token"])) == INVALID_GRANT
    assert last["expires_in"] <= 60, "an access token must not outlive its family"
    assert provider.userinfo(last["access_token"]).status == HTTPStatus.UNAUTHORIZED


def test_client_has_lifetimes_of_its_own(provider, ada):
    """T9: the client's registration decides over the server's default."""
    client = provider.client(
        "brief", refresh_token_lifetime=7200, refresh_token_idle_lifetime=600, access_token_lifetime=30
    )
    tokens = provider.tokens(client)
    assert tokens["expires_in"] == 30
    provider.advance(seconds=599)
    refreshed(provider, client, tokens["refresh_token"])
    provider.advance(seconds=600)

    assert outcome(provider.refresh(client, tokens["refresh_token"])) == INVALID_GRANT


def test_scope_can_be_narrowed(provider, spa):
    """T10, RFC 6749 §6: a refresh may ask for less; the grant itself keeps what was granted."""
    first = provider.tokens(spa, scope="openid email profile")

    narrow = refreshed(provider, spa, first["refresh_token"], scope="openid")
    wide = refreshed(provider, spa, narrow["refresh_token"])

    assert narrow["scope"] == "openid"
    assert "email" not in provider.userinfo(narrow["access_token"]).json()
    assert set(wide["scope"].split()) == {"openid", "email", "profile"}


@pytest.mark.parametrize("scope", ["openid phone", "phone", "openid unheard-of", 'bro"ken', "é"])
@pytest.mark.parametrize("name", ["spa", "shop"])
def test_wider_scope_is_refused_and_costs_nothing(request, provider, name, scope):
    """T10, RFC 6749 §6: more than was granted is invalid_scope; the refresh token is not used up."""
    client = request.getfixturevalue(name)
    tokens = provider.tokens(client, scope="openid email")

    assert outcome(provider.refresh(client, tokens["refresh_token"], scope=scope)) == (400, "invalid_scope")

    provider.advance(seconds=60)
    refreshed(provider, client, tokens["refresh_token"])


def test_resource_outside_the_grant_is_refused_and_costs_nothing(provider, spa):
    """T10, RFC 8707 §2.2: invalid_target, and the refresh token is not used up."""
    tokens = provider.tokens(spa)
    provider.resource("https://api.example")

    answer = provider.refresh(spa, tokens["refresh_token"], resource="https://api.example")

    assert outcome(answer) == (400, "invalid_target")
    provider.advance(seconds=60)
    refreshed(provider, spa, tokens["refresh_token"])


@pytest.mark.parametrize("thief_method", ["none", "client_secret_basic"])
@pytest.mark.parametrize("name", ["spa", "shop"])
def test_token_of_another_client(request, provider, name, thief_method):
    """T11: another client's refresh token is invalid_grant, and its owner loses nothing by the attempt."""
    owner = request.getfixturevalue(name)
    thief = provider.client("thief", auth_method=thief_method)
    tokens = provider.tokens(owner)

    assert outcome(provider.refresh(thief, tokens["refresh_token"])) == INVALID_GRANT

    refreshed(provider, owner, tokens["refresh_token"])


def test_old_token_in_a_strangers_hand_kills_nothing(provider, spa):
    """T11: reuse by another client is no proof of theft from this one; it cannot end the family."""
    thief = provider.client("thief", auth_method="none")
    first = provider.tokens(spa)
    child = refreshed(provider, spa, first["refresh_token"])
    provider.advance(seconds=60)

    assert outcome(provider.refresh(thief, first["refresh_token"])) == INVALID_GRANT

    refreshed(provider, spa, child["refresh_token"])


def test_confidential_client_must_authenticate(provider, shop):
    """T11, RFC 6749 §6: the refresh token alone is worth nothing."""
    tokens = provider.tokens(shop)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    for attempt in (
        form,
        {**form, "client_id": shop.id},
        {**form, "client_id": shop.id, "client_secret": "x"},
    ):
        assert outcome(provider.http.post("/token", attempt)) == (401, "invalid_client")

    refreshed(provider, shop, tokens["refresh_token"])


def test_junk_is_an_invalid_grant(provider, spa):
    """RFC 6749 §5.2: malformed, cut, changed and foreign tokens are told alike, and kill nothing."""
    tokens = provider.tokens(spa)
    good = tokens["refresh_token"]
    changed = good[:-2] + ("AA" if not good.endswith("AA") else "BB")
    other_family = good[:10] + ("A" if good[10] != "A" else "B") + good[11:]
    junk = ["x", "idp_rt_", good[:-1], good + "A", good + "=", good.upper(), changed, other_family,
            "idp_rt_" + "A" * 70, "é", "A" * 8000, tokens["access_token"], tokens["id_token"]]  # fmt: skip

    for token in junk:
        assert outcome(provider.refresh(spa, token)) == INVALID_GRANT, token

    refreshed(provider, spa, good)


def test_missing_refresh_token_is_an_invalid_request(provider, spa):
    """RFC 6749 §5.2."""
    assert outcome(provider.refresh(spa, "")) == (400, "invalid_request")


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_refreshed_id_token(provider, ada, alg):
    """OIDC Core §12.2: same iss, sub, aud, auth_time, sid; new iat; no nonce needed; right at_hash."""
    client = provider.client("spa", auth_method="none", id_token_signed_response_alg=alg)
    first = provider.tokens(client, nonce="n-1")
    before = jose.claims(first["id_token"])
    provider.advance(hours=3)

    tokens = refreshed(provider, client, first["refresh_token"])

    after = jose.verified(provider, tokens["id_token"], alg=alg)
    kept = ("iss", "sub", "aud", "auth_time", "acr", "amr", "sid")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert after["iat"] == before["iat"] + 3 * 3600
    assert after["exp"] > after["iat"]
    assert "nonce" not in after
    assert after["at_hash"] == jose.at_hash(tokens["access_token"], alg)


def test_refreshed_access_token_keeps_the_sign_in(provider, spa):
    """RFC 9068 §2.2.1: auth_time and acr are those of the sign-in, not of the refresh."""
    first = provider.tokens(spa)
    provider.advance(hours=3)

    second = refreshed(provider, spa, first["refresh_token"])

    before, after = jose.claims(first["access_token"]), jose.claims(second["access_token"])
    assert (after["auth_time"], after["acr"]) == (before["auth_time"], before["acr"])
    assert after["iat"] == before["iat"] + 3 * 3600
    assert after["jti"] != before["jti"]


def test_parallel_refreshes_have_one_child(provider, spa):
    """C1, T7: N parallel refreshes advance the family once; the others get the identical child."""
    first = provider.tokens(spa)
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], "client_id": spa.id}
    answers: list[Answer] = []
    together = threading.Barrier(6)

    def refresh() -> None:
        http = Http(reach(provider.app))
        together.wait()
        answers.append(http.post("/token", form))

    threads = [threading.Thread(target=refresh) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status for answer in answers] == [200] * 6
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    refreshed(provider, spa, answers[0].json()["refresh_token"])
