"""``/account/apps``: people see which applications act for them, and stop them (row K3)."""

from typing import Any

from tests.account.people import at_home, says
from tests.provider import Client, Pkce, Provider


def test_each_application_is_told_in_words(provider: Provider, ada: dict[str, Any]) -> None:
    """Row K3: what it may do, where, since when, and whether it keeps that."""
    api = provider.resource(read_things="See your things")
    app = provider.client(
        "todo", client_name="To-do", first_party=False, scope="openid email read:things offline_access"
    )
    provider.tokens(app, scope="openid email read:things offline_access", resource=api, prompt="consent")

    page = at_home(provider).get("/account/apps")

    for words in ("To-do", "See your things", "The API", "while you are away", "Stop access"):
        assert words in page.text


def test_stopped_access_is_dead_at_once_and_asked_for_again(provider: Provider, ada: dict[str, Any]) -> None:
    """Row K3: tokens, also those for longer, count no more; the next sign-in asks for consent."""
    app = provider.client("todo", first_party=False)
    browser = provider.browser()
    tokens = provider.tokens(app, browser=browser, scope="openid profile offline_access", prompt="consent")
    assert provider.userinfo(tokens["access_token"]).status == 200

    page = browser.get("/account/apps").submit("stop-1")

    assert says(page, "status")
    assert page.has("no-apps")
    assert provider.userinfo(tokens["access_token"]).status == 401
    assert provider.refresh(app, tokens["refresh_token"]).status == 400
    asked = provider.authorize(browser, app, scope="openid profile", **Pkce().parameters)
    assert asked.has("consent-allow")


def test_a_code_that_was_on_its_way_gives_nothing_after_the_access_was_stopped(
    provider: Provider, ada: dict[str, Any]
) -> None:
    """Row K3: the application cannot come back with what it was given a moment before."""
    app, pkce, browser = provider.client("todo", first_party=False), Pkce(), provider.browser()
    provider.tokens(app, browser=browser, scope="openid")
    code = provider.code(app, browser=browser, scope="openid", **pkce.parameters)

    browser.get("/account/apps").submit("stop-1")

    assert provider.exchange(app, code, verifier=pkce.verifier).status == 400


def test_others_keep_what_they_have(provider: Provider, shop: Client) -> None:
    """Row K3: neither another application's access ends, nor another person's to the same application."""
    provider.account("bob")
    todo = provider.client("todo", first_party=False)
    browser, bob = provider.browser(), at_home(provider, "bob")
    kept = provider.tokens(shop, browser=browser)
    theirs = provider.tokens(todo, browser=bob, scope="openid profile")
    provider.tokens(todo, browser=browser, scope="openid profile")
    page = browser.get("/account/apps")
    (button,) = [
        identifier
        for form in page.forms
        if form.fields.get("client_id") == "todo"
        for identifier in form.ids
        if identifier.startswith("stop-")
    ]

    page.submit(button)

    assert provider.userinfo(kept["access_token"]).status == 200
    assert provider.userinfo(theirs["access_token"]).status == 200


def test_stopping_twice_or_something_unknown_changes_nothing(provider: Provider, ada: dict[str, Any]) -> None:
    """Row X5: a second press, and ids that there are not, end at the same page."""
    browser = at_home(provider)
    form = browser.get("/account/apps").form_with("account-logout").fields

    for client_id in ("todo", "", "\x00", "x" * 3000):
        page = browser.open("POST", "/account/apps", form=[*form.items(), ("client_id", client_id)])
        assert page.status in {200, 400}

    with provider.container.database.transaction(write=False):
        assert not provider.container.repos.audit.list_(account_id=ada["id"], event="consent.withdrawn")


def test_the_number_of_statements_does_not_grow_with_the_applications(
    provider: Provider, ada: dict[str, Any]
) -> None:
    """Row X3: thirty applications cost what one costs."""
    browser = at_home(provider)
    for number in range(30):
        app = provider.client(f"app-{number}", first_party=False)
        provider.tokens(app, browser=browser, scope="openid")

    page = browser.get("/account/apps")

    assert page.text.count("Stop access") == 30
    assert len(page.answer.body) < 120_000
