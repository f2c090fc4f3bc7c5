"""Several accounts signed in in one browser: beside each other, switched between, signed out of.

| row          | MUST                                              | test                                |
|--------------|---------------------------------------------------|-------------------------------------|
| OIDC 3.1.2.1 | prompt=select_account: a choice of what is there  | test_choosing_for_an_application    |
| S1, S2       | each session by its own secret alone, made anew   | test_switching_makes_the_cookie_*,  |
|              | when it becomes the present one                   | test_a_session_id_opens_nothing     |
| S5           | signing out ends this account, or all, on the     | test_signing_out_*                  |
|              | server                                            |                                     |
| M5           | to switch is to prove nothing                     | test_switching_is_no_sign_in        |
| S6, T16      | a disabled account is not chosen                  | test_a_disabled_account_*           |
"""

import pytest

from tests.browser import Browser, Page
from tests.frontchannel import SESSION, VERIFIER, ask, refusal, signed_in, success
from tests.protocol import jose
from tests.provider import PASSWORD, Client, Provider

BESIDE = "__Host-idp_beside"
OTHERS = ("grace", "joan", "mary", "kate", "hedy")


@pytest.fixture
def people(provider: Provider, ada: dict) -> dict[str, str]:
    """Ids by name."""
    return {"ada": ada["id"], **{name: provider.account(name)["id"] for name in OTHERS}}


def sign_in_beside(browser: Browser, username: str) -> Page:
    page = browser.get("/select-account").submit("account-other")
    return page.submit("login-submit", username=username, password=PASSWORD)


def browser_of(provider: Provider, *names: str) -> Browser:
    """A browser in which these people have signed in, the last of them at last."""
    browser = signed_in(provider, names[0])
    for name in names[1:]:
        provider.advance(seconds=1)
        assert sign_in_beside(browser, name).status == 200
    return browser


def subject(provider: Provider, client: Client, page: Page) -> str:
    answer = provider.exchange(client, success(page), verifier=VERIFIER)
    return str(jose.claims(answer.json()["id_token"])["sub"])


def who(provider: Provider, client: Client, browser: Browser) -> str:
    """Whom an application is told of without a page."""
    return subject(provider, client, ask(provider, client, browser, prompt="none"))


def choice(page: Page, username: str) -> str:
    """The button of an account."""
    for identifier in (f"account-{number}" for number in range(1, 6) if page.has(f"account-{number}")):
        button = page.answer.text.split(f'id="{identifier}"')[1].split("</button>")[0]
        if f">{username[0].upper()}<" in button:
            return identifier
    raise AssertionError(page.text)


def test_somebody_signs_in_beside(provider, shop, people):
    """The one who was there stays signed in, and can come back without a password."""
    browser = browser_of(provider, "ada", "grace")
    assert who(provider, shop, browser) == people["grace"]

    page = browser.get("/select-account")
    page.submit(choice(page, "ada"))

    assert who(provider, shop, browser) == people["ada"]


def test_signing_in_as_somebody_else_otherwise_replaces(provider, shop, people):
    """S2: nobody stays signed in behind the back of the next person, unless they chose so."""
    browser = signed_in(provider)
    former = dict(browser.cookies)

    page = ask(provider, shop, browser, prompt="login")
    page.submit("login-submit", username="grace", password=PASSWORD)

    browser.cookies, kept = former, browser.cookies
    assert refusal(ask(provider, shop, browser, prompt="none")) == "login_required"
    assert BESIDE not in kept


def test_switching_makes_the_cookie_anew(provider, shop, people):
    """S2: neither the former present value nor the parked one finds the chosen session."""
    browser = browser_of(provider, "ada", "grace")
    parked = browser.cookies[BESIDE]

    page = browser.get("/select-account")
    page.submit(choice(page, "ada"))

    thief = provider.browser()
    thief.cookies = {**browser.cookies, SESSION: parked}
    assert browser.cookies[SESSION] != parked
    assert refusal(ask(provider, shop, thief, prompt="none")) == "login_required"


def test_a_session_id_opens_nothing(provider, shop, people):
    """S1: the id on the button is no secret; in another browser it is nothing."""
    browser = browser_of(provider, "ada", "grace")
    page = browser.get("/select-account")
    identifier = next(
        given["value"] for given in page.elements("button") if given.get("value", "").startswith("ses_")
    )
    stranger = signed_in(provider, "joan")
    form = {**stranger.get("/select-account").forms[0].fields, "choice": identifier}

    refused = stranger.open("POST", "/select-account", form=list(form.items()))

    assert refused.status == 400
    assert who(provider, shop, stranger) == people["joan"]


@pytest.mark.parametrize("value", ["x" * 20, "idp_bs_" + "x" * 43, "." * 40, "idp_bs_.idp_bs_.idp_bs_."])
def test_a_made_up_cookie_is_nobody(provider, shop, people, value):
    """S2: no value is accepted that we did not make."""
    browser = signed_in(provider)
    browser.cookies[BESIDE] = value

    page = browser.get("/select-account")

    assert page.has("account-keep")
    assert not page.has("account-1")


def test_choosing_for_an_application(provider, shop, people):
    """OIDC Core §3.1.2.1: everybody who is signed in is offered; the answer is about whom was chosen."""
    browser = browser_of(provider, "ada", "grace", "joan")

    page = ask(provider, shop, browser, prompt="select_account")
    assert all(page.has(name) for name in ("account-keep", "account-1", "account-2", "account-other"))

    assert subject(provider, shop, page.submit(choice(page, "ada"))) == people["ada"]
    assert who(provider, shop, browser) == people["ada"]


def test_an_application_sends_a_new_account_beside(provider, shop, people):
    """OIDC Core §3.1.2.1: "use another account" keeps who was signed in."""
    browser = signed_in(provider)
    page = ask(provider, shop, browser, prompt="select_account").submit("account-other")

    page = page.submit("login-submit", username="grace", password=PASSWORD)

    assert subject(provider, shop, page) == people["grace"]
    assert browser.get("/select-account").has("account-1")


def test_switching_is_no_sign_in(provider, shop, people):
    """M5, S13: neither inside nor outside of the request does a switch answer prompt=login."""
    browser = browser_of(provider, "ada", "grace")
    provider.advance(seconds=1)
    page = ask(provider, shop, browser, prompt="login")
    uid = page.path.rpartition("/")[2]

    chooser = browser.get("/select-account")
    chooser.submit(choice(chooser, "ada"))
    outside = browser.get(f"/authorize/{uid}")
    chooser = browser.get(f"/select-account/{uid}")
    inside = chooser.submit(choice(chooser, "grace"))

    assert outside.has("login-submit")
    assert inside.has("login-submit")
    assert subject(provider, shop, provider.sign_in(inside, "grace")) == people["grace"]


def test_nobody_is_present_but_somebody_is_signed_in(provider, shop, people):
    """After signing out of one account an application's request offers those that are left."""
    browser = browser_of(provider, "ada", "grace")
    browser.get("/").submit("home-logout").submit("logout-yes")

    page = ask(provider, shop, browser)
    assert page.path.startswith("/select-account/")
    assert not page.has("account-keep")
    other = page.submit("account-other")
    assert other.has("login-submit")

    page = browser.get("/select-account/" + page.path.rpartition("/")[2])
    assert subject(provider, shop, page.submit(choice(page, "ada"))) == people["ada"]


def test_an_application_asks_for_somebody_who_is_signed_in_beside(provider, shop, people):
    """OIDC Core §3.1.2.1, id_token_hint: they are one choice away, and the wrong choice answers nothing."""
    browser = signed_in(provider)
    hint = provider.tokens(shop, browser=browser)["id_token"]
    provider.advance(seconds=1)
    sign_in_beside(browser, "grace")
    sign_in_beside(browser, "joan")
    provider.advance(seconds=1)

    page = ask(provider, shop, browser, id_token_hint=hint)
    assert page.path.startswith("/select-account/")
    page = page.submit(choice(page, "grace"))
    assert page.path.startswith("/select-account/")

    assert subject(provider, shop, page.submit(choice(page, "ada"))) == people["ada"]


def test_signing_out_of_this_account(provider, shop, people):
    """S5: the others stay."""
    browser = browser_of(provider, "ada", "grace")
    former = browser.cookies[SESSION]

    page = browser.get("/").submit("home-logout").submit("logout-yes")

    assert page.has("choose-account")
    assert SESSION not in browser.cookies
    assert browser.get("/select-account").has("account-1")
    browser.cookies[SESSION] = former
    assert refusal(ask(provider, shop, browser, prompt="none")) == "login_required"


def test_signing_out_of_all_accounts(provider, shop, people):
    """S5: every session is dead on the server, not only forgotten."""
    browser = browser_of(provider, "ada", "grace", "joan")
    kept = dict(browser.cookies)

    browser.get("/").submit("home-logout").submit("logout-all")

    assert not {SESSION, BESIDE} & set(browser.cookies)
    browser.cookies = kept
    assert browser.get("/select-account").path == "/login"


def test_an_application_signs_out_whom_it_knows(provider, shop, people):
    """RP-Initiated Logout §2: the hint names somebody who is signed in beside; the present one stays."""
    browser = signed_in(provider)
    hint = provider.tokens(shop, browser=browser)["id_token"]
    sign_in_beside(browser, "grace")

    browser.get("/logout", {"id_token_hint": hint})

    assert who(provider, shop, browser) == people["grace"]
    assert not browser.get("/select-account").has("account-1")


def test_one_session_for_each_account(provider, shop, people):
    """Who signs in beside themself renews; who is signed in beside and signs in again is there once."""
    browser = browser_of(provider, "ada", "grace", "ada", "ada")

    page = browser.get("/select-account")

    assert page.has("account-1")
    assert not page.has("account-2")
    assert who(provider, shop, browser) == people["ada"]


def test_there_are_at_most_five(provider, shop, people):
    """The oldest one makes room, and is ended, not forgotten."""
    browser = browser_of(provider, "ada", "grace", "joan", "mary", "kate")
    oldest = browser.cookies[BESIDE].rpartition(".")[2]

    sign_in_beside(browser, "hedy")

    page = browser.get("/select-account")
    assert page.has("account-4")
    assert not page.has("account-5")
    browser.cookies[SESSION] = oldest
    assert refusal(ask(provider, shop, browser, prompt="none")) == "login_required"


def test_a_disabled_account_is_not_offered(provider, shop, people):
    """S6, T16."""
    browser = browser_of(provider, "ada", "grace")
    page = browser.get("/select-account")
    button = choice(page, "ada")
    provider.container.admin.accounts.disable("ada")

    refused = page.submit(button)

    assert refused.status == 400
    assert not browser.get("/select-account").has("account-1")
    assert who(provider, shop, browser) == people["grace"]


def test_a_switch_is_recorded(provider, shop, people):
    """Convention 12: who, when, which session."""
    browser = browser_of(provider, "ada", "grace")
    page = browser.get("/select-account")
    page.submit(choice(page, "ada"))

    with provider.container.database.transaction(write=False):
        rows = provider.container.repos.audit.list_()
    [chosen] = [row for row in rows if row.event == "session.chosen"]

    assert chosen.account_id == people["ada"]
    assert chosen.session_id
