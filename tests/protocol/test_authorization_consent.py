"""Consent: what is asked, of whom, and what is remembered.

| row          | MUST                                                | test                                 |
|--------------|-----------------------------------------------------|--------------------------------------|
| K1           | third parties are asked for                         | test_third_party_is_asked_for_once   |
| K1           | each new scope is asked for                         | test_new_scope_is_asked_for          |
| K1           | consent belongs to one person and one client        | test_consent_is_the_persons          |
|              |                                                     | test_consent_is_the_clients          |
| K1           | first-party clients act for the operator            | test_first_party_is_not_asked_for    |
| 6749 4.1.2.1 | access_denied after a no, and nothing remembered    | test_no_is_no                        |
| K2           | name, scopes, lifetime, host as escaped text        | test_page_says_what_is_asked         |
|              |                                                     | test_hostile_names_are_text          |
| K4           | only scopes registered for the client               | test_unregistered_scope_is_refused   |
|              |                                                     | test_unknown_scope_is_ignored        |
| OIDC 11      | offline_access needs consent, and is told           | test_offline_access_*                |
| S8, S9       | a yes is a POST with a token                        | test_yes_cannot_be_forged            |
| R14          | the answer counts for the request and person it was | test_answer_belongs_to_who_was_asked |
|              | shown for                                           |                                      |
"""

import pytest

from idp.errors import Invalid
from tests.frontchannel import SQLITE_ONLY, VERIFIER, ask, refusal, signed_in, success
from tests.provider import PASSWORD, Client, Pkce

sqlite_only = pytest.mark.parametrize(*SQLITE_ONLY)


@pytest.fixture
def third(provider, ada) -> Client:
    """A client of somebody else."""
    return provider.client("third", first_party=False, client_name="Third & Sons")


def granted_scope(provider, client, page):
    return provider.exchange(client, success(page), verifier=VERIFIER).json()["scope"]


def test_third_party_is_asked_for_once(provider, third):
    """K1: asked the first time, remembered afterwards, also in another browser and after a while."""
    page = ask(provider, third).submit("login-submit", username="ada", password=PASSWORD)
    assert page.path.startswith("/consent/")
    assert success(page.submit("consent-allow"))
    provider.advance(days=3)

    assert success(ask(provider, third, signed_in(provider)))


def test_new_scope_is_asked_for(provider, third):
    """K1: allowed before does not mean allowed more; less than before needs no question."""
    browser = signed_in(provider)
    success(ask(provider, third, browser, scope="openid email").submit("consent-allow"))

    assert (
        refusal(ask(provider, third, browser, scope="openid email phone", prompt="none"))
        == "consent_required"
    )
    page = ask(provider, third, browser, scope="openid email phone")
    assert "phone number" in page.text
    assert granted_scope(provider, third, page.submit("consent-allow")) == "openid email phone"
    for scope in ("openid", "openid phone", "phone openid email"):
        assert success(ask(provider, third, browser, scope=scope, prompt="none"))


def test_consent_is_the_persons(provider, third):
    """K1: one person's yes is not another's."""
    provider.account("grace")
    success(ask(provider, third, signed_in(provider)).submit("consent-allow"))

    assert ask(provider, third, signed_in(provider, "grace")).has("consent-allow")


def test_consent_is_the_clients(provider, third):
    """K1: allowing one application allows no other of the same name."""
    twin = provider.client("twin", first_party=False, client_name="Third & Sons")
    browser = signed_in(provider)
    success(ask(provider, third, browser).submit("consent-allow"))

    assert ask(provider, twin, browser).has("consent-allow")


def test_first_party_is_not_asked_for(provider, shop):
    """K1: the operator's own applications."""
    page = ask(provider, shop, scope="openid email offline_access")

    assert success(page.submit("login-submit", username="ada", password=PASSWORD))


def test_no_is_no(provider, third):
    """RFC 6749 §4.1.2.1: access_denied; nothing is remembered, the next request asks again."""
    browser = signed_in(provider)

    assert refusal(ask(provider, third, browser).submit("consent-deny")) == "access_denied"
    assert refusal(ask(provider, third, browser, prompt="none")) == "consent_required"
    assert ask(provider, third, browser).has("consent-allow")


def test_no_takes_nothing_back(provider, third):
    """K1: refusing more keeps what was allowed before."""
    browser = signed_in(provider)
    success(ask(provider, third, browser).submit("consent-allow"))

    assert (
        refusal(ask(provider, third, browser, scope="openid email").submit("consent-deny")) == "access_denied"
    )
    assert success(ask(provider, third, browser, prompt="none"))


@sqlite_only
def test_page_says_what_is_asked(provider, third):
    """K2: who asks, for whom, for what, for how long, and where the answer goes."""
    page = ask(provider, third, signed_in(provider), scope="openid email address offline_access")

    for text in (
        "Third & Sons",
        "Ada King",
        "e-mail address",
        "postal address",
        "while you are away",
        "shop.example",
    ):
        assert text in page.text
    assert "phone" not in page.text


@sqlite_only
@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "&lt;b&gt;", "' \" `"],
)
def test_hostile_names_are_text(provider, ada, name):
    """K2: what a client registered is shown as text on every page, and starts nothing."""
    client = provider.client("hostile", first_party=False, client_name=name)
    login = ask(provider, client)
    consent = login.submit("login-submit", username="ada", password=PASSWORD)

    for page in (login, consent):
        assert name in page.text
        assert all("onerror" not in tag for tag in page.elements("img"))
        assert all("nonce" in tag for tag in page.elements("script"))


@sqlite_only
@pytest.mark.parametrize("name", ["Shop\u202egnp.exe", "Shop\x00", "Shop\nby Bank", "\u200bBank", "   "])
def test_misleading_names_are_not_registered(provider, name):
    """K2, X5: direction overrides, invisible and control characters make one name look like another."""
    with pytest.raises(Invalid):
        provider.client("hostile", client_name=name)


@sqlite_only
def test_unregistered_scope_is_refused(provider, ada):
    """K4: known, but not for this client."""
    client = provider.client("small", scope="openid email")

    assert refusal(ask(provider, client, scope="openid email phone")) == "invalid_scope"
    assert refusal(ask(provider, client, scope="openid offline_access", prompt="consent")) == "invalid_scope"


@sqlite_only
def test_unknown_scope_is_ignored(provider, shop):
    """OIDC Core §3.1.2.1: scope values used that are not understood SHOULD be ignored; the answer tells."""
    page = provider.sign_in(ask(provider, shop, scope="openid unheard:of email email"))

    assert granted_scope(provider, shop, page) == "openid email"


@sqlite_only
@pytest.mark.parametrize(
    "scope", ["openid \\x", 'openid "x"', "openid ü", "openid 💥", "openid,email\u00a0x"]
)
def test_malformed_scope_is_refused(provider, shop, scope):
    """RFC 6749 §3.3: characters no scope may have."""
    assert refusal(ask(provider, shop, scope=scope)) == "invalid_scope"


@sqlite_only
def test_too_many_scopes_are_refused(provider, shop):
    """X3."""
    scope = " ".join(f"s{number}" for number in range(150))

    assert refusal(ask(provider, shop, scope=scope)) == "invalid_scope"


@pytest.mark.parametrize("fixture", ["third", "shop"])
def test_offline_access_with_consent_gives_a_refresh_token(provider, request, fixture):
    """OIDC Core §11: with prompt=consent, a refresh token that outlives the sign-in."""
    client = request.getfixturevalue(fixture)
    browser, pkce = provider.browser(), Pkce()
    page = ask(
        provider,
        client,
        browser,
        scope="openid offline_access",
        prompt="consent",
        code_challenge=pkce.challenge,
    )
    page = page.submit("login-submit", username="ada", password=PASSWORD)
    assert "while you are away" in page.text

    tokens = provider.exchange(client, success(page.submit("consent-allow")), verifier=pkce.verifier).json()

    assert "offline_access" in tokens["scope"]
    browser.get("/").submit("home-logout")
    assert provider.refresh(client, tokens["refresh_token"]).status == 200


def test_offline_access_is_asked_for(provider, third):
    """OIDC Core §11: an earlier consent without it does not cover it."""
    browser = signed_in(provider)
    success(ask(provider, third, browser).submit("consent-allow"))

    assert (
        refusal(ask(provider, third, browser, scope="openid offline_access", prompt="none"))
        == "consent_required"
    )


@sqlite_only
def test_offline_access_without_the_grant_is_dropped(provider, ada):
    """OIDC Core §11: meaningless for a client that has no refresh tokens; no error."""
    client = provider.client("brief", grant_types=("authorization_code",), first_party=False)

    page = ask(provider, client, signed_in(provider), scope="openid offline_access")

    assert "while you are away" not in page.text
    tokens = provider.exchange(client, success(page.submit("consent-allow")), verifier=VERIFIER).json()
    assert tokens["scope"] == "openid"
    assert "refresh_token" not in tokens


@pytest.mark.parametrize("how", ["GET", "no token", "other site", "other token"])
def test_yes_cannot_be_forged(provider, third, how):
    """S8, S9: a yes is a POST from our own page with this session's token; anything else changes nothing."""
    browser = signed_in(provider)
    page = ask(provider, third, browser)
    token = page.form_with("consent-allow").fields["csrf_token"]
    foreign = signed_in(provider).get("/").form_with("home-logout").fields["csrf_token"]

    if how == "GET":
        browser.get(page.path, {"decision": "allow", "csrf_token": token})
    else:
        sent = {"no token": "", "other site": token, "other token": foreign}[how]
        form = [("csrf_token", sent), ("decision", "allow")]
        site = "cross-site" if how == "other site" else None
        assert browser.open("POST", page.path, form=form, site=site).status == 403

    assert refusal(ask(provider, third, browser, prompt="none")) == "consent_required"
    assert success(page.submit("consent-allow"))


def test_answer_belongs_to_who_was_asked(provider, third):
    """R14, K1: somebody else signed in in another tab; no page shown to one person speaks for another."""
    provider.account("grace")
    browser = signed_in(provider)
    page = ask(provider, third, browser)
    ask(provider, third, browser, prompt="login").submit("login-submit", username="grace", password=PASSWORD)
    token = browser.get("/").form_with("home-logout").fields["csrf_token"]

    stale = page.submit("consent-allow")
    fresh = browser.open("POST", page.path, form=[("csrf_token", token), ("decision", "allow")])

    assert (stale.status, stale.left) == (403, False)
    assert fresh.has("consent-allow")
    assert "grace" in fresh.text
    assert refusal(ask(provider, third, browser, prompt="none")) == "consent_required"


@sqlite_only
def test_withdrawn_scope_is_not_granted(provider, third):
    """K4, R14: a scope taken from the client while the page was open."""
    browser = signed_in(provider)
    page = ask(provider, third, browser, scope="openid email")
    provider.container.admin.clients.disable(third.id)
    provider.settle()

    answer = page.submit("consent-allow")

    assert not answer.left
    assert answer.status == 400


@sqlite_only
def test_no_openid_no_id_token(provider, ada):
    """OIDC Core §3.1.2.1: without openid it is plain OAuth; consent is asked for all the same."""
    provider.resource("https://api.example", read_things="See things")
    client = provider.client("plain", scope="read:things", first_party=False)

    page = ask(provider, client, signed_in(provider), scope="read:things")
    assert "See things" in page.text
    tokens = provider.exchange(client, success(page.submit("consent-allow")), verifier=VERIFIER).json()

    assert "id_token" not in tokens
    assert tokens["scope"] == "read:things"
