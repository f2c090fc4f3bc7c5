"""``/account``: people change what they say about themselves.

=============================================  =======================================
OpenID Connect Core                            test
=============================================  =======================================
§5.1 claims and their types                    test_a_changed_profile_is_what_clients_read
§5.1 ``updated_at``                            test_a_changed_profile_is_what_clients_read
§5.1 birthdate, year 0000 and year alone       test_dates_there_are_and_dates_there_are_not
§5.3.2 no empty claims                         test_an_emptied_field_is_a_claim_the_client_does_not_get
=============================================  =======================================
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.selfservice import ADDRESS, FIELDS
from tests.account.people import at_home, says
from tests.bench import NewProvider
from tests.provider import Client, Provider


def test_a_changed_profile_is_what_clients_read(provider: Provider, shop: Client) -> None:
    """Core §5.1: the claims are the person's own, ``updated_at`` is when they changed."""
    browser = at_home(provider)
    provider.advance(minutes=5)

    page = browser.get("/account").submit(
        "profile-submit", nickname="Countess", website="https://new.example/", locality="Ockham"
    )

    assert says(page, "status")
    read = provider.userinfo(
        provider.tokens(shop, browser=browser, scope="openid profile address")["access_token"]
    ).json()
    assert (read["nickname"], read["website"]) == ("Countess", "https://new.example/")
    assert read["address"]["locality"] == "Ockham"
    assert read["updated_at"] == int(provider.clock.now().timestamp())


def test_an_emptied_field_is_a_claim_the_client_does_not_get(provider: Provider, shop: Client) -> None:
    """Core §5.3.2: a claim without a value is left out."""
    browser = at_home(provider)
    browser.get("/account").submit("profile-submit", nickname="", zoneinfo="  ")

    read = provider.userinfo(
        provider.tokens(shop, browser=browser, scope="openid profile")["access_token"]
    ).json()

    assert "nickname" not in read
    assert "zoneinfo" not in read
    assert read["given_name"] == "Ada"


def test_the_record_names_the_fields_and_not_what_was_typed(provider: Provider, ada: dict[str, Any]) -> None:
    """Row X10: the audit record says that the nickname changed, not to what."""
    at_home(provider).get("/account").submit("profile-submit", nickname="Countess of Lovelace")

    with provider.container.database.transaction(write=False):
        (event,) = provider.container.repos.audit.list_(account_id=ada["id"], event="account.updated")
        assert "nickname" in event.detail["fields"]
        assert "Countess" not in str(event.detail)


def test_saving_without_a_change_changes_nothing(provider: Provider, ada: dict[str, Any]) -> None:
    """``updated_at`` and the audit record tell of changes, not of presses of a button."""
    browser = at_home(provider)
    page = browser.get("/account").submit(
        "profile-submit", locale="en-GB", street_address="12 St James's Square"
    )

    assert says(page, "status")
    with provider.container.database.transaction(write=False):
        assert (
            provider.container.accounts.get(ada["id"]).updated_at.isoformat().replace("+00:00", "Z")
            == ada["updated_at"]
        )
        assert not provider.container.repos.audit.list_(account_id=ada["id"], event="account.updated")


def test_claims_that_the_form_does_not_have_stay(provider: Provider) -> None:
    """A name in another script and a proved telephone number are not lost to a changed nickname."""
    claims = {"name": "Ada", "name#ja": "エイダ", "phone_number": "+442079460000"}
    account = provider.account("bob", claims=claims)

    at_home(provider, "bob").get("/account").submit("profile-submit", nickname="B", name="Bob")

    with provider.container.database.transaction(write=False):
        kept = dict(provider.container.accounts.get(account["id"]).claims)
    assert kept == {**claims, "name": "Bob", "nickname": "B"}


def test_every_wrong_field_says_what_to_change_and_nothing_typed_is_lost(
    provider: Provider, ada: dict[str, Any]
) -> None:
    """All messages come at once, each at its field, and the rest of the form is as it was typed."""
    page = (
        at_home(provider)
        .get("/account")
        .submit("profile-submit", website="javascript:alert(1)", zoneinfo="Mars/Olympus", nickname="Kept")
    )

    assert page.status == 422
    assert says(page, "alert")
    assert page.has("website-wrong")
    assert page.has("zoneinfo-wrong")
    fields = page.form_with("profile-submit").fields
    assert fields["nickname"] == "Kept"
    assert fields["website"] == "javascript:alert(1)"
    with provider.container.database.transaction(write=False):
        claims = provider.container.accounts.get(ada["id"]).claims
    assert claims["nickname"] == "Enchantress"


@pytest.mark.parametrize("text", ["1990-02-30", "1990-13-01", "0000-02-30", "90", "1990-1-1", "gestern"])
def test_dates_there_are_not_are_refused(provider: Provider, ada: dict[str, Any], text: str) -> None:
    """Core §5.1: a day that exists, or a year."""
    page = at_home(provider).get("/account").submit("profile-submit", birthdate=text)

    assert page.has("birthdate-wrong")


@pytest.mark.parametrize("text", ["1992-02-29", "0000-02-29", "1815"])
def test_dates_there_are_and_dates_there_are_not(provider: Provider, ada: dict[str, Any], text: str) -> None:
    """Core §5.1: ``0000`` keeps the year to oneself, a year alone keeps the day."""
    page = at_home(provider).get("/account").submit("profile-submit", birthdate=text)

    assert says(page, "status")


def test_the_pages_speak_the_language_that_was_chosen(new_provider: NewProvider) -> None:
    """The choice counts in every browser, whatever that asks for; without a choice the browser's counts."""
    provider = new_provider(pages={"default_locale": "fr"})
    provider.account("ada")
    at_home(provider).get("/account").submit("profile-submit", locale="en")

    page = at_home(provider).get("/account", headers=[("Accept-Language", "fr")])

    assert page.elements("html")[0]["lang"] == "en"
    page.submit("profile-submit", locale="")
    again = at_home(provider).get("/account", headers=[("Accept-Language", "fr")])
    assert again.elements("html")[0]["lang"] == "fr"


def test_who_is_not_signed_in_signs_in_and_comes_back(provider: Provider, ada: dict[str, Any]) -> None:
    """Each page of the account leads to the sign-in page first, and from there back to itself."""
    browser = provider.browser()
    for address in ("/account", "/account/sessions", "/account/apps", "/account/history"):
        browser.cookies.clear()
        page = browser.get(address)
        assert page.path == "/login"
        page = page.submit("login-submit", username="ada", password="correct horse battery staple")
        assert page.path == address


def test_another_site_cannot_change_a_profile(provider: Provider, ada: dict[str, Any]) -> None:
    """Row S8: neither without the form's token nor from elsewhere."""
    browser = at_home(provider)
    form = browser.get("/account").form_with("profile-submit").fields

    without = browser.open("POST", "/account", form=[("nickname", "Mallory")])
    elsewhere = browser.open(
        "POST", "/account", form=[*{**form, "nickname": "Mallory"}.items()], site="cross-site"
    )

    assert (without.status, elsewhere.status) == (403, 403)
    with provider.container.database.transaction(write=False):
        assert provider.container.accounts.get(ada["id"]).claims["nickname"] == "Enchantress"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=st.dictionaries(st.sampled_from([*FIELDS, *ADDRESS]), st.text(max_size=1100), min_size=1))
def test_whatever_is_typed_is_saved_as_it_is_or_refused_in_words(
    provider: Provider, typed: dict[str, str]
) -> None:
    """Row X5: no text makes the page fail, and what is accepted comes back as it was typed."""
    if not provider.container.admin.accounts.list_():
        provider.account("ada")
    browser = at_home(provider)
    safe = {name: text.encode("utf-8", "replace").decode() for name, text in typed.items()}

    page = browser.get("/account").submit("profile-submit", **safe)

    assert page.status in {200, 400, 422}
    if page.status == 200:
        shown = page.form_with("profile-submit").fields
        for name, text in safe.items():
            if name in shown:
                assert shown[name] == text.strip()
