"""Many hands reach for one code, or one refresh token, at the same moment.

One function is one round, told as the promise it checks; the suite runs a few, `make torture` a hundred.
"""

from collections import Counter
from typing import Any

from tests.browser import Browser
from tests.provider import Client, Pkce, Protocol
from tests.served.rig import Served, form_request, volley
from tests.transport import Answer

HANDS = 50


def race_for_one_code(served: Served, client: Client, browser: Browser) -> None:
    """Exactly one exchange succeeds; after a replay nothing of what it gave counts (rows C1, C2)."""
    pkce = Pkce()
    code = served.code(client, browser=browser, scope="openid offline_access", **pkce.parameters)
    form = _code_form(client, code, pkce.verifier)

    answers = volley(served, [form_request(served, "/token", form, client)] * HANDS)

    _assert_one_winner(answers)
    tokens = _winner(answers)
    replay = served.http.post("/token", {**form, **client.body}, auth=client.auth)
    assert (replay.status, replay.json()["error"]) == (400, "invalid_grant")
    assert_dead(served, client, tokens)


def race_with_wrong_verifiers(served: Served, client: Client, browser: Browser) -> None:
    """Who cannot prove the request is theirs gets nothing and kills nothing (row C2)."""
    pkce = Pkce()
    code = served.code(client, browser=browser, scope="openid offline_access", **pkce.parameters)
    tokens = served.exchange(client, code, verifier=pkce.verifier).json()
    thieves = [form_request(served, "/token", _code_form(client, code, Pkce().verifier), client)] * HANDS

    answers = volley(served, thieves)

    assert Counter(answer.status for answer in answers) == {400: HANDS}
    assert_alive(served, client, tokens)
    assert served.exchange(client, code, verifier=pkce.verifier).status == 400
    assert_dead(served, client, tokens)


def race_within_grace(served: Served, client: Client, browser: Browser) -> None:
    """Every answer carries the same child; its grandparent, used later, kills the family (row T7)."""
    first = served.tokens(client, browser=browser, scope="openid offline_access")

    answers = volley(served, _refreshes(served, client, first))

    assert Counter(answer.status for answer in answers) == {200: HANDS}, _errors(answers)
    children = {answer.json()["refresh_token"] for answer in answers}
    assert len(children) == 1, "the chain forked"
    assert children != {first["refresh_token"]}
    assert len({answer.json()["access_token"] for answer in answers}) == HANDS
    second = answers[0].json()
    assert_alive(served, client, second)
    third = served.refresh(client, second["refresh_token"])
    assert third.status == 200
    assert served.refresh(client, first["refresh_token"]).status == 400
    for tokens in (first, second, third.json()):
        assert_dead(served, client, tokens)


def race_without_grace(served: Served, client: Client, browser: Browser) -> None:
    """Exactly one refresh succeeds; the others are reuse, and reuse kills the family at once (row T7)."""
    first = served.tokens(client, browser=browser, scope="openid offline_access")

    answers = volley(served, _refreshes(served, client, first))

    _assert_one_winner(answers)
    for tokens in (first, _winner(answers)):
        assert_dead(served, client, tokens)


def race_without_rotation(served: Served, client: Client, browser: Browser) -> None:
    """A confidential client keeps its refresh token; using it often at once harms nothing."""
    first = served.tokens(client, browser=browser, scope="openid offline_access")

    answers = volley(served, _refreshes(served, client, first))

    assert Counter(answer.status for answer in answers) == {200: HANDS}, _errors(answers)
    assert {answer.json()["refresh_token"] for answer in answers} == {first["refresh_token"]}
    assert_alive(served, client, answers[-1].json())


def assert_alive(provider: Protocol, client: Client, tokens: dict[str, Any]) -> None:
    """The access token counts at userinfo and at introspection."""
    assert provider.userinfo(tokens["access_token"]).status == 200
    if client.secret:
        assert provider.introspect(client, tokens["access_token"]).json()["active"] is True


def assert_dead(provider: Protocol, client: Client, tokens: dict[str, Any]) -> None:
    """Neither the access token nor the refresh token counts anywhere."""
    assert provider.userinfo(tokens["access_token"]).status == 401
    refreshed = provider.refresh(client, tokens["refresh_token"])
    assert (refreshed.status, refreshed.json()["error"]) == (400, "invalid_grant")
    if client.secret:
        for token in (tokens["access_token"], tokens["refresh_token"]):
            assert provider.introspect(client, token).json() == {"active": False}


def _code_form(client: Client, code: str, verifier: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
    }


def _refreshes(served: Served, client: Client, tokens: dict[str, Any]) -> list[bytes]:
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return [form_request(served, "/token", form, client)] * HANDS


def _winner(answers: list[Answer]) -> dict[str, Any]:
    tokens: dict[str, Any] = next(answer.json() for answer in answers if answer.status == 200)
    return tokens


def _assert_one_winner(answers: list[Answer]) -> None:
    assert Counter(answer.status for answer in answers) == {200: 1, 400: HANDS - 1}, _errors(answers)
    refusals = {answer.json()["error"] for answer in answers if answer.status != 200}
    assert refusals == {"invalid_grant"}


def _errors(answers: list[Answer]) -> list[str]:
    return sorted({answer.text[:200] for answer in answers if answer.status != 200})
