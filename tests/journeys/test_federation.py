"""The life of an account elsewhere, as the person who has it lives it; the other provider is a stub.

| chapter                                              | test                                            |
|------------------------------------------------------|-------------------------------------------------|
| sign up and sign in, at the front door               | test_the_first_sign_in_makes_an_account         |
| on the way to an application                         | test_the_way_to_an_application_...              |
| the account's own second step                        | test_the_own_second_step_still_applies          |
| a provider that is trusted with its assurance        | test_a_trusted_provider_...                     |
| something is missing                                 | test_what_is_missing_is_asked_for               |
| the address has an account already                   | test_an_address_with_an_account_...             |
| link, unlink, never the last way in                  | test_link..., test_unlink...                    |
| prove again                                          | test_reauthentication_...                       |
| which provider is meant                              | test_home_realm..., test_a_hint_..., test_required |
| sign out, both ways                                  | test_upstream_logout_..., test_signed_out_...  |
| groups                                               | test_groups_..., test_unlinking_...            |
"""

from collections.abc import Iterator
from typing import Any

import pytest

from idp.federation import UpstreamIdentity
from idp.sessions import ACR_SINGLE_FACTOR, ACR_TWO_FACTORS
from idp.storage import groups_in
from tests.browser import Page
from tests.elsewhere import Elsewhere, elsewhere
from tests.frontchannel import SQLITE_ONLY, ask, request_parameters, success
from tests.provider import PASSWORD, Pkce, response_parameters
from tests.second_steps import person
from tests.unit.federation.stub import sign

ONE_DATABASE = pytest.mark.parametrize(*SQLITE_ONLY)


@pytest.fixture
def acme(new_provider) -> Iterator[Elsewhere]:
    with elsewhere(new_provider) as made:
        yield made


def alert(page: Page) -> bool:
    return any(given.get("role") == "alert" and "hidden" not in given for given in page.elements("div"))


def linked(acme: Elsewhere, username: str = "ada", **claims: Any):
    """An account with a password and a link to the stub; its browser, just signed in."""
    acme.provider.account(username, email=f"{username}@example.org", email_verified=True)
    browser = acme.browser()
    browser.get("/login").submit("login-submit", username=username, password=PASSWORD)
    page = acme.come_back(acme.leave(browser.get("/account/security"), "link-acme"), **claims)
    assert page.path == "/account/security", page.text
    return browser


# Sign up and sign in


def test_the_first_sign_in_makes_an_account(acme):
    """V9: the second time it is the same person, whatever else the provider says of them."""
    page = acme.sign_in(sub="one", email="ada@upstream.example", name="Ada King")
    assert page.path == "/"
    session = acme.session(page.browser)
    assert (session.acr, session.amr) == (ACR_SINGLE_FACTOR, ("fed",))

    page = acme.sign_in(sub="one", email="other@upstream.example", name="Somebody else")
    again = acme.session(page.browser)

    assert again.account_id == session.account_id
    [account] = acme.accounts()
    assert account.claims["name"] == "Ada King"
    assert [event["way"] for event in acme.events("account.created")] == ["federation"]


@ONE_DATABASE
def test_another_subject_is_another_person(acme):
    """V9: the address of an identity makes nobody the same."""
    for subject in ("one", "two"):
        acme.sign_in(sub=subject, email="same@upstream.example")

    assert len(acme.accounts()) == 2


@ONE_DATABASE
def test_an_untrusted_address_is_nobodys(acme):
    """V8, L6: it is neither stored nor compared with those that are here."""
    acme.provider.account("ada", email="ada@example.org", email_verified=True)

    page = acme.sign_in(sub="one", email="ada@example.org", email_verified=True)

    assert page.path == "/"
    [made] = [account for account in acme.accounts() if account.username != "ada"]
    assert (made.email, made.email_verified) == (None, False)
    assert made.username.startswith("acme-")


@ONE_DATABASE
def test_a_trusted_address_is_the_accounts(acme):
    """V8: the operator lets the provider vouch for this domain."""
    acme.change(trusted_email_domains=["upstream.example"])

    acme.sign_in(sub="one", email="Ada@Upstream.example")

    [account] = acme.accounts()
    assert (account.username, account.email, account.email_verified) == (
        "Ada@upstream.example",
        "Ada@upstream.example",
        True,
    )


@ONE_DATABASE
@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_counts_only_if_it_is_literally_verified(acme, verified):
    """V8: of a trusted provider, too."""
    acme.change(trusted_email_domains=["*"])

    acme.sign_in(sub="one", email_verified=verified)

    [account] = acme.accounts()
    assert account.email is None


def test_the_way_to_an_application_leads_there(acme):
    shop = acme.provider.client("shop")
    browser = acme.browser()
    page = acme.leave(ask(acme.provider, shop, browser, login_hint="ada@upstream.example"))
    assert "login_hint" not in acme.asked(page)  # which is no business of whatever provider they choose

    page = acme.come_back(page)

    assert success(page)


@ONE_DATABASE
def test_tokens_tell_the_truth(acme):
    """RFC 8176 has no word for it: `fed`, and nothing that the provider said."""
    shop = acme.provider.client("shop")
    pkce, browser = Pkce(), acme.browser()
    page = acme.leave(acme.provider.authorize(browser, shop, **pkce.parameters))
    page = acme.come_back(page, amr=["pwd", "mfa"], acr="urn:upstream:two")

    tokens = acme.provider.exchange(shop, response_parameters(page)["code"], verifier=pkce.verifier).json()
    claims = acme.provider.container.hints.read(tokens["id_token"])

    assert claims.subject == acme.accounts()[0].id
    assert acme.session(browser).amr == ("fed",)
    assert acme.session(browser).acr == ACR_SINGLE_FACTOR


# Second steps


def test_the_own_second_step_still_applies(acme):
    """M8: coming from elsewhere skips no factor that the person has set up."""
    ada = person(acme.provider, "totp")
    link(acme, ada, sub="one")

    page = acme.sign_in(sub="one", amr=["mfa"])

    assert page.has("code-submit")
    assert "__Host-idp_session" not in page.browser.cookies
    page = page.submit("code-submit", code=ada.code)
    session = acme.session(page.browser)
    assert (session.account_id, session.acr) == (ada.account_id, ACR_TWO_FACTORS)
    assert set(session.amr) == {"fed", "mfa", "otp"}


def link(acme: Elsewhere, who, **claims: Any) -> None:
    """Link the stub's person to this one, past the pages."""
    page = acme.leave(acme.browser().get("/login"))
    here, now = acme.provider.container, acme.provider.clock.now()
    stub, asked = acme.stub, acme.asked(page)
    assert asked["state"]
    said = stub.claims("any", now, **claims)
    from_there = upstream_identity(stub.issuer, said)
    with here.database.transaction():
        here.identities.link(from_there, who.account_id, now)


def upstream_identity(issuer: str, said: dict[str, Any]):
    from_said = {name: said[name] for name in ("name",) if name in said}
    return UpstreamIdentity(
        provider_id="acme",
        issuer=issuer,
        subject=said["sub"],
        claims=from_said,
        email=said.get("email"),
        email_verified=said.get("email_verified") is True,
        groups=(),
        auth_time=None,
        acr=None,
        amr=(),
        upstream_sid=None,
        id_token=None,
        tokens=None,
    )


@ONE_DATABASE
@pytest.mark.parametrize(
    ("said", "strong"),
    [
        ({"amr": ["mfa", "pwd"]}, True),
        ({"amr": ["pwd", "hwk"]}, True),
        ({"acr": "urn:upstream:two"}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": ["otp"]}, False),
        ({"acr": "urn:upstream:one"}, False),
    ],
)
def test_a_trusted_provider_is_believed(acme, said, strong):
    """M8: two factors there are two here, where the operator says so; one is one."""
    acme.change(trust_assurance=True, acr_map={"urn:upstream:two": ACR_TWO_FACTORS})
    ada = person(acme.provider, "totp")
    link(acme, ada, sub="one")

    page = acme.sign_in(sub="one", **said)

    if strong:
        session = acme.session(page.browser)
        assert session.acr == ACR_TWO_FACTORS
        assert set(session.amr) >= {"fed", "mfa", *said.get("amr", [])}
    else:
        assert page.has("code-submit")


@ONE_DATABASE
def test_a_client_that_asks_for_two_factors_gets_them(acme):
    """The provider is asked for them, and what it does not show is asked for here."""
    acme.change(trust_assurance=True, acr_map={"urn:upstream:two": ACR_TWO_FACTORS})
    shop = acme.provider.client("shop", minimum_acr=ACR_TWO_FACTORS)

    page = acme.leave(ask(acme.provider, shop, acme.browser()))
    assert acme.asked(page)["acr_values"] == "urn:upstream:two"
    page = acme.come_back(page, acr="urn:upstream:one")

    assert "/enrol" in page.path
    page = acme.leave(ask(acme.provider, shop, acme.browser()))
    assert success(acme.come_back(page, sub="two", acr="urn:upstream:two"))


@ONE_DATABASE
def test_everybody_needs_a_second_step_where_the_operator_says_so(new_provider):
    with elsewhere(new_provider, login={"second_factor": "required"}) as acme:
        page = acme.sign_in()

        assert page.path == "/login/enrol"
        assert "__Host-idp_session" not in page.browser.cookies


# The first sign-in


def test_what_is_missing_is_asked_for(acme):
    """The address is proved by a code; what was asked for is in the account."""
    acme.change(required_claims=["email", "given_name"])
    page = acme.sign_in(sub="one", email=None)
    assert page.path == "/federation/join"
    assert acme.accounts() == []

    assert alert(page.submit("join-submit", email="", given_name="Ada"))
    assert alert(page.submit("join-submit", email="ada@example.org", given_name=" "))
    page = page.submit("join-submit", email="ada@example.org", given_name="Ada")
    assert page.has("code-submit")
    assert page.submit("code-submit", code="000000").status == 422
    page = page.submit("code-submit", code=acme.provider.mails()[-1].code)

    assert page.path == "/"
    [account] = acme.accounts()
    assert (account.email, account.email_verified, account.claims["given_name"]) == (
        "ada@example.org",
        True,
        "Ada",
    )
    assert acme.sign_in(sub="one", email=None).path == "/"


@ONE_DATABASE
def test_an_account_may_be_asked_for_first(acme):
    """`creates` = "ask": nobody gets a second account by accident."""
    acme.change(creates="ask")
    shop = acme.provider.client("shop")
    page = acme.come_back(acme.leave(ask(acme.provider, shop)))
    assert page.path == "/federation/join"

    page = page.submit("join-submit", email="")

    assert success(page)
    assert len(acme.accounts()) == 1


@ONE_DATABASE
def test_a_typed_address_tells_nobody_whose_it_is(acme):
    """L6: the same page for an address that has an account; its owner gets a mail, and no code fits."""
    acme.provider.account("ada", email="ada@example.org", email_verified=True)
    acme.change(required_claims=["email"])
    page = acme.sign_in(sub="one", email=None)

    known = page.submit("join-submit", email="ada@example.org")
    unknown = acme.sign_in(sub="two", email=None).submit("join-submit", email="eve@example.org")

    assert (known.status, known.path) == (unknown.status, unknown.path)
    assert known.text.replace("ada@", "eve@") == unknown.text
    assert acme.provider.mails()[0].subject.startswith("You already have an account")
    assert len(acme.accounts()) == 1


@ONE_DATABASE
def test_terms_are_accepted_first(new_provider):
    terms = {"terms_uri": "https://idp.example/terms", "terms_version": "7"}
    with elsewhere(new_provider, registration=terms) as acme:
        page = acme.sign_in()
        assert page.path == "/federation/join"
        assert alert(page.submit("join-submit"))

        page = page.submit("join-submit", terms="yes")

        assert page.path == "/"
        assert acme.accounts()[0].terms_version == "7"


@ONE_DATABASE
def test_a_provider_may_make_no_accounts(acme):
    acme.change(creates="never")
    shop = acme.provider.client("shop")

    page = acme.come_back(acme.leave(ask(acme.provider, shop)))

    assert (page.status, alert(page)) == (403, True)
    assert "not known here" in page.text
    assert acme.accounts() == []
    assert acme.events("federation.signin.failed")[0]["reason"] == "unknown_identity"
    back = next(given["href"] for given in page.elements("a") if given.get("id") == "federation-back")
    assert page.browser.get(back).has("login-submit")


def test_an_address_with_an_account_can_be_linked_after_its_proof(acme):
    """V8: trusted domain, verified there, verified here, and then still the person's own proof."""
    acme.change(trusted_email_domains=["example.org"])
    ada = acme.provider.account("ada", email="ada@example.org", email_verified=True)
    shop = acme.provider.client("shop")
    page = acme.come_back(acme.leave(ask(acme.provider, shop)), sub="one", email="ada@example.org")
    assert page.path == "/federation/known"
    assert acme.links(ada["id"]) == []

    href = next(given["href"] for given in page.elements("a") if given.get("id") == "known-login")
    page = page.browser.get(href).submit("login-submit", username="ada", password=PASSWORD)
    assert page.path == "/federation/link"
    assert acme.links(ada["id"]) == []
    page = page.submit("link-submit")

    assert success(page)
    assert [one.subject for one in acme.links(ada["id"])] == ["one"]
    assert acme.session(acme.sign_in(sub="one").browser).account_id == ada["id"]


@ONE_DATABASE
def test_an_address_is_linked_to_its_own_account_only(acme):
    """V8: whoever signs in as somebody else gets nothing linked."""
    acme.change(trusted_email_domains=["example.org"])
    acme.provider.account("ada", email="ada@example.org", email_verified=True)
    eve = acme.provider.account("eve", email="eve@example.org", email_verified=True)
    page = acme.sign_in(sub="one", email="ada@example.org")

    page = page.browser.get("/login?return_to=/federation/link").submit(
        "login-submit", username="eve", password=PASSWORD
    )

    assert (page.status, page.has("link-submit")) == (403, False)
    assert acme.links(eve["id"]) == []


@ONE_DATABASE
def test_an_address_that_its_account_has_not_proved_is_not_linked(acme):
    """V8: somebody may have taken it to wait for its owner."""
    acme.change(trusted_email_domains=["example.org"])
    acme.provider.account("eve", email="ada@example.org", email_verified=False)

    page = acme.sign_in(sub="one", email="ada@example.org")

    assert (page.status, alert(page)) == (409, True)
    assert len(acme.accounts()) == 1


# Link and unlink


def test_link_and_sign_in_with_it(acme):
    browser = linked(acme, sub="one")
    [account] = acme.accounts()

    page = acme.sign_in(sub="one")

    assert acme.session(page.browser).account_id == account.id
    assert "ada@upstream.example" in browser.get("/account/security").text
    assert "An account elsewhere was linked to yours" in {mail.subject for mail in acme.provider.mails()}
    assert "Acme" in browser.get("/account/history").text


@ONE_DATABASE
def test_linking_needs_a_fresh_session(acme):
    """M7, M8: asked before they leave, and again when they are back."""
    browser = linked(acme, sub="one")
    page = browser.get("/account/security")
    gone = acme.leave(page, "link-acme")
    acme.provider.advance(minutes=11)

    page = page.submit("link-acme")
    assert page.path == "/reauthenticate"
    page = acme.come_back(gone, sub="two")

    assert page.path == "/reauthenticate"
    assert len(acme.links(acme.accounts()[0].id)) == 1


@ONE_DATABASE
def test_an_identity_is_linked_to_one_account(acme):
    linked(acme, sub="one")
    acme.provider.account("eve")
    browser = acme.browser()
    browser.get("/login").submit("login-submit", username="eve", password=PASSWORD)

    page = acme.come_back(acme.leave(browser.get("/account/security"), "link-acme"), sub="one")

    assert (page.status, alert(page)) == (409, True)
    assert acme.session(acme.sign_in(sub="one").browser).account_id != acme.session(browser).account_id


@ONE_DATABASE
def test_a_link_belongs_to_the_session_that_began_it(acme):
    """Another person signed in at the same browser meanwhile."""
    linked(acme, "eve", sub="eve")
    acme.provider.account("ada")
    browser = acme.browser()
    browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)
    gone = acme.leave(browser.get("/account/security"), "link-acme")
    browser.get("/login?another=1").submit("login-submit", username="eve", password=PASSWORD)

    page = acme.come_back(gone, sub="new")

    assert (page.status, alert(page)) == (400, True)
    assert all(one.subject != "new" for account in acme.accounts() for one in acme.links(account.id))


def test_unlink(acme):
    browser = linked(acme, sub="one")
    [account] = acme.accounts()
    [one] = acme.links(account.id)

    page = browser.get("/account/security").submit(f"unlink-{one.id}")

    assert page.has("identities-none")
    assert acme.provider.mails()[-1].subject == "The link to an account elsewhere was removed"
    assert acme.session(acme.sign_in(sub="one").browser).account_id != account.id


def test_the_last_way_in_stays(acme):
    """An identity that is all there is cannot be unlinked."""
    page = acme.sign_in(sub="one")
    [account] = acme.accounts()
    [one] = acme.links(account.id)

    page = page.browser.get("/account/security").submit(f"unlink-{one.id}")

    assert (page.status, alert(page)) == (422, True)
    assert len(acme.links(account.id)) == 1


@ONE_DATABASE
def test_this_was_not_me_takes_the_link_away(acme):
    """M13: what a stranger has linked goes with them."""
    linked(acme, sub="one")
    [account] = acme.accounts()
    told = acme.provider.mails()[-1]
    link_ = next(part for part in told.text.split() if "/not-me/" in part)

    acme.browser().get(link_).submit("secure-submit")

    assert acme.links(account.id) == []


# Prove again


@ONE_DATABASE
def test_reauthentication_through_the_linked_provider(acme):
    """`prompt=login` is asked for, and the answer has to say when."""
    page = acme.sign_in(sub="one")
    browser = page.browser
    acme.provider.advance(minutes=11)
    page = browser.get("/account/security/totp")
    assert page.path == "/reauthenticate"
    gone = acme.leave(page)
    assert (acme.asked(gone)["prompt"], acme.asked(gone)["max_age"]) == ("login", "0")
    now = int(acme.provider.clock.now().timestamp())

    old = acme.come_back(gone, sub="one", auth_time=now - 600)
    assert alert(old)
    gone = acme.leave(browser.get("/reauthenticate?return_to=/account/security/totp"))
    other = acme.come_back(gone, sub="two", auth_time=now)
    assert alert(other)
    gone = acme.leave(browser.get("/reauthenticate?return_to=/account/security/totp"))
    page = acme.come_back(gone, sub="one", auth_time=now)

    assert (page.path, page.has("totp-add") or page.has("totp-begin")) == ("/account/security/totp", True)
    assert len(acme.accounts()) == 1


@ONE_DATABASE
def test_a_client_s_wish_for_a_new_sign_in_is_passed_on(acme):
    """OIDC Core §3.1.2.1: `prompt=login` and `max_age` hold for the sign-in there."""
    shop = acme.provider.client("shop")
    now = int(acme.provider.clock.now().timestamp())
    gone = acme.leave(ask(acme.provider, shop, prompt="login"))
    assert acme.asked(gone)["prompt"] == "login"
    page = acme.come_back(gone, auth_time=None)
    assert (page.status, alert(page)) == (422, True)
    assert acme.accounts() == []

    gone = acme.leave(ask(acme.provider, shop, max_age="60"))
    assert acme.asked(gone)["max_age"] == "60"
    assert alert(acme.come_back(gone, auth_time=now - 3600))
    gone = acme.leave(ask(acme.provider, shop, max_age="60"))
    assert success(acme.come_back(gone, auth_time=now - 10))


# Which provider is meant


@ONE_DATABASE
def test_home_realm_by_the_domain_of_an_address(acme):
    """L6: by the domain alone, with an empty password, whether the account exists or not."""
    acme.change(home_domains=["acme.example"])

    page = acme.browser().get("/login").submit("login-submit", username="nobody@ACME.example")

    assert page.url.startswith(acme.stub.address)
    assert acme.asked(page)["login_hint"] == "nobody@ACME.example"
    page = acme.browser().get("/login").submit("login-submit", username="nobody@other.example")
    assert alert(page)


@ONE_DATABASE
@pytest.mark.parametrize("name", ["idp_hint", "kc_idp_hint"])
def test_a_hint_leads_straight_there(acme, name):
    acme.change(hidden=True)
    shop = acme.provider.client("shop")
    page = acme.browser().get("/authorize", {**request_parameters(shop), name: "acme"})
    assert page.has("leave")
    url = next(given["href"] for given in page.elements("a") if given.get("id") == "leave")

    gone = Page(page.browser, page.answer, url)
    assert success(acme.come_back(gone))
    page = acme.browser().get("/authorize", {**request_parameters(shop), name: "nobody"})
    assert page.has("login-submit")
    assert not page.has("provider-acme")  # which is hidden


@ONE_DATABASE
def test_required_of_a_client(acme):
    """Nobody comes to it by another way, whoever they are signed in as."""
    acme.provider.account("ada")
    shop = acme.provider.client("shop", required_identity_provider="acme")
    browser = acme.browser()
    browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)

    page = ask(acme.provider, shop, browser)
    assert page.has("leave")
    url = next(given["href"] for given in page.elements("a") if given.get("id") == "leave")
    page = acme.come_back(Page(browser, page.answer, url))

    assert success(page)
    assert success(ask(acme.provider, shop, browser))
    page = ask(acme.provider, shop, acme.browser())
    uid = page.path.rpartition("/")[2]
    page = page.browser.get(f"/login/{uid}?choose=1")
    assert (page.has("provider-acme"), page.has("login-submit")) == (True, False)


@ONE_DATABASE
def test_a_client_may_offer_some(acme):
    acme.register("other", name="Other")
    shop = acme.provider.client("shop", identity_providers=["other"])
    page = ask(acme.provider, shop)

    assert (page.has("provider-other"), page.has("provider-acme")) == (True, False)
    form = page.form_with("provider-other")
    page = page.browser.open("POST", "/federation/start", form=[*form.fields.items(), ("provider", "acme")])
    assert (page.status, alert(page)) == (404, True)


def order(page: Page) -> list[str]:
    """The providers of the buttons on a page."""
    return [given["value"] for given in page.elements("button") if given.get("name") == "provider"]


@ONE_DATABASE
def test_the_last_used_comes_first(acme):
    acme.register("other", name="Other", position=5)
    browser = acme.browser()
    order = [
        given["value"]
        for given in browser.get("/login").elements("button")
        if given.get("name") == "provider"
    ]
    assert order == ["acme", "other"]
    acme.come_back(acme.leave(browser.get("/login"), "provider-other"), provider_id="other")
    browser.cookies.pop("__Host-idp_session")

    order = [
        given["value"]
        for given in browser.get("/login").elements("button")
        if given.get("name") == "provider"
    ]

    assert order == ["other", "acme"]


# Sign out


def logout_token(acme: Elsewhere, **claims: Any) -> str:
    now = int(acme.provider.clock.now().timestamp())
    said = {
        "iss": acme.stub.issuer,
        "aud": "our-client",
        "iat": now,
        "exp": now + 120,
        "jti": "one",
        "sub": "ada",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        **claims,
    }
    return sign({name: value for name, value in said.items() if value is not None}, typ="logout+jwt")


def send(acme: Elsewhere, token: str, provider_id: str = "acme"):
    return acme.provider.http.post(f"/federation/{provider_id}/backchannel-logout", {"logout_token": token})


def test_upstream_logout_ends_what_came_from_there(acme):
    """K11: sessions, token families, and our own clients hear of it."""
    shop = acme.provider.client("shop", backchannel_logout_uri="https://shop.example/logout")
    pkce, browser = Pkce(), acme.browser()
    page = acme.leave(acme.provider.authorize(browser, shop, scope="openid", **pkce.parameters))
    page = acme.come_back(page, sid="s1")
    tokens = acme.provider.exchange(shop, response_parameters(page)["code"], verifier=pkce.verifier).json()
    other = acme.sign_in(sid="s2").browser
    acme.provider.advance(seconds=1)

    answer = send(acme, logout_token(acme, sid="s1"))

    assert (answer.status, answer.header("Cache-Control")) == (200, "no-store")
    assert acme.session(browser) is None
    assert acme.session(other) is not None
    assert acme.provider.refresh(shop, tokens["refresh_token"]).status == 400
    assert [event["reason"] for event in acme.events("session.ended")] == ["upstream_logout"]
    with acme.provider.container.database.transaction(write=False):
        waiting = acme.provider.container.outbox.list_unsent(limit=10)
    assert [one.channel for one in waiting] == ["backchannel_logout"]
    send(acme, logout_token(acme, jti="two"))
    assert acme.session(other) is None


@ONE_DATABASE
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"aud": "somebody-else"},
        {"events": None},
        {"nonce": "n"},
        {"sub": None},
        {"jti": None},
        {"exp": 1},
        {"iat": None},
    ],
)
def test_a_logout_token_that_does_not_hold_ends_nothing(acme, claims):
    """K11: OIDC Back-Channel Logout §2.6."""
    browser = acme.sign_in().browser

    answer = send(acme, logout_token(acme, **claims))

    assert (answer.status, answer.json()["error"]) == (400, "invalid_request")
    assert answer.header("Cache-Control") == "no-store"
    assert acme.session(browser) is not None
    assert acme.events("federation.logout.refused")[0]["provider"] == "acme"


@ONE_DATABASE
def test_a_logout_token_counts_once(acme):
    """K11: shown again, it ends nothing that began since."""
    token = logout_token(acme)
    assert send(acme, token).status == 200
    browser = acme.sign_in().browser

    assert send(acme, token).status == 400
    assert acme.session(browser) is not None
    assert send(acme, "junk").status == 400
    assert send(acme, token, "nobody").status == 400
    assert acme.provider.http.post("/federation/acme/backchannel-logout", {}).status == 400


@ONE_DATABASE
def test_signed_out_page_offers_to_sign_out_there(acme):
    """OpenID Connect RP-Initiated Logout §2, with the ID token as the hint."""
    browser = acme.sign_in().browser
    page = browser.get("/logout").submit("logout-yes")
    assert page.has("upstream-logout")

    page = browser.get("/federation/logout")

    assert page.url.startswith(f"{acme.stub.address}/logout?")
    asked = acme.asked(page)
    assert asked["post_logout_redirect_uri"] == "https://idp.example/logged-out"
    assert asked["id_token_hint"].count(".") == 2
    assert not browser.get("/logged-out").has("upstream-logout")


@ONE_DATABASE
def test_nothing_is_offered_to_who_came_by_password(acme):
    acme.provider.account("ada")
    browser = acme.browser()
    browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)

    assert not browser.get("/logout").submit("logout-yes").has("upstream-logout")
    assert browser.get("/federation/logout").path == "/logged-out"


@ONE_DATABASE
def test_profile_follows_where_it_is_to(acme):
    acme.change(profile_sync="always")
    acme.sign_in(sub="one", name="Ada King", family_name="King")

    acme.sign_in(sub="one", name="Ada Lovelace", family_name=None)

    [account] = acme.accounts()
    assert account.claims == {"name": "Ada Lovelace", "family_name": "King"}


# Groups


def in_groups(acme: Elsewhere, username: str | None = None) -> list[str]:
    """What a client is told of the only account, or of this one."""
    [account] = [one for one in acme.accounts() if username in {None, one.username}]
    return groups_in(account.claims)


GROUPS = {"group_claim": "roles", "group_map": {"r1": "staff", "r2": "editors"}}


def test_groups_come_from_there(acme):
    """To who asks for the scope, and no longer than they are said."""
    acme.change(profile_sync="always", **GROUPS)
    shop, pkce, browser = acme.provider.client("shop"), Pkce(), acme.browser()
    page = acme.leave(acme.provider.authorize(browser, shop, scope="openid groups", **pkce.parameters))
    page = acme.come_back(page, sub="one", roles=["r1", "r2", "admin"])
    tokens = acme.provider.exchange(shop, response_parameters(page)["code"], verifier=pkce.verifier).json()
    assert acme.provider.userinfo(tokens["access_token"]).json()["groups"] == ["editors", "staff"]

    acme.sign_in(sub="one", roles=["r1"])
    assert acme.provider.userinfo(tokens["access_token"]).json()["groups"] == ["staff"]
    assert acme.events("account.updated")[0] == {"fields": ["groups"], "provider": "acme"}

    acme.sign_in(sub="one")
    assert "groups" not in acme.provider.userinfo(tokens["access_token"]).json()


@ONE_DATABASE
@pytest.mark.parametrize(("sync", "groups"), [("first", ["staff"]), ("never", [])])
def test_groups_stay_where_the_provider_is_not_followed(acme, sync, groups):
    acme.change(profile_sync=sync, **GROUPS)

    acme.sign_in(sub="one", name="Ada King", roles=["r1"])
    acme.sign_in(sub="one", name="Ada Lovelace", roles=["r2"])

    assert in_groups(acme) == groups
    [account] = acme.accounts()
    assert account.claims.get("name") == ("Ada King" if sync == "first" else None)


@ONE_DATABASE
def test_what_a_provider_must_say_is_kept_though_it_is_never_followed(acme):
    acme.change(profile_sync="never", required_claims=["name"])

    acme.sign_in(sub="one", name="Ada King", family_name="King")

    [account] = acme.accounts()
    assert account.claims == {"name": "Ada King"}


def test_unlinking_takes_the_groups_away(acme):
    """Those of the operator stay, also where the provider said the same."""
    acme.change(profile_sync="always", **GROUPS)
    browser = linked(acme, sub="one", roles=["r1", "r2"])
    assert in_groups(acme) == []  # a link is no sign-in
    acme.provider.container.admin.accounts.update("ada", {"groups": ["editors", "board"]})
    acme.sign_in(sub="one", roles=["r1", "r2"])
    assert in_groups(acme) == ["board", "editors", "staff"]

    [one] = acme.links(acme.accounts()[0].id)
    browser.get("/account/security").submit(f"unlink-{one.id}")

    assert in_groups(acme) == ["board", "editors"]


@ONE_DATABASE
def test_a_profile_form_changes_no_groups(acme):
    acme.change(profile_sync="always", **GROUPS)
    page = acme.sign_in(sub="one", roles=["r1"])

    page.browser.get("/account").submit("profile-submit", name="Ada", groups="admin")

    assert in_groups(acme) == ["staff"]


@ONE_DATABASE
def test_a_deleted_provider_takes_its_groups_along(acme):
    acme.change(profile_sync="always", **GROUPS)
    acme.sign_in(sub="one", roles=["r1"])
    acme.switch_off()
    assert in_groups(acme) == ["staff"]  # like the link

    acme.provider.container.admin.providers.delete("acme")

    assert in_groups(acme) == []


@ONE_DATABASE
def test_claims_of_the_operators_own_come_from_there(new_provider):
    """Those that the server knows; what else the mapping makes is dropped, and the preview says so."""
    with elsewhere(new_provider, claims={"custom": ["department=profile"]}) as acme:
        acme.change(profile_sync="always", claims={"department": "org.unit", "shoe_size": "shoe"})
        said = {"org": {"unit": "R&D"}, "shoe": 38}

        acme.sign_in(sub="one", **said)
        [account] = acme.accounts()
        assert account.claims == {"name": "Ada King", "department": "R&D"}
        acme.sign_in(sub="one", org={"unit": "Sales"})
        [account] = acme.accounts()
        assert account.claims == {"name": "Ada King", "department": "Sales"}

        found = acme.provider.container.admin.providers.preview("acme", {"sub": "one", **said})
        assert found["claims"] == {"department": "R&D", "shoe_size": 38}
        assert found["unknown_claims"] == ["shoe_size"]
