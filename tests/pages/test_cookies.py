"""Cookies, and the sessions behind them.

| row | MUST                                       | test                                                    |
|-----|--------------------------------------------|---------------------------------------------------------|
| S1  | server-side sessions, 128 bits or more,    | test_cookie_values_are_long_and_unknown_to_the_database |
|     | only digests stored                        |                                                         |
| S2  | a new id at sign-in, re-authentication and | test_new_value_at_every_sign_in                         |
|     | logout                                     |                                                         |
| S2  | no id that it did not create               | test_planted_values_are_not_taken_over                  |
| S3  | __Host-, Secure, HttpOnly, SameSite=Lax,   | test_attributes_on_https                                |
|     | Path=/, no Domain                          |                                                         |
| S3  | on loopback http: the same without the     | test_attributes_on_loopback_http                        |
|     | prefix and Secure                          |                                                         |
| S4  | idle end, absolute end                     | test_idle_end                                           |
|     |                                            | test_absolute_end                                       |
|     |                                            | test_ends_are_configured                                |
| S6  | sessions end when the person is disabled   | test_disabling_ends_sessions                            |
| S13 | no session from a link alone               | test_no_session_without_a_sign_in                       |
"""

import pytest
from sqlalchemy import MetaData, select

from tests.frontchannel import BROWSER, DEVICE, SESSION, SQLITE_ONLY, ask, refusal, signed_in, success
from tests.provider import PASSWORD

sqlite_only = pytest.mark.parametrize(*SQLITE_ONLY)


def attributes(header: str) -> tuple[str, set[str]]:
    """Name and attributes of a Set-Cookie header, without its value and lifetime."""
    pair, *rest = [part.strip() for part in header.split(";")]
    return pair.partition("=")[0], {part for part in rest if not part.startswith(("Expires", "Max-Age"))}


@sqlite_only
def test_attributes_on_https(provider, shop):
    """S3: this host alone, no script, no cross-site sub-requests."""
    browser = provider.browser()
    success(provider.sign_in(ask(provider, shop, browser)))
    browser.get("/").submit("home-logout")

    seen = dict(attributes(header) for header in browser.set_cookies)

    assert set(seen) == {SESSION, BROWSER, DEVICE}
    for name, given in seen.items():
        assert given == {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"}, name


@sqlite_only
def test_attributes_on_loopback_http(new_provider):
    """S3: browsers drop Secure and __Host- cookies of http, so they are left out there."""
    provider = new_provider(issuer="http://localhost:8000")
    provider.account("ada")
    browser = provider.browser()
    browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)

    seen = dict(attributes(header) for header in browser.set_cookies)

    assert set(seen) == {"idp_session", "idp_browser", "idp_device"}
    for given in seen.values():
        assert given == {"HttpOnly", "SameSite=Lax", "Path=/"}
    assert browser.get("/").has("home-logout")


@sqlite_only
def test_sibling_names_are_not_read(provider, ada):
    """S3: a value under the name without prefix, which a sibling host can plant, is nobody's."""
    browser = signed_in(provider)
    browser.cookies["idp_session"] = browser.cookies.pop(SESSION)

    assert browser.get("/").has("home-login")


@sqlite_only
def test_only_the_device_mark_outlives_the_browser(provider, ada):
    """S4: session cookies end with the browser; the server ends them by time as well."""
    browser = signed_in(provider)

    lasting = {
        header.split("=")[0] for header in browser.set_cookies if "Max-Age" in header or "Expires" in header
    }

    assert lasting == {DEVICE}


def test_new_value_at_every_sign_in(provider, shop):
    """S2: at sign-in, when signing in again, and after a logout; former values are dead."""
    browser, values = provider.browser(), []
    for prompt in ("login", "login", "login"):
        success(provider.sign_in(ask(provider, shop, browser, prompt=prompt)))
        values.append(browser.cookies[SESSION])
    browser.get("/").submit("home-logout")
    browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)
    values.append(browser.cookies[SESSION])

    assert len(set(values)) == 4
    for value in values[:-1]:
        thief = provider.browser()
        thief.cookies = {**browser.cookies, SESSION: value}
        assert thief.get("/").has("home-login")


@sqlite_only
def test_planted_values_are_not_taken_over(provider, ada):
    """S2, session fixation: whatever a browser brought along, after the sign-in it has another."""
    planted = {SESSION: "idp_bs_" + "p" * 43, DEVICE: "idp_dv_" + "p" * 43}
    browser = provider.browser()
    browser.cookies.update(planted)

    browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)

    assert browser.get("/").has("home-logout")
    for name, value in planted.items():
        assert browser.cookies[name] != value
    thief = provider.browser()
    thief.cookies.update(planted)
    assert thief.get("/").has("home-login")


@sqlite_only
def test_a_stolen_session_does_not_come_with_the_victims_sign_in(provider, ada):
    """S2, session fixation: an attacker's session in the victim's browser is replaced, not upgraded."""
    provider.account("mallory")
    mallory = signed_in(provider, "mallory")
    victim = provider.browser()
    victim.cookies = dict(mallory.cookies)

    page = victim.get("/login")
    if not page.has("login-submit"):  # signed in as the attacker: use the other way in
        page = ask(provider, provider.client("shop"), victim, prompt="login")
    page.submit("login-submit", username="ada", password=PASSWORD)

    assert "ada" in victim.get("/").text
    assert mallory.get("/").has("home-login")
    assert mallory.cookies[SESSION] != victim.cookies[SESSION]


@sqlite_only
@pytest.mark.parametrize(
    "value", ["", "x", "idp_bs_", "idp_bs_" + "x" * 300, "a;b", "%00", "idp_bs_\u00e9" + "x" * 43, '"quoted"']
)
def test_junk_cookies_are_nobody(provider, ada, value):
    """S2, X3: no error, no session."""
    for name in (SESSION, BROWSER, DEVICE):
        answer = provider.http.get("/", headers=[("Cookie", f"{name}={value}")])

        assert answer.status == 200
        assert "home-login" in answer.text


@sqlite_only
def test_cookie_values_are_long_and_unknown_to_the_database(provider, shop):
    """S1, C10: at least 128 bits each; the database holds digests only."""
    browser = provider.browser()
    provider.sign_in(ask(provider, shop, browser))
    ask(provider, shop, browser, prompt="login")
    metadata = MetaData()
    metadata.reflect(provider.container.database.engine)
    with provider.container.database.engine.connect() as connection:
        rows = [
            str(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(select(table))
        ]

    for value in browser.cookies.values():
        assert len(value.rpartition("_")[2]) >= 22 or len(value) >= 43
        assert not any(value in row for row in rows)


def test_idle_end(provider, shop):
    """S4: half a day without use."""
    browser = signed_in(provider)

    provider.advance(hours=11, minutes=59)
    assert success(ask(provider, shop, browser, prompt="none"))
    provider.advance(hours=12)

    assert refusal(ask(provider, shop, browser, prompt="none")) == "login_required"
    assert browser.get("/").has("home-login")


def test_absolute_end(provider, shop):
    """S4: thirty days, however much it is used."""
    browser = signed_in(provider)
    for _ in range(59):
        provider.advance(hours=11, minutes=59)
        assert browser.get("/").has("home-logout")
    assert success(ask(provider, shop, browser, prompt="none"))

    provider.advance(hours=12)

    assert refusal(ask(provider, shop, browser, prompt="none")) == "login_required"


@sqlite_only
def test_ends_are_configured(new_provider):
    """S4: by the operator."""
    provider = new_provider(sessions={"idle_lifetime": "5m", "absolute_lifetime": "12m"})
    provider.account("ada")
    browser = signed_in(provider)
    for _ in range(2):
        provider.advance(minutes=4)
        assert browser.get("/").has("home-logout")
    provider.advance(minutes=4)
    assert browser.get("/").has("home-login")

    browser = signed_in(provider)
    provider.advance(minutes=5)
    assert browser.get("/").has("home-login")


@sqlite_only
def test_an_ended_session_is_over_on_every_page(provider, shop):
    """S4, S6: also half-way through a request; the open page gives nothing away."""
    third = provider.client("third", first_party=False)
    browser = signed_in(provider)
    provider.advance(hours=11, minutes=30)
    page = ask(provider, third, browser)
    assert page.has("consent-allow")
    provider.advance(minutes=45)
    assert browser.get("/").has("home-logout")
    provider.advance(minutes=10)
    provider.container.admin.accounts.disable("ada")
    provider.settle()

    answer = page.submit("consent-allow")

    assert not answer.left


def test_disabling_ends_sessions(provider, shop):
    """S6, T16: at once, and enabling does not bring them back to life unasked."""
    browser = signed_in(provider)
    provider.container.admin.accounts.disable("ada")
    provider.settle()

    assert refusal(ask(provider, shop, browser, prompt="none")) == "login_required"
    assert browser.get("/").has("home-login")

    provider.container.admin.accounts.enable("ada")
    provider.settle()
    assert browser.get("/").has("home-login")


@sqlite_only
def test_no_session_without_a_sign_in(provider, shop):
    """S13: opening pages, links and failed attempts leave no session behind."""
    browser = provider.browser()
    for path in ("/", "/login", "/logged-out", "/logout", "/authorize"):
        browser.get(path)
    ask(provider, shop, browser)
    ask(provider, shop, browser, prompt="none", login_hint="ada")
    ask(provider, shop, browser).submit("login-submit", username="ada", password="wrong")

    assert set(browser.cookies) == {BROWSER}


@sqlite_only
def test_back_channel_sets_no_cookies(provider, shop):
    """S3: machines get none, and those that are sent along mean nothing."""
    browser = signed_in(provider)
    cookie = [("Cookie", f"{SESSION}={browser.cookies[SESSION]}")]

    for path in ("/jwks", "/.well-known/openid-configuration", "/userinfo", "/healthz", "/static/site.css"):
        answer = provider.http.get(path, headers=cookie)
        assert answer.header("Set-Cookie") is None
    assert provider.http.get("/userinfo", headers=cookie).status == 401
