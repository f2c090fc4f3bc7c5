"""Authorization requests of many people at the same moment, on one worker and PostgreSQL.

Their statements go together and their code runs in turns on one thread; nobody may be taken for another.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from idp.app import create_app
from tests.browser import Browser
from tests.databases import new_postgresql_database
from tests.provider import CALLBACK, Client, Pkce
from tests.served.rig import Served, volley

pytestmark = pytest.mark.postgresql

LIMIT = 5
PEOPLE = ("ada", "bob", "cleo", "dan", "eve", "fay")
TURNS = 10


class Site:
    """One worker, two clients, and a browser for each person, in which they are signed in."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.subjects = {name: served.account(name)["id"] for name in PEOPLE}
        self.shop = served.client("shop")
        self.stranger = served.client("stranger", first_party=False)
        self.pkce = Pkce()
        self.browsers = {name: served.browser() for name in PEOPLE}
        for name, browser in self.browsers.items():
            page = served.authorize(browser, self.shop, **self.pkce.parameters)
            assert served.sign_in(page, name).left

    def request(self, browser: Browser, client: Client, state: str, **parameters: str) -> bytes:
        """The bytes of one authorization request."""
        query = {
            "response_type": "code", "client_id": client.id, "redirect_uri": client.redirect_uri,
            "scope": "openid", "state": state, "nonce": state, **self.pkce.parameters, **parameters,
        }  # fmt: skip
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        return (
            f"GET /authorize?{urlencode(query)} HTTP/1.1\r\nHost: localhost:{self.served.port}\r\n"
            f"Cookie: {cookies}\r\nConnection: close\r\n\r\n"
        ).encode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("together")
    with new_postgresql_database() as url, Served(directory, database_url=url, workers=1) as served:
        yield Site(served)
        served.stop()
        assert "Traceback" not in served.log_text()


def test_each_is_answered_for_themself(site: Site):
    """Row S1: the code that a browser gets is its own person's."""
    asked = [(name, f"{name}-{turn}") for turn in range(TURNS) for name in PEOPLE]

    answers = volley(
        site.served, [site.request(site.browsers[name], site.shop, state) for name, state in asked]
    )

    for (name, state), answer in zip(asked, answers, strict=True):
        given = dict(parse_qsl(urlsplit(answer.location).query))
        assert given["state"] == state
        tokens = site.served.exchange(site.shop, given["code"], verifier=site.pkce.verifier).json()
        claims = _claims(tokens["id_token"])
        assert (claims["sub"], claims["nonce"]) == (site.subjects[name], state)
    assert len({answer.header("X-Request-Id") for answer in answers}) == len(answers)


def test_who_cannot_be_answered_at_once_begins_again_elsewhere(site: Site):
    """In the midst of others, one without a session, one without consent, one whom a page must ask."""
    ended = site.served.browser()
    ended.cookies["idp_session"] = "idp_bs_" + "a" * 43
    odd = [
        (site.request(ended, site.shop, "ended"), "/login/"),
        (site.request(site.browsers["bob"], site.stranger, "unasked"), "/consent/"),
        (site.request(site.browsers["eve"], site.shop, "again", prompt="login"), "/login/"),
        (
            site.request(site.browsers["fay"], site.stranger, "silent", prompt="none"),
            "error=consent_required",
        ),
        (site.request(site.browsers["fay"], site.shop, "wrong", response_type="token"), "error=unsupported"),
    ]
    usual = [(site.request(browser, site.shop, name), "code=") for name, browser in site.browsers.items()]
    asked = [*usual, *odd, *usual]

    answers = volley(site.served, [request for request, _ in asked])

    assert [answer.status for answer in answers] == [303] * len(asked)
    for (_, expected), answer in zip(asked, answers, strict=True):
        assert expected in answer.location


def test_who_was_shut_out_is_found_out_in_company(site: Site):
    """Row S6: a disabled account counts for the next request."""
    with site.served.admin() as admin:
        admin.accounts.disable("dan")
    asked = [site.request(site.browsers[name], site.shop, name, prompt="none") for name in PEOPLE]

    answers = dict(zip(PEOPLE, volley(site.served, asked), strict=True))

    assert "error=login_required" in answers.pop("dan").location
    assert all("code=" in answer.location for answer in answers.values())


def test_whose_session_is_gone_is_counted_once(site: Site, tmp_path: Path):
    """Row X3: what begins again in a thread is one request to the limit."""
    limit = {"IDP_RATELIMIT_ENABLED": "true", "IDP_RATELIMIT_REQUESTS_PER_SOURCE": f"{LIMIT}/minute"}
    with (
        new_postgresql_database() as url,
        Served(tmp_path, database_url=url, workers=1, **limit) as limited,
    ):
        limited.client("limited")
        query = {"client_id": "limited", "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid"}
        cookie = ("Cookie", "idp_session=idp_bs_" + "a" * 43)
        query |= site.pkce.parameters

        answers = [limited.http.get("/authorize", query=query, headers=[cookie]) for _ in range(LIMIT + 1)]

    assert [answer.status for answer in answers] == [303] * LIMIT + [429]


def test_who_brings_a_session_waits_without_a_thread(site: Site):
    """Else all of the above would hold, and show nothing about going together."""
    app = create_app(site.served.settings)
    app.extensions["idp"].close()
    waits = app.waiting["GET", "/authorize"]

    assert waits({"HTTP_COOKIE": "idp_session=idp_bs_a"}, b"")
    assert waits({"HTTP_COOKIE": "__Host-idp_session=idp_bs_a"}, b"")
    assert not waits({"HTTP_COOKIE": "idp_browser=a"}, b"")
    assert not waits({}, b"")


def _claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims
