"""``/account/history``: what happened to the account, in plain words."""

from typing import Any

from idp.audit import AuditEvent
from idp.selfservice import TOLD
from tests.account.people import FIREFOX, add_events, at_home
from tests.provider import Client, Provider

NOT_TOLD = {
    # Each use of a token, which would bury the rest.
    AuditEvent.CODE_ISSUED,
    AuditEvent.TOKEN_REFRESHED,
    # Said by another event of the same moment.
    AuditEvent.PASSWORD_VERIFIED,
    AuditEvent.PASSKEY_DECLINED,
    AuditEvent.SESSION_CHOSEN,
    AuditEvent.UPSTREAM_LOGOUT_RECEIVED,
    # The provider's word did not hold, so it is about nobody; who was at the browser was told at once.
    AuditEvent.UPSTREAM_LOGOUT_REFUSED,
    AuditEvent.FEDERATION_FAILED,
    # Before there is an account, and after it is gone.
    AuditEvent.SIGNUP_REQUESTED,
    AuditEvent.INVITED,
    AuditEvent.ACCOUNT_DELETED,
}


def test_every_event_of_an_account_is_told_or_left_out_on_purpose() -> None:
    """The vocabulary is closed: a new event about people gets its words, or a reason to have none."""
    of_operators = ("client.", "resource.", "key.", "message.", "deployment.", "provider.")
    left = {
        event
        for event in AuditEvent
        if event.value not in TOLD and event not in NOT_TOLD and not event.value.startswith(of_operators)
    }

    assert left == set()


def test_sign_ins_and_failures_are_told_with_where_they_came_from(
    provider: Provider, ada: dict[str, Any]
) -> None:
    """Row M13: the person sees what was tried, and what was different from usual."""
    provider.browser(user_agent=FIREFOX).get("/login").submit(
        "login-submit", username="ada", password="a guess of somebody"
    )

    page = at_home(provider, user_agent=FIREFOX).get("/account/history")

    assert "Somebody tried to sign in and was refused" in page.text
    assert "The password was not right." in page.text
    assert "You signed in" in page.text
    assert "This browser was new to your account." in page.text
    assert "Firefox on Linux" in page.text


def test_what_applications_were_given_and_lost_is_told(provider: Provider, ada: dict[str, Any]) -> None:
    """Row K3: consent, access and its end are part of the story, by the application's name."""
    app, browser = provider.client("todo", client_name="To-do", first_party=False), provider.browser()
    provider.tokens(app, browser=browser, scope="openid profile")
    browser.get("/account/apps").submit("stop-1")

    page = browser.get("/account/history")

    told = page.text.replace(" :", ":")
    assert "You allowed an application access: To-do" in told
    assert "You stopped the access of an application: To-do" in told


def test_nobody_sees_what_happened_to_others(provider: Provider, ada: dict[str, Any]) -> None:
    """Row T16: the record is read by account, and the place to go on from cannot change that."""
    bob = provider.account("bob")
    add_events(provider, bob["id"], 60, event="account.email.changed")
    browser = at_home(provider)
    with provider.container.database.transaction(write=False):
        theirs = provider.container.repos.audit.list_(account_id=bob["id"], limit=1)[0]

    pages = [
        browser.get("/account/history"),
        browser.get("/account/history", {"before": theirs.id}),
        browser.get("/account/history", {"before": "zzzz"}),
        browser.get("/account/history", {"before": "'"}),
    ]

    assert all(page.status == 200 for page in pages)
    assert all("e-mail address was changed" not in page.text for page in pages)


def test_ten_thousand_events_are_shown_piece_by_piece(provider: Provider, ada: dict[str, Any]) -> None:
    """Row X3: a page shows fifty of them and leads to the next."""
    add_events(provider, ada["id"], 10_000)
    browser = at_home(provider)

    page = browser.get("/account/history")

    assert page.text.count("(Europe/London)") == 50
    assert len(page.answer.body) < 100_000
    (older,) = [given["href"] for given in page.elements("a") if given.get("id") == "history-next"]
    assert browser.get(older).text.count("You signed in") == 50


def test_where_an_application_runs_is_not_told_as_where_the_person_was(
    provider: Provider, shop: Client, ada: dict[str, Any]
) -> None:
    """The address of a token request is the application's server."""
    add_events(
        provider, ada["id"], 1, event="token.code.exchanged", actor="client:shop", client_id="shop",
        address="198.51.100.9", detail={},
    )  # fmt: skip

    page = at_home(provider).get("/account/history")

    assert "An application was given access" in page.text
    assert "198.51.100.9" not in page.text
