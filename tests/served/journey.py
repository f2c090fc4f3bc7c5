"""Everything the protocol offers, once, as a client and a person use it; and what no log may hold of it."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.provider import PASSWORD, Client, Pkce, Protocol, response_parameters
from tests.served.races import assert_alive, assert_dead

SCOPE = "openid profile email offline_access"


@dataclass
class Canary:
    """Values that nobody but their owners may ever read."""

    secrets: set[str] = field(default_factory=set)

    def keep(self, *values: str | None) -> None:
        self.secrets.update(value for value in values if value)

    def keep_tokens(self, tokens: dict[str, Any]) -> None:
        self.keep(*(tokens.get(name) for name in ("access_token", "refresh_token", "id_token")))

    def assert_silent_in(self, log: str) -> None:
        """None of them is there, nor the telling part of one."""
        assert len(self.secrets) > 9
        for secret in self.secrets:
            # The signature of a JWT and the random part of an opaque value are what they are worth.
            for part in (secret, secret.rpartition(".")[2], secret[8:]):
                assert part not in log, f"{secret[:12]}… was logged"


def take_the_whole_journey(provider: Protocol, shop: Client, robot: Client) -> Canary:
    """Code with PKCE, userinfo, refresh, introspection, revocation, logout, client credentials."""
    canary = Canary()
    canary.keep(shop.secret, robot.secret, PASSWORD)
    browser = provider.browser()
    pkce = Pkce()

    page = provider.authorize(browser, shop, scope=SCOPE, nonce="n-0S6_WzA2Mj", **pkce.parameters)
    canary.keep(page.form_with("login-submit").fields["csrf_token"])
    refused = page.submit("login-submit", username="ada", password=PASSWORD + "?")
    assert not refused.left
    answer = response_parameters(provider.sign_in(refused))
    assert (answer["state"], answer["iss"]) == ("s-123", provider.issuer)
    canary.keep(answer["code"], pkce.verifier, PASSWORD + "?", *browser.cookies.values())

    tokens = provider.exchange(shop, answer["code"], verifier=pkce.verifier).json()
    canary.keep_tokens(tokens)
    assert_alive(provider, shop, tokens)
    assert provider.userinfo(tokens["access_token"]).json()["preferred_username"] == "ada"

    fresh = provider.refresh(shop, tokens["refresh_token"]).json()
    canary.keep_tokens(fresh)
    assert_alive(provider, shop, fresh)
    assert provider.revoke(shop, fresh["refresh_token"]).status == 200
    assert_dead(provider, shop, fresh)

    again = provider.tokens(shop, browser=browser)
    canary.keep_tokens(again)
    _log_out(provider, browser, again["id_token"])
    assert_dead(provider, shop, again)
    assert provider.authorize(browser, shop, **pkce.parameters).has("login-submit")

    _use_a_machine(provider, robot, canary)
    _be_careless(provider, shop, fresh, canary)
    return canary


def _log_out(provider: Protocol, browser: Any, id_token: str) -> None:
    page = browser.get("/logout", {"id_token_hint": id_token})
    if page.has("logout-yes"):
        page = page.submit("logout-yes")
    assert page.status == 200, page.text


def _use_a_machine(provider: Protocol, robot: Client, canary: Canary) -> None:
    answer = provider.http.post("/token", {"grant_type": "client_credentials"}, auth=robot.auth)
    token = answer.json()["access_token"]
    canary.keep(token)
    assert provider.introspect(robot, token).json()["client_id"] == robot.id
    assert provider.revoke(robot, token).status == 200
    assert provider.introspect(robot, token).json() == {"active": False}


def _be_careless(provider: Protocol, shop: Client, tokens: dict[str, Any], canary: Canary) -> None:
    """Send secrets where they do not belong, and broken ones where they do; none is logged."""
    access_token, secret = tokens["access_token"], shop.secret or ""
    wrong = "idp_cs_" + "wrong" * 9
    canary.keep(wrong)
    refused = [
        provider.http.get("/userinfo", query={"access_token": access_token}),
        provider.http.get(f"/{access_token}"),
        provider.http.post(f"/token?{urlencode({'client_secret': secret})}", {"grant_type": "refresh_token"}),
        provider.http.post("/token", {"grant_type": secret, "client_id": secret}),
        provider.http.post(
            "/token", {"grant_type": "refresh_token", "refresh_token": secret}, auth=(shop.id, wrong)
        ),
        provider.http.get("/authorize", query={"client_id": shop.id, "id_token_hint": tokens["id_token"]}),
        provider.http.get("/jwks", headers=[("Host", f"{access_token[:40]}.example")]),
        provider.userinfo(access_token[:-4]),
        provider.userinfo(tokens["refresh_token"] + "x"),
    ]
    assert all(300 <= answer.status < 500 for answer in refused), [answer.status for answer in refused]
