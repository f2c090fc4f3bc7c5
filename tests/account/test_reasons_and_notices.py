"""Why somebody was asked for more, and what they are told of by mail."""

from pathlib import Path
from typing import Any

import pytest

from tests.account.people import at_home
from tests.bench import NewProvider
from tests.provider import PASSWORD, Pkce, Provider
from tests.second_steps import Person, person

NEW = "four purple elephants dancing"


@pytest.fixture
def provider(new_provider: NewProvider, tmp_path: Path) -> Provider:
    made: Provider = new_provider(mail={"transport": "folder", "folder": tmp_path / "mail"})
    return made


@pytest.fixture
def ada(provider: Provider) -> Person:
    return person(provider, "totp", "recovery")


def _history(provider: Provider, ada: Person, browser: Any) -> str:
    provider.advance(minutes=1)
    text: str = browser.get("/account/history").text
    return text


def test_a_second_step_of_ones_own_is_the_reason(provider: Provider, ada: Person) -> None:
    """The person reads what they were asked for and why."""
    text = _history(provider, ada, ada.sign_in())

    assert "You proved that it was you with the code of an app" in text
    assert "because you have set up a second step" in text


def test_an_application_that_wants_more_is_the_reason(provider: Provider, ada: Person) -> None:
    """RFC 9470: on a browser that is trusted, it is the application that asks."""
    shop = provider.client("shop")
    browser = ada.sign_in(trust_device="yes")
    browser.get("/account").submit("account-logout")
    provider.advance(minutes=2)
    page = provider.authorize(browser, shop, acr_values="urn:idp:loa:2", **Pkce().parameters)
    page = page.submit("login-submit", username="ada", password=PASSWORD)
    assert page.has("code-submit"), page.text
    page.submit("code-submit", code=ada.code)

    text = _history(provider, ada, browser)

    assert "because the application needs to be more certain" in text


def test_a_wrong_code_after_the_right_password_is_a_warning(provider: Provider, ada: Person) -> None:
    """Row M13: whoever came that far knew the password."""
    ada.begin().submit("code-submit", code=ada.wrong_code)

    text = _history(provider, ada, ada.sign_in())

    assert "A second step failed: the code of an app" in text
    assert "Whoever it was knew your password" in text


def test_with_a_second_step_it_is_the_proof_for_a_new_password(provider: Provider, ada: Person) -> None:
    """Rows M7, M8: fresh, no present password is asked for; stale, the present password is not enough."""
    browser = ada.sign_in()
    page = browser.get("/account/password")
    assert not page.has("present")
    provider.advance(minutes=11)

    assert "/reauthenticate" in browser.get("/account/password", follow=False).answer.location


def test_a_new_password_is_told_by_mail(provider: Provider) -> None:
    """Row M13: with the way to object."""
    provider.account("bob", email="bob@example.org", email_verified=True)

    at_home(provider, "bob").get("/account/password").submit(
        "password-submit", present=PASSWORD, password=NEW
    )

    mail = provider.mails()[-1]
    assert mail.to == "bob@example.org"
    assert "/not-me/" in mail.text


def test_a_new_password_asks_trusted_browsers_for_the_second_step_again(
    provider: Provider, ada: Person
) -> None:
    """Row M8: what was trusted under the old password is not under the new one."""
    browser = ada.sign_in(trust_device="yes")
    browser.get("/account/password").submit("password-submit", password=NEW)
    browser.get("/account").submit("account-logout")

    page = browser.get("/login").submit("login-submit", username="ada", password=NEW)

    assert page.has("code-submit")


def test_deletion_is_told_at_every_step(provider: Provider) -> None:
    """Row M13: asked for, taken back, carried out: three mails, the last one to nobody's account."""
    provider.account("bob", email="bob@example.org", email_verified=True)
    at_home(provider, "bob").get("/account/delete").submit("delete-submit")
    page = provider.browser().get("/login")
    page = page.submit("login-submit", username="bob", password=PASSWORD)
    page.submit("keep-submit")
    at_home(provider, "bob").get("/account/delete").submit("delete-submit")
    sent = [mail.subject for mail in provider.mails()]
    provider.advance(days=15)
    provider.container.selfservice.deletion.carry_out(provider.clock.now())

    assert sent.count("Your account is going to be deleted") == 2
    assert "Your account will not be deleted" in sent
    assert provider.mails()[-1].subject == "Your account was deleted"
    assert provider.mails()[-1].to == "bob@example.org"


def test_signing_in_to_keep_an_account_takes_every_step(provider: Provider, ada: Person) -> None:
    """Row M8: a deletion is no way around the second step."""
    ada.sign_in().get("/account/delete").submit("delete-submit")
    provider.advance(minutes=2)

    page = ada.begin()

    assert page.has("code-submit")
    assert page.submit("code-submit", code=ada.code).path == "/account/keep"
