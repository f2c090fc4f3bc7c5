"""``/account/delete``: people delete their account, and may change their mind for a while.

======  =========================================================================
row     test
======  =========================================================================
M7      test_a_stale_session_deletes_nothing
S6, T16 test_everything_is_dead_from_the_request_on
S6      test_who_signs_in_again_can_do_nothing_but_keep_the_account
X12     test_twenty_workers_delete_an_account_once
======  =========================================================================
"""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from idp.errors import NotFound
from tests.account.people import IPHONE, add_events, at_home, is_signed_in, says
from tests.bench import NewProvider
from tests.browser import Browser, Page
from tests.provider import PASSWORD, Client, Pkce, Provider, response_parameters


def _delete(browser: Browser) -> Page:
    return browser.get("/account/delete").submit("delete-submit")


def _carry_out(provider: Provider) -> int:
    return provider.container.selfservice.deletion.carry_out(provider.clock.now())


def _back(provider: Provider) -> tuple[Browser, Page]:
    """Somebody who signs in to an account that is going to be deleted, and the page they get to."""
    browser = provider.browser()
    return browser, browser.get("/login").submit("login-submit", username="ada", password=PASSWORD)


def test_everything_is_dead_from_the_request_on(provider: Provider, shop: Client) -> None:
    """Rows S6, T16: sessions, tokens, offline access and codes on their way, at this very moment."""
    phone, pkce = provider.browser(), Pkce()
    tokens = provider.tokens(shop, browser=phone, scope="openid offline_access", prompt="consent")
    code = provider.code(shop, browser=phone, **pkce.parameters)
    desk = at_home(provider)

    page = _delete(desk)

    assert says(page, "status")
    assert "14 days" in page.text
    assert not is_signed_in(desk)
    assert not is_signed_in(phone)
    assert provider.userinfo(tokens["access_token"]).status == 401
    assert provider.refresh(shop, tokens["refresh_token"]).status == 400
    assert provider.exchange(shop, code, verifier=pkce.verifier).status == 400
    assert provider.introspect(shop, tokens["access_token"]).json() == {"active": False}


def test_who_signs_in_again_can_do_nothing_but_keep_the_account(provider: Provider, shop: Client) -> None:
    """Row S6: no page and no client gets anything from an account that is going to be deleted."""
    _delete(at_home(provider))

    browser, page = _back(provider)

    assert page.path == "/account/keep"
    for address in ("/", "/account", "/account/security", "/account/sessions", "/account/export"):
        assert browser.get(address).path == "/account/keep", address
    silent = provider.authorize(browser, shop, prompt="none", **Pkce().parameters)
    assert response_parameters(silent)["error"] == "login_required"
    asked = provider.authorize(browser, shop, **Pkce().parameters)
    assert not asked.left
    assert asked.path == "/account/keep"


def test_no_page_is_left_out(provider: Provider, shop: Client) -> None:
    """Row S6: every address there is, also those that are added later, leads to the one question."""
    _delete(at_home(provider))
    browser, _ = _back(provider)
    token = browser.get("/account/keep").form_with("keep-submit").fields["csrf_token"]
    own = {"account_keep", "account_keep_post", "account_deletion_requested"}
    way_out = {"logout", "logout_post", "logout_confirm", "logged_out"}
    tried = 0

    for rule in provider.app.url_map.iter_rules():
        room, _, name = rule.endpoint.rpartition(".")
        if not room.startswith("pages") or name in own | way_out | {"authorize"}:
            continue
        address = re.sub("<[^>]+>", "x", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            form = [("csrf_token", token)] if method == "POST" else None
            page = browser.open(method, address, form=form, follow=False)
            tried += 1
            assert page.status == 303, (method, address, page.status)
            assert page.answer.location.partition("?")[0].endswith("/account/keep"), (method, address)

    assert tried > 50


def test_a_kept_account_works_again_and_the_way_goes_on(provider: Provider, shop: Client) -> None:
    """Who came from an application and keeps the account goes on to the application."""
    _delete(at_home(provider))
    browser, _ = _back(provider)
    page = provider.authorize(browser, shop, **Pkce().parameters)

    page = page.submit("keep-submit")

    assert "code" in response_parameters(page)
    assert is_signed_in(browser)
    provider.advance(days=15)
    assert _carry_out(provider) == 0
    assert not _back(provider)[1].has("login-submit")


def test_tokens_from_before_stay_dead_when_the_account_is_kept(provider: Provider, shop: Client) -> None:
    """Row T16: what was ended does not come back."""
    phone = provider.browser()
    tokens = provider.tokens(shop, browser=phone, scope="openid offline_access", prompt="consent")
    _delete(at_home(provider))

    page = _back(provider)[1].submit("keep-submit")

    assert says(page, "status")
    assert provider.refresh(shop, tokens["refresh_token"]).status == 400
    assert not is_signed_in(phone)


def test_after_the_time_of_grace_the_account_is_gone(provider: Provider, ada: dict[str, Any]) -> None:
    """Nobody can sign in, the names are free, and whoever takes them is somebody else."""
    _delete(at_home(provider))
    provider.advance(days=13)
    assert _carry_out(provider) == 0
    provider.advance(days=2)

    assert _carry_out(provider) == 1

    assert _back(provider)[1].has("login-submit")
    with pytest.raises(NotFound):
        provider.container.admin.accounts.get("ada")
    again = provider.account("ada", email="ada@example.org")
    assert again["id"] != ada["id"]


def test_the_history_stays_without_what_tells_of_the_person(
    provider: Provider, shop: Client, ada: dict[str, Any]
) -> None:
    """Events stay, by a name that leads to nobody; address, browser, names and details go."""
    browser = at_home(provider, user_agent=IPHONE)
    provider.tokens(shop, browser=browser)
    add_events(provider, ada["id"], 1200, detail={"username": "ada", "reason": "kept", "known_device": True})
    _delete(browser)
    provider.advance(days=15)

    _carry_out(provider)

    with provider.container.database.transaction(write=False):
        events = provider.container.repos.audit.list_(account_id=ada["id"], limit=5000)
        assert len(events) > 1200
        assert all(event.address is None and event.user_agent is None for event in events)
        assert all("username" not in event.detail for event in events)
        assert any(event.detail.get("reason") == "kept" for event in events)
        assert events[0].event == "account.deleted"


def test_nothing_of_the_person_is_left_in_any_table(
    provider: Provider, shop: Client, ada: dict[str, Any]
) -> None:
    """The right to erasure: no row but events speaks of the account."""
    todo, browser = provider.client("todo", first_party=False), at_home(provider)
    provider.tokens(todo, browser=browser)
    _delete(browser)
    provider.advance(days=15)
    _carry_out(provider)

    with provider.container.database.transaction(write=False) as _:
        repos, gone = provider.container.repos, ada["id"]
        assert repos.accounts.get(gone) is None
        assert list(repos.exports.identifiers(gone)) == []
        assert list(repos.exports.sessions(gone, after="", limit=10)) == []
        assert list(repos.exports.families(gone, after="", limit=10)) == []
        assert list(repos.exports.devices(gone, limit=10)) == []
        assert repos.overviews.consents(gone, limit=10) == []
        assert repos.deletions.find(gone) is None
        assert repos.accounts.get_password(gone) is None


def test_twenty_workers_delete_an_account_once(provider: Provider, ada: dict[str, Any]) -> None:
    """Row X12: the job runs on every worker; one of them does it."""
    _delete(at_home(provider))
    provider.advance(days=15)

    def work(_: int) -> int:
        with provider.app.app_context():
            return _carry_out(provider)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(20)))

    with provider.container.database.transaction(write=False):
        events = provider.container.repos.audit.list_(account_id=ada["id"], event="account.deleted")
    assert len(events) == 1


def test_keeping_and_deleting_at_once_end_in_one_of_them(provider: Provider, ada: dict[str, Any]) -> None:
    """Row X12: either the account is kept, or it is gone; never kept in words and gone in fact."""
    _delete(at_home(provider))
    browser, page = _back(provider)
    provider.advance(hours=11)
    with provider.container.database.transaction():
        assert provider.container.repos.deletions.begin(ada["id"], provider.clock.now()) is False

    done = page.submit("keep-submit")

    assert says(done, "status")
    assert _carry_out(provider) == 0
    assert is_signed_in(browser)


def test_a_stale_session_deletes_nothing(provider: Provider, ada: dict[str, Any]) -> None:
    """Row M7: an unattended browser is not enough."""
    browser = at_home(provider)
    form = browser.get("/account").form_with("profile-submit").fields
    provider.advance(minutes=11)

    posted = browser.open("POST", "/account/delete", form=[*form.items()], follow=False)

    assert "/reauthenticate" in posted.answer.location
    assert is_signed_in(browser)


def test_without_a_time_of_grace_the_account_goes_with_the_next_run(new_provider: NewProvider) -> None:
    """An operator may allow no second thoughts; the page says so before."""
    provider = new_provider(registration={"deletion_grace": "0d"})
    provider.account("ada")
    browser = at_home(provider)
    assert "within minutes" in browser.get("/account/delete").text

    _delete(browser)

    assert _carry_out(provider) == 1
    assert _back(provider)[1].has("login-submit")


def test_the_question_leads_to_no_other_site(provider: Provider, ada: dict[str, Any]) -> None:
    """Row R15: where the way goes on is a path of ours or the account page."""
    _delete(at_home(provider))
    browser, _ = _back(provider)

    page = browser.get("/account/keep", {"return_to": "https://evil.example/"}).submit("keep-submit")

    assert page.path == "/account"
