"""``/account/export``: everything that is kept about a person, for themself."""

import json
from datetime import datetime
from typing import Any

from tests.account.people import add_events, at_home
from tests.browser import Browser
from tests.provider import PASSWORD, Client, Provider
from tests.storage import rows


def _download(browser: Browser) -> dict[str, Any]:
    page = browser.get("/account/export").submit("export-submit")
    assert page.status == 200, page.text
    found: dict[str, Any] = json.loads(page.answer.body)
    return found


def test_the_file_holds_what_is_kept(provider: Provider, shop: Client, ada: dict[str, Any]) -> None:
    """Profile, names, authenticators, sessions, consents, access of applications and history."""
    todo, browser = provider.client("todo", first_party=False), at_home(provider)
    provider.tokens(todo, browser=browser, scope="openid profile")

    data = _download(browser)

    assert data["account"]["sub"] == ada["id"]
    assert data["account"]["claims"]["nickname"] == "Enchantress"
    assert {one["kind"] for one in data["names_to_sign_in_with"]} == {"username", "email"}
    assert data["authenticators"]["password"]["set_at"]
    assert len(data["sessions"]) == 1
    assert data["consents"][0]["application"] == "todo"
    assert data["access_of_applications"][0]["scopes"] == ["openid", "profile"]
    assert "session.started" in {event["event"] for event in data["history"]}
    assert "account.exported" in {event["event"] for event in data["history"]}


def test_the_file_is_for_nobody_else_to_keep(provider: Provider, ada: dict[str, Any]) -> None:
    """Row S12: not stored by anybody on the way, saved and not shown by the browser."""
    answer = at_home(provider).get("/account/export").submit("export-submit").answer

    assert answer.header("Cache-Control") == "no-store"
    assert (answer.header("Content-Disposition") or "").startswith("attachment")
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("X-Content-Type-Options") == "nosniff"


def test_no_secret_comes_out(provider: Provider, ada: dict[str, Any]) -> None:
    """Row K12: neither hashes nor digests, and nothing of anybody else."""
    provider.account("bob", email="bob@example.org")
    browser = at_home(provider)
    with provider.container.database.transaction(write=False):
        phc = provider.container.passwords.stored_hash(ada["id"])

    text = json.dumps(_download(browser))

    assert phc is not None
    for secret in (phc, "$argon2", PASSWORD, "digest", "sealed", "bob", *browser.cookies.values()):
        assert secret not in text


def test_accounts_elsewhere_are_in_it(provider: Provider, ada: dict[str, Any]) -> None:
    """Who the person is at other providers, but not what proves it there (row K12)."""
    container, now = provider.container, provider.container.clock.now()
    with container.database.transaction():
        container.repos.providers.add(rows.identity_provider(now))
        container.repos.identities.add(rows.external_identity(now, account_id=ada["id"]))
        container.repos.accounts.set_groups_elsewhere(ada["id"], "xid_1", ["staff there"], now)
        container.repos.identities.set_tokens(rows.upstream_token(now, sealed_tokens=b"canary"))

    data = _download(at_home(provider))

    (found,) = data["accounts_elsewhere"]
    assert (found["provider"], found["sub"], found["tokens_kept"]) == ("elsewhere", "248289761001", True)
    assert found["profile"] == {"name": "Alice"}
    assert found["brings_groups"] == ["staff there"]
    assert data["account"]["claims"] == ada["claims"]
    assert "canary" not in json.dumps(data)


def test_a_stale_session_gets_no_file(provider: Provider, ada: dict[str, Any]) -> None:
    """Row M7: all that is known about somebody goes to who has just proved to be them."""
    browser = at_home(provider)
    form = browser.get("/account").form_with("profile-submit").fields
    provider.advance(minutes=11)

    shown = browser.get("/account/export", follow=False)
    posted = browser.open("POST", "/account/export", form=[*form.items()], follow=False)

    for page in (shown, posted):
        assert page.status == 303
        assert "/reauthenticate" in page.answer.location


def test_nothing_is_downloaded_by_a_link(provider: Provider, ada: dict[str, Any]) -> None:
    """Rows S8, S9: looking at the page sends nothing, and a form of another site neither."""
    browser = at_home(provider)

    page = browser.get("/account/export")
    elsewhere = browser.open("POST", "/account/export", form=[], site="cross-site")

    assert (page.answer.header("Content-Type") or "").startswith("text/html")
    assert elsewhere.status == 403


def test_a_long_history_comes_whole(provider: Provider, ada: dict[str, Any]) -> None:
    """Row X3: read piece by piece, nothing left out and nothing twice."""
    add_events(provider, ada["id"], 1234)

    data = _download(at_home(provider))

    moments = [datetime.fromisoformat(event["at"]) for event in data["history"]]
    assert len([event for event in data["history"] if event["address"] == "192.0.2.77"]) == 1234
    assert moments == sorted(moments, reverse=True)
