"""One gate: whoever may not be signed in gets nothing, at any address and by any grant (rows S6, T16).

The addresses and grants are those the running server has, so that a new one is tried from its first day.
Each is tried with everything that a browser or a client still holds of the person: the cookies of a live
session and of one that is parked, a request that waits, a code, tokens, the right password. The person is
disabled, deleted, or called back by an epoch.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.routing import Rule

from idp.oauth.server import GRANTS
from tests.browser import Browser
from tests.frontchannel import SESSION, ask, signed_in, success
from tests.provider import PASSWORD, Client, Pkce, Provider
from tests.second_steps import person
from tests.transport import Answer

NAME, EMAIL = "Zaphod Beeblebrox", "president@galaxy.example"
BESIDE = "__Host-idp_beside"
PKCE = Pkce("v" * 43)


@dataclass
class Scene:
    """What is still held of a person when they are switched off."""

    provider: Provider
    client: Client
    account_id: str
    cookies: dict[str, str]
    parked: dict[str, str]
    """The same session as one that is parked in a browser in which nobody else is signed in."""
    uid: str
    """A request that waits for consent."""
    code: str
    tokens: dict[str, Any]

    def tells_of_the_person(self, answer: Answer) -> bool:
        return any(word in answer.text for word in (NAME, "Beeblebrox", EMAIL, self.account_id))

    def signs_in(self, answer: Answer) -> bool:
        """Whether the browser is given a session, or the client a code."""
        session = any(header.startswith(f"{SESSION}=idp_") for header in answer.all_headers("Set-Cookie"))
        location = answer.header("Location") or ""
        leaves = location.startswith(self.client.redirect_uri)
        return session or (leaves and bool(re.search(r"[?&#]code=", location)))


@pytest.fixture
def scene(provider: Provider) -> Scene:
    account = provider.account("zaphod", email=EMAIL, claims={"name": NAME})
    client = provider.client("rp", first_party=False)
    browser = signed_in(provider, "zaphod")
    tokens = provider.tokens(client, browser=browser, scope="openid profile email offline_access")
    code = success(ask(provider, client, browser, **PKCE.parameters))
    page = ask(provider, client, browser, scope="openid phone")
    assert page.path.startswith("/consent/")
    cookies = dict(browser.cookies)
    parked = {name: value for name, value in cookies.items() if name != SESSION}
    parked[BESIDE] = cookies[SESSION]
    uid = page.path.rpartition("/")[2]
    provider.advance(seconds=1)
    return Scene(provider, client, account["id"], cookies, parked, uid, code, tokens)


def disabled(scene: Scene) -> None:
    scene.provider.container.admin.accounts.disable("zaphod")


def flagged(scene: Scene) -> None:
    """Disabled, and nothing that belongs to them ended with it."""
    _execute(scene, "UPDATE account SET disabled_at = created_at")


def deleted(scene: Scene) -> None:
    _execute(scene, "DELETE FROM account")


def called_back(scene: Scene) -> None:
    container = scene.provider.container
    with container.database.transaction():
        container.repos.accounts.set_not_before(scene.account_id, scene.provider.clock.now())


FATES = [disabled, flagged, deleted, called_back]


def _execute(scene: Scene, statement: str) -> None:
    with scene.provider.container.database.engine.begin() as connection:
        connection.execute(text(statement))


def rules(provider: Provider) -> list[tuple[str, Rule]]:
    """Every address of the server with each of its methods; the protocol's ones are among them."""
    return [
        (method, rule)
        for rule in provider.app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"})
    ]


def address(rule: Rule, scene: Scene) -> str:
    """The address with the waiting request in it, or something that fits its place."""
    return re.sub(r"<(?:[a-z]+:)?uid>", scene.uid, re.sub(r"<(?!uid)[^>]+>", "sms", str(rule.rule)))


@pytest.mark.parametrize("held", ["cookies", "parked"])
@pytest.mark.parametrize("fate", FATES)
def test_no_address_knows_the_person(scene: Scene, fate: Callable[[Scene], None], held: str):
    """S6, T16: no page, no redirect and no cookie of any address; each form has a token that is right."""
    fate(scene)
    cookies: dict[str, str] = getattr(scene, held)
    form = _form(scene, cookies)
    let_in = []

    for method, rule in rules(scene.provider):
        browser = Browser(scene.provider.transport)
        browser.cookies = dict(cookies)
        where = address(rule, scene)
        page = browser.open(method, where, form=form if method == "POST" else None, follow=False)
        assert page.status < HTTPStatus.INTERNAL_SERVER_ERROR, f"{method} {where}: {page.text}"
        if scene.tells_of_the_person(page.answer) or scene.signs_in(page.answer):
            let_in.append(f"{method} {rule.rule}")

    assert let_in == []


def test_the_same_addresses_know_who_may_be_signed_in(scene: Scene):
    """The check above sees what it has to see."""
    browser = Browser(scene.provider.transport)
    browser.cookies = dict(scene.cookies)

    known = [
        str(rule.rule)
        for method, rule in rules(scene.provider)
        if method == "GET"
        and scene.tells_of_the_person(browser.open("GET", address(rule, scene), follow=False).answer)
    ]

    assert {"/", "/account", "/consent/<uid>", "/select-account"} <= set(known)


@pytest.mark.parametrize("fate", [disabled, flagged, deleted])
def test_the_right_password_opens_nothing(scene: Scene, fate: Callable[[Scene], None]):
    """S6, T16: at each sign-in page."""
    fate(scene)
    for path in ("/login", "/login?another=1", f"/login/{scene.uid}"):
        browser = Browser(scene.provider.transport)
        browser.cookies = {name: value for name, value in scene.cookies.items() if name != SESSION}

        page = browser.get(path).submit("login-submit", username="zaphod", password=PASSWORD)

        assert page.has("login-submit"), path
        assert SESSION not in browser.cookies


@pytest.mark.parametrize("fate", FATES)
def test_a_sign_in_on_its_way_ends_there(scene: Scene, fate: Callable[[Scene], None]):
    """S6, T16, M5: the right password was given before, the right code comes after."""
    zaphod = person(scene.provider, "totp", username="zaphod", made=True)
    page = zaphod.begin()
    assert page.has("code-submit")
    scene.provider.advance(seconds=1)
    fate(scene)

    page = page.submit("code-submit", code=zaphod.code)

    assert SESSION not in page.browser.cookies
    assert not scene.tells_of_the_person(page.answer)


@pytest.mark.parametrize("fate", FATES)
@pytest.mark.parametrize("grant", [grant.GRANT_TYPE for grant in GRANTS])
def test_no_grant_gives_tokens(scene: Scene, fate: Callable[[Scene], None], grant: str):
    """S6, T16: every grant that the server has; a new one fails here until it is tried."""
    held = {
        "authorization_code": {
            "code": scene.code,
            "code_verifier": PKCE.verifier,
            "redirect_uri": scene.client.redirect_uri,
        },
        "refresh_token": {"refresh_token": scene.tokens["refresh_token"]},
        "client_credentials": None,  # speaks for no person
    }[grant]
    if held is None:
        return
    fate(scene)

    answer = scene.provider.http.post("/token", {"grant_type": grant, **held}, auth=scene.client.auth)

    assert (answer.status, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize("fate", FATES)
def test_tokens_are_worth_nothing(scene: Scene, fate: Callable[[Scene], None]):
    """S6, T16: userinfo and introspection, of either token."""
    fate(scene)

    assert scene.provider.userinfo(scene.tokens["access_token"]).status == HTTPStatus.UNAUTHORIZED
    for name in ("access_token", "refresh_token"):
        assert scene.provider.introspect(scene.client, scene.tokens[name]).json() == {"active": False}


def _form(scene: Scene, cookies: dict[str, str]) -> list[tuple[str, str]]:
    """Something for every form, with a token that this browser was given for nobody."""
    browser = Browser(scene.provider.transport)
    browser.cookies = {name: value for name, value in cookies.items() if name.endswith("browser")}
    token = browser.get("/login").form_with("login-submit").fields["csrf_token"]
    return [
        ("csrf_token", token),
        ("choice", "keep"),
        ("decision", "allow"),
        ("action", "continue"),
        ("code", "123456"),
        ("method", "recovery"),
        ("email", "new@galaxy.example"),
    ]
