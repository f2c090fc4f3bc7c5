"""``/account/username``: people change the name they sign in with."""

from typing import Any

import pytest

from tests.account.people import at_home, says
from tests.provider import PASSWORD, Client, Provider


def test_the_new_name_is_the_one_to_sign_in_with_and_the_one_clients_see(
    provider: Provider, shop: Client
) -> None:
    """Core §5.1: ``preferred_username``; the ``sub`` stays, and the former name is free."""
    browser = at_home(provider)

    page = browser.get("/account/username").submit("username-submit", username="countess")

    assert says(page, "status")
    tokens = provider.tokens(shop, browser=browser, scope="openid profile")
    assert provider.userinfo(tokens["access_token"]).json()["preferred_username"] == "countess"
    at_home(provider, "countess")
    refused = provider.browser().get("/login").submit("login-submit", username="ada", password=PASSWORD)
    assert refused.has("login-submit")
    provider.account("ada")


@pytest.mark.parametrize(
    "name", ["bob", "BOB", "bob@example.org", "somebody@else.example", "+49 30 1234567", "", "  ", "a\tb"]
)
def test_names_of_others_and_what_looks_like_them_are_refused(
    provider: Provider, ada: dict[str, Any], name: str
) -> None:
    """Rows V7, L6: one name space; and no answer about whose address has an account."""
    provider.account("bob", email="bob@example.org")

    page = at_home(provider).get("/account/username").submit("username-submit", username=name)

    assert page.status == 422
    assert says(page, "alert")
    at_home(provider)


def test_an_address_of_ones_own_may_be_the_name(provider: Provider, ada: dict[str, Any]) -> None:
    """Row V7: it leads to the same account already."""
    page = at_home(provider).get("/account/username").submit("username-submit", username=ada["email"])

    assert says(page, "status")
    at_home(provider, ada["email"])


def test_a_stale_session_changes_no_name(provider: Provider, ada: dict[str, Any]) -> None:
    """Row M7: it is what people sign in with."""
    browser = at_home(provider)
    form = browser.get("/account").form_with("profile-submit").fields
    provider.advance(minutes=11)

    page = browser.open(
        "POST", "/account/username", form=[*form.items(), ("username", "mallory")], follow=False
    )

    assert "/reauthenticate" in page.answer.location
    at_home(provider)
