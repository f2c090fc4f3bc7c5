"""More proof in the middle of a session: what is asked for, what is not asked again, what tokens then say.

| row          | MUST                                                | test                              |
|--------------|-----------------------------------------------------|-----------------------------------|
| RFC 9470 §5  | acr_values and max_age of a challenge are met, and  | test_a_step_up_*                  |
|              | the access token says so                            |                                   |
| OIDC 5.5.1.1 | an essential acr is met or the sign-in fails        | test_a_demand_*                   |
| S2           | a new session id at step-up                         | test_a_step_up_makes_the_cookie_* |
| S4           | two factors count for a day, an hour without use    | test_two_factors_run_out_*        |
| M5, M8       | no second factor is skipped by asking for a new     | test_signing_in_again_asks_for_*, |
|              | proof, or by a client's minimum                     | test_the_minimum_of_a_client_*    |
"""

import json
from typing import Any

import pyotp
import pytest

from tests.browser import Browser, Page
from tests.frontchannel import SESSION, VERIFIER, ask, refusal, signed_in, success
from tests.protocol import jose
from tests.provider import PASSWORD, Client, Provider

LOA1, LOA2, LOA3 = "urn:idp:loa:1", "urn:idp:loa:2", "urn:idp:loa:3"
DEMAND = json.dumps({"id_token": {"acr": {"essential": True, "values": [LOA2]}}})


class Generator:
    """The code generator of somebody's telephone."""

    def __init__(self, provider: Provider, account_id: str) -> None:
        self._provider = provider
        container = provider.container
        secret = container.totp.new_secret()
        self._totp = pyotp.TOTP(secret.reveal())
        with container.database.transaction():
            assert container.totp.enrol(account_id, secret, self.code(), provider.clock.now())
        provider.advance(seconds=60)

    def code(self) -> str:
        return self._totp.at(self._provider.clock.now())


def claims(provider: Provider, client: Client, page: Page) -> dict[str, Any]:
    """Of the ID token, after a look whether the access token says the same of the sign-in."""
    tokens = provider.exchange(client, success(page), verifier=VERIFIER).json()
    found, access = jose.claims(tokens["id_token"]), jose.claims(tokens["access_token"])
    assert {name: access[name] for name in ("acr", "amr", "auth_time")} == {
        name: found[name] for name in ("acr", "amr", "auth_time")
    }
    return found


def with_two_factors(provider: Provider, generator: Generator) -> Browser:
    browser = provider.browser()
    page = browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)
    assert page.submit("code-submit", code=generator.code()).path == "/"
    provider.advance(seconds=60)
    return browser


@pytest.fixture
def simple(provider: Provider, ada: dict) -> Browser:
    """A browser in which ada signed in when she had nothing but a password."""
    browser = signed_in(provider)
    provider.advance(minutes=5)
    return browser


def test_a_step_up_asks_for_what_is_missing_only(provider, ada, shop, simple):
    """RFC 9470 §5: no password again; the session goes on, later auth_time, higher acr, truthful amr."""
    before = claims(provider, shop, ask(provider, shop, simple))
    generator = Generator(provider, ada["id"])

    page = ask(provider, shop, simple, acr_values=LOA2)
    assert page.has("code-submit")
    assert not page.has("login-submit")
    after = claims(provider, shop, page.submit("code-submit", code=generator.code()))

    assert (before["acr"], after["acr"]) == (LOA1, LOA2)
    assert after["amr"] == ["mfa", "otp", "pwd"]
    assert (after["sid"], after["sub"]) == (before["sid"], before["sub"])
    assert after["auth_time"] == int(provider.clock.now().timestamp()) > before["auth_time"]


def test_a_step_up_after_a_change_of_the_password_asks_for_the_new_one(new_provider):
    """M5: what was proved with the former password counts no more, and the way on is a page, not a circle."""
    provider = new_provider()
    ada, shop = provider.account("ada", email="ada@example.org"), provider.client("shop")
    generator = Generator(provider, ada["id"])
    browser = with_two_factors(provider, generator)
    changed = browser.get("/account/password").submit(
        "password-submit", password="violet anchors hum beneath"
    )
    assert changed.path == "/account/security"
    provider.advance(hours=2)  # the second factor has run out, the session has not

    page = ask(provider, shop, browser, claims=DEMAND)
    assert page.has("login-submit")
    page = page.submit("login-submit", username="ada", password="violet anchors hum beneath")
    after = claims(provider, shop, page.submit("code-submit", code=generator.code()))

    assert after["acr"] == LOA2


@pytest.mark.parametrize("way", ["everywhere else", "here"])
def test_a_step_up_ends_with_the_session_that_it_stands_on(provider, ada, shop, simple, way):
    """M5, S5: what a session has proved counts no more when it has ended, also in a step on its way."""
    generator = Generator(provider, ada["id"])
    page = ask(provider, shop, simple, acr_values=LOA2)
    assert page.has("code-submit")
    if way == "here":
        simple.get("/account").submit("account-logout")
    else:
        owner = with_two_factors(provider, generator)
        owner.get("/account/sessions").submit("sessions-end-others")

    page = simple.get(page.path)  # with a form that is good for whoever has the cookies
    if page.has("code-submit"):
        page = page.submit("code-submit", code=generator.code())

    assert not page.left
    assert page.has("login-submit")
    assert refusal(ask(provider, shop, simple, prompt="none")) == "login_required"


def test_a_step_up_makes_the_cookie_anew(provider, ada, shop, simple):
    """S2: the value from before the step finds nothing."""
    generator = Generator(provider, ada["id"])
    thief = provider.browser()
    thief.cookies = dict(simple.cookies)

    page = ask(provider, shop, simple, acr_values=LOA2)
    assert simple.cookies[SESSION] == thief.cookies[SESSION]
    success(page.submit("code-submit", code=generator.code()))

    assert simple.cookies[SESSION] != thief.cookies[SESSION]
    assert refusal(ask(provider, shop, thief, prompt="none")) == "login_required"


def test_a_higher_level_meets_a_lower_wish(provider, ada, shop):
    """OIDC Core §3.1.2.1: nothing is asked."""
    browser = with_two_factors(provider, Generator(provider, ada["id"]))

    for wish in (LOA1, LOA2, f"urn:unheard:of {LOA1}"):
        assert claims(provider, shop, ask(provider, shop, browser, acr_values=wish))["acr"] == LOA2


def test_a_wish_beyond_what_one_has_is_no_obstacle(provider, shop, simple):
    """OIDC Core §5.5.1.1: voluntary; who has no second factor goes on, and the token says so."""
    assert claims(provider, shop, ask(provider, shop, simple, acr_values=LOA2))["acr"] == LOA1


def test_a_demand_is_met_by_setting_up_what_is_missing(provider, shop, simple):
    """OIDC Core §5.5.1.1: not answered below the level; the person can set it up, or give up."""
    page = ask(provider, shop, simple, claims=DEMAND)
    assert page.path.endswith("/enrol")

    uid = page.path.split("/")[2]
    for path in (f"/authorize/{uid}", f"/consent/{uid}", f"/login/{uid}"):
        assert not simple.get(path).left

    assert refusal(page.submit("enrol-cancel")) == "access_denied"


def test_a_demand_is_met_by_the_second_step(provider, ada, shop, simple):
    """OIDC Core §5.5.1.1."""
    generator = Generator(provider, ada["id"])

    page = ask(provider, shop, simple, claims=DEMAND)

    assert claims(provider, shop, page.submit("code-submit", code=generator.code()))["acr"] == LOA2


def test_two_factors_run_out_without_use(provider, ada, shop):
    """S4, NIST SP 800-63B-4 §2.2.3: it goes on as one of a single factor until it is proved again."""
    generator = Generator(provider, ada["id"])
    browser = with_two_factors(provider, generator)
    provider.advance(hours=2)

    fallen = claims(provider, shop, ask(provider, shop, browser, acr_values=LOA2, prompt="none"))
    used_again = claims(provider, shop, ask(provider, shop, browser))
    page = ask(provider, shop, browser, acr_values=LOA2)
    lifted = claims(provider, shop, page.submit("code-submit", code=generator.code()))

    assert (fallen["acr"], fallen["amr"]) == (LOA1, ["pwd"])
    assert used_again["acr"] == LOA1
    assert (lifted["acr"], lifted["sid"]) == (LOA2, fallen["sid"])


def test_two_factors_run_out_after_a_day_of_use(provider, ada, shop):
    """S4: however much it was used."""
    browser = with_two_factors(provider, Generator(provider, ada["id"]))
    for _ in range(47):
        provider.advance(minutes=30)
        assert claims(provider, shop, ask(provider, shop, browser, prompt="none"))["acr"] == LOA2
    provider.advance(minutes=31)

    assert claims(provider, shop, ask(provider, shop, browser, prompt="none"))["acr"] == LOA1


@pytest.mark.parametrize("again", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "30"}])
def test_signing_in_again_asks_for_both_factors(provider, ada, shop, again):
    """M5, M8: a fresh proof is a whole one."""
    generator = Generator(provider, ada["id"])
    browser = with_two_factors(provider, generator)
    provider.advance(minutes=5)

    page = ask(provider, shop, browser, **again)
    assert page.has("login-submit")
    page = page.submit("login-submit", username="ada", password=PASSWORD)
    assert page.has("code-submit")

    found = claims(provider, shop, page.submit("code-submit", code=generator.code()))
    assert found["acr"] == LOA2
    assert found["auth_time"] == int(provider.clock.now().timestamp())


def test_a_challenge_of_age_and_level_together(provider, ada, shop, simple):
    """RFC 9470 §4: acr_values and max_age as an API asks for them."""
    generator = Generator(provider, ada["id"])

    page = ask(provider, shop, simple, acr_values=f"{LOA2} {LOA3}", max_age="60")
    page = page.submit("login-submit", username="ada", password=PASSWORD)
    found = claims(provider, shop, page.submit("code-submit", code=generator.code()))

    assert (found["acr"], found["auth_time"]) == (LOA2, int(provider.clock.now().timestamp()))


def test_the_minimum_of_a_client_holds_for_every_sign_in(provider, ada):
    """M5: also for people who have no second factor yet, and whatever the request says."""
    bank = provider.client("bank", minimum_acr=LOA2)
    browser = provider.browser()
    for wish in ({}, {"acr_values": LOA1}, {"prompt": "login"}):
        page = ask(provider, bank, browser, **wish)
        page = page.submit("login-submit", username="ada", password=PASSWORD)
        assert page.path.endswith("/enrol")
        assert SESSION not in browser.cookies

    assert refusal(ask(provider, bank, signed_in(provider), prompt="none")) == "login_required"


def test_the_minimum_of_a_client_is_no_matter_for_others(provider, ada, shop):
    """One session serves both: the one that asks for more gets a further proof."""
    bank = provider.client("bank", minimum_acr=LOA2)
    browser = signed_in(provider)
    generator = Generator(provider, ada["id"])

    assert success(ask(provider, shop, browser, prompt="none"))
    page = ask(provider, bank, browser)
    assert claims(provider, bank, page.submit("code-submit", code=generator.code()))["acr"] == LOA2


def test_a_client_changes_its_minimum_while_a_request_waits(provider, ada, shop, simple):
    """M5: what is registered now counts."""
    page = ask(provider, shop, simple, prompt="select_account")
    provider.container.admin.clients.update(shop.id, {"minimum_acr": LOA2})
    provider.settle()

    assert page.submit("account-keep").path.endswith("/enrol")


def test_introspection_tells_the_level(provider, ada, shop, simple):
    """RFC 9470 §6.2: acr and auth_time are in the answer."""
    generator = Generator(provider, ada["id"])
    page = ask(provider, shop, simple, acr_values=LOA2)
    code = success(page.submit("code-submit", code=generator.code()))
    token = provider.exchange(shop, code, verifier=VERIFIER).json()["access_token"]

    answer = provider.introspect(shop, token).json()

    assert (answer["acr"], answer["auth_time"]) == (LOA2, int(provider.clock.now().timestamp()))
