"""``/account/password``: people change their password.

======  =========================================================================
row     test
======  =========================================================================
L1, L4  test_guessing_the_present_password_is_paused_like_a_sign_in
P1, P5  test_a_password_that_will_not_do_is_refused_with_the_reason
M7, M8  test_an_account_with_a_second_step_wants_it_first
V3      test_a_new_password_ends_everything_else
======  =========================================================================
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.account.people import at_home, is_signed_in, says
from tests.browser import Browser, Page
from tests.provider import PASSWORD, Client, Provider

NEW = "four purple elephants dancing"


def _change(browser: Browser, present: str = PASSWORD, new: str = NEW, **values: str) -> Page:
    page = browser.get("/account/password")
    return page.submit("password-submit", present=present, password=new, **values)


def _can_sign_in(provider: Provider, password: str) -> bool:
    page = provider.browser().get("/login").submit("login-submit", username="ada", password=password)
    return not page.has("login-submit")


def test_the_new_password_counts_and_the_old_one_does_not(provider: Provider, ada: dict[str, Any]) -> None:
    """Row P6: one password at a time."""
    page = _change(at_home(provider))

    assert says(page, "status")
    assert not _can_sign_in(provider, PASSWORD)
    assert _can_sign_in(provider, NEW)


def test_a_new_password_ends_everything_else(provider: Provider, shop: Client) -> None:
    """Row V3: who knew the old one is out: other sessions, and every token that was not given in this one."""
    thief = at_home(provider)
    stolen = provider.tokens(shop, browser=thief, scope="openid offline_access", prompt="consent")
    desk = at_home(provider)
    mine = provider.tokens(shop, browser=desk)

    _change(desk, end_others="yes")

    assert not is_signed_in(thief)
    assert provider.refresh(shop, stolen["refresh_token"]).status == 400
    assert is_signed_in(desk)
    assert provider.userinfo(mine["access_token"]).status == 200


def test_a_stolen_copy_of_the_cookie_dies_with_the_old_password(
    provider: Provider, ada: dict[str, Any]
) -> None:
    """Row S2: the browser gets a new cookie value, and the former one is nobody's."""
    desk, thief = at_home(provider), provider.browser()
    thief.cookies = dict(desk.cookies)
    assert is_signed_in(thief)

    _change(desk)

    assert is_signed_in(desk)
    assert not is_signed_in(thief)


def test_other_sessions_stay_if_the_person_wants_that(provider: Provider, ada: dict[str, Any]) -> None:
    """ASVS 7.4.3: ending the others is offered, and is on unless somebody switches it off."""
    other, desk = at_home(provider), at_home(provider)
    page = desk.get("/account/password")
    assert page.form_with("password-submit").fields["end_others"] == "yes"

    _change(desk, end_others="")

    assert is_signed_in(other)


def test_a_wrong_present_password_changes_nothing(provider: Provider, ada: dict[str, Any]) -> None:
    """Row P7, ASVS 6.2.3: a session alone is not enough to take an account over."""
    browser = at_home(provider)

    page = _change(browser, present="wrong password of somebody")

    assert page.status == 422
    assert says(page, "alert")
    assert _can_sign_in(provider, PASSWORD)
    assert PASSWORD not in page.answer.text
    assert NEW not in page.answer.text


def test_a_password_that_will_not_do_is_refused_with_the_reason(
    provider: Provider, ada: dict[str, Any]
) -> None:
    """Rows P1, P5: too short, too common, too much like oneself, or the one that there is."""
    browser = at_home(provider)

    answers = [
        _change(browser, new=password)
        for password in ("short", "password1234567", "ada@example.org", PASSWORD, "", "x" * 5000)
    ]

    assert {page.status for page in answers} <= {400, 422}
    assert all(says(page, "alert") for page in answers)
    assert _can_sign_in(provider, PASSWORD)


def test_guessing_the_present_password_is_paused_like_a_sign_in(
    provider: Provider, ada: dict[str, Any]
) -> None:
    """Rows L1, L4: the counter is the one of sign-ins; the right password waits as well."""
    browser = at_home(provider)
    for _ in range(5):
        _change(browser, present="guess of a thief")

    page = _change(browser)

    assert page.status == 429
    assert page.answer.header("Retry-After")
    provider.advance(minutes=1)
    assert says(_change(browser), "status")


def test_parallel_guesses_gain_nothing(provider: Provider, ada: dict[str, Any]) -> None:
    """Row L1: twenty guesses at once are twenty failures, and the account's counter says so."""
    browser = at_home(provider)
    form = browser.get("/account/password").form_with("password-submit").fields
    fields = [*{**form, "present": "a guess", "password": NEW}.items()]

    def guess(_: int) -> int:
        mine = provider.browser()
        mine.cookies = dict(browser.cookies)
        return mine.open("POST", "/account/password", form=fields).status

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(guess, range(20)))

    assert set(answers) <= {422, 429, 503}
    assert _change(browser).status == 429


def test_of_many_changes_at_once_one_happens(provider: Provider, ada: dict[str, Any]) -> None:
    """Row X12: whoever is told that their new password is set can sign in with it."""
    browser = at_home(provider)
    form = browser.get("/account/password").form_with("password-submit").fields
    words = [f"{NEW} number {place}" for place in range(8)]

    def change(new: str) -> int:
        mine = provider.browser()
        mine.cookies = dict(browser.cookies)
        fields = [*{**form, "present": PASSWORD, "password": new}.items()]
        return mine.open("POST", "/account/password", form=fields, follow=False).status

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(change, words))

    assert answers.count(303) == 1, answers
    assert set(answers) <= {303, 403, 409, 422, 429, 503}
    provider.advance(hours=1)
    assert _can_sign_in(provider, words[answers.index(303)])


def test_who_has_no_password_sets_one_with_a_fresh_proof(provider: Provider) -> None:
    """Row M7: an account without a password gets one from somebody who has just proved who they are."""
    account = provider.account("ada")
    browser = at_home(provider)
    with provider.container.database.transaction():
        provider.container.repos.accounts.delete_password(account["id"])

    page = browser.get("/account/password")
    assert "Set a password" in page.text
    done = page.submit("password-submit", password=NEW)

    assert says(done, "status")
    assert _can_sign_in(provider, NEW)


def test_a_stale_session_without_a_password_proves_itself_first(provider: Provider) -> None:
    """Row M7: an unattended browser is not enough to give an account its first password."""
    account = provider.account("ada")
    browser = at_home(provider)
    form = browser.get("/account").form_with("profile-submit").fields
    with provider.container.database.transaction():
        provider.container.repos.accounts.delete_password(account["id"])
    provider.advance(minutes=11)

    shown = browser.get("/account/password", follow=False)
    posted = browser.open("POST", "/account/password", form=[*form.items(), ("password", NEW)], follow=False)

    assert (shown.answer.status, posted.answer.status) == (303, 303)
    assert "/reauthenticate" in shown.answer.location
    assert "/reauthenticate" in posted.answer.location


def test_the_change_is_recorded_without_what_was_typed(provider: Provider, ada: dict[str, Any]) -> None:
    """Row X10: the event says that it happened."""
    _change(at_home(provider))

    with provider.container.database.transaction(write=False):
        events = provider.container.repos.audit.list_(account_id=ada["id"], limit=100)
    assert "account.password.set" in {event.event for event in events}
    assert all(NEW not in str(event.detail) and PASSWORD not in str(event.detail) for event in events)
