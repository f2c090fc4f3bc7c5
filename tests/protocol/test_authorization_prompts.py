"""When a page is shown and when it must not be: prompt, max_age, and the hints about the person.

| row          | MUST                                                 | test                                |
|--------------|------------------------------------------------------|-------------------------------------|
| OIDC 3.1.2.1 | prompt=none without a session: login_required, no    | test_none_without_a_session         |
|              | page                                                 |                                     |
| OIDC 3.1.2.1 | prompt=none with session and consent: a code at once | test_none_with_a_session            |
| OIDC 3.1.2.1 | none beside another prompt is an error               | test_none_stands_alone              |
| R12          | prompt=none gives third parties nothing without      | test_none_without_consent           |
|              | consent                                              |                                     |
| OIDC 3.1.2.1 | prompt=login: the login form, later auth_time        | test_login_prompt_asks_again        |
| OIDC 3.1.2.1 | prompt=consent: asked again                          | test_consent_prompt_asks_again      |
| OIDC 3.1.2.1 | prompt=select_account: a choice                      | test_select_account_*               |
| OIDC 3.1.2.1 | max_age: fresh login when exceeded, auth_time in the | test_max_age_*                      |
|              | ID token                                             |                                     |
| OIDC 3.1.2.1 | id_token_hint: same person silently, another         | test_hint_*                         |
|              | login_required                                       |                                     |
| S2           | a new session id at re-authentication                | test_login_prompt_asks_again        |
| S13, M5      | the login form cannot be skipped by going elsewhere  | test_login_prompt_cannot_be_skipped |
"""

from urllib.parse import urlsplit

import pytest

from tests.browser import Page
from tests.frontchannel import (
    SESSION,
    SQLITE_ONLY,
    VERIFIER,
    ask,
    refusal,
    signed_in,
    success,
)
from tests.protocol import jose
from tests.provider import PASSWORD, Client, Pkce, Provider, response_parameters

sqlite_only = pytest.mark.parametrize(*SQLITE_ONLY)


def id_token(provider: Provider, client: Client, page: Page) -> dict[str, object]:
    """The claims of the ID token that the code in this answer buys."""
    answer = provider.exchange(client, success(page), verifier=VERIFIER)
    assert answer.status == 200, answer.text
    return jose.verified(provider, answer.json()["id_token"], alg="RS256")


def test_none_without_a_session(provider, shop):
    """OIDC Core §3.1.2.1: a redirect with login_required, never a page."""
    page = ask(provider, shop, prompt="none")

    assert refusal(page) == "login_required"
    assert len(page.browser.trail) == 1


def test_none_with_a_session(provider, shop):
    """OIDC Core §3.1.2.1: a code at once; same sub, same auth_time."""
    browser = provider.browser()
    first = id_token(provider, shop, provider.sign_in(ask(provider, shop, browser)))
    provider.advance(minutes=10)

    page = ask(provider, shop, browser, prompt="none")

    second = id_token(provider, shop, page)
    assert len(browser.trail) == 1
    assert (second["sub"], second["auth_time"], second["sid"]) == (
        first["sub"],
        first["auth_time"],
        first["sid"],
    )


@sqlite_only
def test_none_with_a_made_up_session(provider, shop):
    """S2: a cookie value that we never made is nobody's session."""
    browser = provider.browser()
    browser.cookies[SESSION] = "idp_bs_" + "x" * 43

    assert refusal(ask(provider, shop, browser, prompt="none")) == "login_required"


@sqlite_only
@pytest.mark.parametrize(
    "prompt", ["none login", "login none", "none consent select_account", "none unheard_of"]
)
def test_none_stands_alone(provider, shop, prompt):
    """OIDC Core §3.1.2.1: with any other value an error is returned."""
    assert refusal(ask(provider, shop, signed_in(provider), prompt=prompt)) == "invalid_request"


def test_none_without_consent(provider, ada):
    """R12, OIDC Core §3.1.2.6: signed in, but this application was never allowed anything."""
    client = provider.client("third", first_party=False)
    browser = signed_in(provider)

    assert refusal(ask(provider, client, browser, prompt="none")) == "consent_required"
    assert success(ask(provider, client, browser).submit("consent-allow"))
    assert success(ask(provider, client, browser, prompt="none"))


def test_login_prompt_asks_again(provider, shop):
    """OIDC Core §3.1.2.1: the login form, not the consent page alone; a later auth_time; S2: a new cookie."""
    browser = provider.browser()
    first = id_token(provider, shop, provider.sign_in(ask(provider, shop, browser)))
    cookie = browser.cookies[SESSION]
    provider.advance(seconds=5)

    page = ask(provider, shop, browser, prompt="login")
    assert page.path.startswith("/login/")
    assert page.has("login-submit")
    second = id_token(provider, shop, provider.sign_in(page))

    assert second["auth_time"] == first["auth_time"] + 5
    assert (second["sub"], second["sid"]) == (first["sub"], first["sid"])
    assert browser.cookies[SESSION] != cookie


def test_the_former_cookie_is_dead_after_signing_in_again(provider, shop):
    """S2: the value from before the re-authentication opens nothing."""
    browser, thief = signed_in(provider), provider.browser()
    thief.cookies = dict(browser.cookies)
    provider.sign_in(ask(provider, shop, browser, prompt="login"))

    assert refusal(ask(provider, shop, thief, prompt="none")) == "login_required"
    assert success(ask(provider, shop, browser, prompt="none"))


def test_login_prompt_cannot_be_skipped(provider, shop):
    """S13, M5: a live session does not get round the form by going on to the next address."""
    browser = signed_in(provider)
    page = ask(provider, shop, browser, prompt="login")
    uid = page.path.rpartition("/")[2]

    for path in ("/authorize/", "/consent/", "/select-account/"):
        page = browser.get(path + uid)
        assert not page.left
    forged = [*browser.get("/login/" + uid).form_with("login-cancel").fields.items(), ("decision", "allow")]
    assert browser.open("POST", "/consent/" + uid, form=forged).has("login-submit")


@sqlite_only
def test_login_prompt_is_met_once(provider, shop):
    """OIDC Core §3.1.2.1: one sign-in answers one request; the next request asks again."""
    browser = signed_in(provider)
    success(provider.sign_in(ask(provider, shop, browser, prompt="login")))

    assert ask(provider, shop, browser, prompt="login").has("login-submit")


@sqlite_only
def test_login_prompt_with_a_wrong_password_asks_on(provider, shop):
    """OIDC Core §3.1.2.1: a failed attempt is no authentication."""
    browser = signed_in(provider)

    page = ask(provider, shop, browser, prompt="login")
    page = page.submit("login-submit", username="ada", password="wrong password")

    assert page.has("login-submit")
    assert success(page.submit("login-submit", username="ada", password=PASSWORD))


@pytest.mark.parametrize("first_party", [True, False])
def test_consent_prompt_asks_again(provider, ada, first_party):
    """OIDC Core §3.1.2.1: also of an application that was allowed before, or belongs to the house."""
    client = provider.client("third", first_party=first_party)
    browser = signed_in(provider)
    for _ in range(2):
        page = ask(provider, client, browser, prompt="consent")

        assert page.path.startswith("/consent/")
        assert success(page.submit("consent-allow"))


@sqlite_only
def test_login_and_consent_prompt_together(provider, shop):
    """OIDC Core §3.1.2.1: space-delimited; one after the other."""
    page = ask(provider, shop, signed_in(provider), prompt="consent login")
    assert page.has("login-submit")

    page = page.submit("login-submit", username="ada", password=PASSWORD)
    assert page.has("consent-allow")

    assert success(page.submit("consent-allow"))


def test_select_account_keeps_the_account(provider, shop):
    """OIDC Core §3.1.2.1: the person chooses to go on; no password is asked for, auth_time stays."""
    browser = signed_in(provider)
    first = id_token(provider, shop, ask(provider, shop, browser))
    provider.advance(minutes=1)

    page = ask(provider, shop, browser, prompt="select_account")
    assert page.path.startswith("/select-account/")
    second = id_token(provider, shop, page.submit("account-keep"))

    assert (second["sub"], second["auth_time"]) == (first["sub"], first["auth_time"])


def test_select_account_takes_another(provider, shop):
    """OIDC Core §3.1.2.1: or signs in as somebody else."""
    grace = provider.account("grace", password="another long password")
    page = ask(provider, shop, signed_in(provider), prompt="select_account").submit("account-other")
    assert page.has("login-submit")

    page = page.submit("login-submit", username="grace", password="another long password")

    assert id_token(provider, shop, page)["sub"] == grace["id"]


@sqlite_only
def test_select_account_without_a_session_is_a_sign_in(provider, shop):
    """OIDC Core §3.1.2.1: signing in is choosing."""
    page = ask(provider, shop, prompt="select_account")

    assert success(page.submit("login-submit", username="ada", password=PASSWORD))


@sqlite_only
def test_create_prompt_where_nobody_can_register(provider, shop):
    """Initiating User Registration §4.1: not announced, and then an error, not a sign-in page."""
    assert "create" not in provider.metadata()["prompt_values_supported"]
    assert refusal(ask(provider, shop, prompt="create")) == "invalid_request"


@sqlite_only
def test_create_prompt_leads_to_the_sign_up_page(new_provider):
    """Initiating User Registration §4: announced, and the page is the one where people register."""
    provider = new_provider(registration={"enabled": True})
    client = provider.client("shop")

    first = ask(provider, client, prompt="create").browser.trail[0]

    assert "create" in provider.metadata()["prompt_values_supported"]
    assert urlsplit(first.location).path.startswith("/signup/")


@sqlite_only
@pytest.mark.parametrize("identifiers", ["email", "phone"])
def test_create_prompt_where_no_message_can_be_sent(new_provider, identifiers):
    """Initiating User Registration §4.1: registration that nothing can prove an address for is none."""
    provider = new_provider(registration={"enabled": True, "identifiers": identifiers}, mail={}, sms={})
    client = provider.client("shop")

    assert "create" not in provider.metadata()["prompt_values_supported"]
    assert refusal(ask(provider, client, prompt="create")) == "invalid_request"


@sqlite_only
def test_create_prompt_of_a_client_that_sends_nobody(new_provider):
    """The operator decides for each client; the others go on as before."""
    provider = new_provider(registration={"enabled": True})
    closed, shop = provider.client("closed", allow_registration=False), provider.client("shop")

    assert refusal(ask(provider, closed, prompt="create")) == "invalid_request"
    assert ask(provider, shop, prompt="create").has("signup-submit")


def test_max_age_exceeded_asks_again(provider, shop):
    """OIDC Core §3.1.2.1: max_age=1 after two seconds: the login form, and a later auth_time."""
    browser = provider.browser()
    first = id_token(provider, shop, provider.sign_in(ask(provider, shop, browser)))
    provider.advance(seconds=2)

    page = ask(provider, shop, browser, max_age="1")
    assert page.path.startswith("/login/")
    second = id_token(provider, shop, provider.sign_in(page))

    assert second["auth_time"] == first["auth_time"] + 2


def test_max_age_not_exceeded(provider, shop):
    """OIDC Core §3.1.2.1: max_age=10000 in a fresh session: no login, same auth_time."""
    browser = provider.browser()
    first = id_token(provider, shop, provider.sign_in(ask(provider, shop, browser)))
    provider.advance(seconds=2)

    second = id_token(provider, shop, ask(provider, shop, browser, max_age="10000"))

    assert second["auth_time"] == first["auth_time"]


def test_max_age_to_the_second(provider, shop):
    """OIDC Core §3.1.2.1: "greater than this value" asks again; equal does not."""
    browser = signed_in(provider)
    provider.advance(seconds=60)

    assert success(ask(provider, shop, browser, max_age="60", prompt="none"))
    provider.advance(seconds=1)
    assert refusal(ask(provider, shop, browser, max_age="60", prompt="none")) == "login_required"


def test_max_age_zero_is_prompt_login(provider, shop):
    """OIDC Core §3.1.2.1 (errata 2): equivalent to prompt=login, also within the same second."""
    page = ask(provider, shop, signed_in(provider), max_age="0")

    assert page.has("login-submit")
    assert success(provider.sign_in(page))


def test_max_age_runs_out_on_the_way(provider, ada):
    """OIDC Core §3.1.2.1: a sign-in for this very request counts, however long the next page stays open."""
    client = provider.client("third", first_party=False)
    page = ask(provider, client, max_age="10").submit("login-submit", username="ada", password=PASSWORD)
    provider.advance(seconds=60)

    assert success(page.submit("consent-allow"))


@sqlite_only
@pytest.mark.parametrize("value", ["-1", "1.5", "ten", "1e3", " 1", "+1", "0x10", "٣", "99999999999"])
def test_malformed_max_age_is_refused(provider, shop, value):
    """OIDC Core §3.1.2.1: a number of seconds."""
    assert refusal(ask(provider, shop, max_age=value)) == "invalid_request"


def test_default_max_age_of_the_client(provider, ada):
    """OIDC Registration §2: counts when the request names none; the request's own wins."""
    client = provider.client("strict", default_max_age=60)
    browser = signed_in(provider)
    provider.advance(minutes=5)

    assert refusal(ask(provider, client, browser, prompt="none")) == "login_required"
    assert success(ask(provider, client, browser, prompt="none", max_age="3600"))


def test_hint_of_the_same_person_is_silent(provider, shop):
    """OIDC Core §3.1.2.1: id_token_hint with prompt=none succeeds, also when the token has expired."""
    browser = provider.browser()
    pkce = Pkce()
    code = provider.code(shop, browser=browser, **pkce.parameters)
    hint = provider.exchange(shop, code, verifier=pkce.verifier).json()["id_token"]
    provider.advance(hours=2)

    assert success(ask(provider, shop, browser, prompt="none", id_token_hint=hint))


def test_hint_of_another_person(provider, shop):
    """OIDC Core §3.1.2.1: login_required silently, else a page; the wrong person's sign-in is no answer."""
    provider.account("grace", password="another long password")
    hint = provider.tokens(shop)["id_token"]
    browser = signed_in(provider, "grace", "another long password")

    assert refusal(ask(provider, shop, browser, prompt="none", id_token_hint=hint)) == "login_required"

    page = ask(provider, shop, browser, id_token_hint=hint)
    assert page.has("login-submit")
    wrong = page.submit("login-submit", username="grace", password="another long password")
    assert refusal(wrong) == "login_required"

    page = ask(provider, shop, browser, id_token_hint=hint)
    assert success(page.submit("login-submit", username="ada", password=PASSWORD))


@sqlite_only
@pytest.mark.parametrize("kind", ["junk", "unsigned", "foreign key", "other issuer", "access token"])
def test_forged_hint_is_refused(provider, shop, kind):
    """OIDC Core §3.1.2.1, T1, T4: a hint must be an ID token of ours."""
    tokens = provider.tokens(shop)
    claims = jose.claims(tokens["id_token"])
    hint = {
        "junk": "x.y.z",
        "unsigned": jose.assemble({"alg": "none"}, claims),
        "foreign key": jose.hs256({"typ": "JWT"}, claims, b"x" * 32),
        "other issuer": jose.signed_by_us(provider, {**claims, "iss": "https://evil.example"}, typ="JWT"),
        "access token": tokens["access_token"],
    }[kind]

    page = ask(provider, shop, signed_in(provider), prompt="none", id_token_hint=hint)

    assert refusal(page) == "invalid_request"
    assert "id_token_hint" in response_parameters(page)["error_description"]


def test_hint_of_another_client_is_refused(provider, shop):
    """OIDC Core §3.1.2.1: the token was issued to somebody else; nothing about its person is told."""
    other = provider.client("other")
    hint = provider.tokens(other)["id_token"]

    assert (
        refusal(ask(provider, shop, signed_in(provider), prompt="none", id_token_hint=hint))
        == "invalid_request"
    )


def test_disabled_person_is_asked_to_sign_in(provider, ada, shop):
    """S6, T16: a session of a disabled account is none."""
    browser = signed_in(provider)
    provider.container.admin.accounts.disable("ada")
    provider.settle()

    assert refusal(ask(provider, shop, browser, prompt="none")) == "login_required"
    page = ask(provider, shop, browser)
    assert page.submit("login-submit", username="ada", password=PASSWORD).has("login-submit")
