"""What is switched off has no effect any more, at once and at every door (row T16).

| switched off               | test                                                         |
|----------------------------|--------------------------------------------------------------|
| account disabled           | test_disabled_account, test_disabled_flag_alone,             |
|                            | test_waiting_code_of_a_disabled_account                      |
| account's "not before"     | test_account_epoch                                           |
| account gone               | test_deleted_account                                         |
| client disabled            | test_disabled_client, test_waiting_code_of_a_disabled_client |
| client's "not before"      | test_client_epoch                                            |
| client deleted             | test_deleted_client                                          |
| deployment's "not before"  | test_deployment_epoch                                        |
| … and what comes after     | test_enabled_again, test_new_sign_in_after_an_epoch          |
| the browser's session ends | test_end_of_the_session                                      |

"At once": what the database holds counts with the next request; what workers copy (clients, the deployment's
epoch) counts when the change feed has told them, here by `settle()`, in earnest within a second.
"""

from collections.abc import Callable
from http import HTTPStatus

import pytest

from tests.provider import Client, Pkce, Provider

FORMATS = pytest.mark.parametrize("access_token_format", ["jwt", "opaque"])
Doors = dict[str, bool]


def doors(provider: Provider, client: Client, tokens: dict) -> Doors:
    """Which doors the tokens of one response still open."""

    def active(name: str) -> bool:
        answer = provider.introspect(client, tokens[name])
        assert answer.status in {200, 401}, answer.text
        return answer.status == HTTPStatus.OK and answer.json()["active"]

    seen = {
        "userinfo": provider.userinfo(tokens["access_token"]),
        "refresh": provider.refresh(client, tokens["refresh_token"]),
    }
    assert {answer.status for answer in seen.values()} <= {200, 400, 401}
    return {
        **{name: answer.status == HTTPStatus.OK for name, answer in seen.items()},
        "introspection": active("access_token"),
        "introspection of the refresh token": active("refresh_token"),
    }


def nothing(found: Doors) -> bool:
    return not any(found.values())


def everything(found: Doors) -> bool:
    return all(found.values())


def change(provider: Provider, topic: str | None, what: Callable[[], object]) -> None:
    """One change in one transaction, announced if workers keep copies of what it changes."""
    container = provider.container
    with container.database.transaction():
        what()
        if topic is not None:
            container.repos.changes.bump(topic, provider.clock.now())
    provider.settle()


@FORMATS
def test_disabled_account(provider, ada, access_token_format):
    """T16: userinfo, introspection and refresh refuse at once, without waiting for any cache."""
    client = provider.client("rp", access_token_format=access_token_format)
    tokens = provider.tokens(client, scope="openid offline_access")
    assert everything(doors(provider, client, tokens))

    provider.container.admin.accounts.disable("ada")  # and no settle()

    assert nothing(doors(provider, client, tokens))


@FORMATS
def test_disabled_flag_alone(provider, ada, access_token_format):
    """T16: the account's flag counts by itself at every door, whatever else its disabling ended as well."""
    client = provider.client("rp", access_token_format=access_token_format)
    tokens = provider.tokens(client, scope="openid offline_access")
    pkce = Pkce()
    code = provider.code(client, **pkce.parameters)
    now = provider.clock.now()

    with provider.container.database.transaction():
        provider.container.repos.accounts.set_disabled(ada["id"], now)

    assert nothing(doors(provider, client, tokens))
    assert provider.exchange(client, code, verifier=pkce.verifier).status == HTTPStatus.BAD_REQUEST
    with provider.container.database.transaction():
        provider.container.repos.accounts.set_disabled(ada["id"], None)
    assert everything(doors(provider, client, tokens)), "the flag alone ends nothing for good"
    assert provider.exchange(client, code, verifier=pkce.verifier).status == HTTPStatus.OK


def test_disabled_account_is_nobody_elses_concern(provider, shop):
    """T16: only the one account."""
    provider.account("bob")
    legacy = provider.client("legacy", require_pkce=False)
    code = provider.sign_in(provider.authorize(provider.browser(), legacy), "bob").url
    theirs = provider.exchange(legacy, code.partition("code=")[2].partition("&")[0]).json()

    provider.container.admin.accounts.disable("ada")

    assert everything(doors(provider, legacy, theirs))


def test_waiting_code_of_a_disabled_account(provider, shop):
    """T16: a code issued a moment before is worth nothing."""
    pkce = Pkce()
    code = provider.code(shop, **pkce.parameters)

    provider.container.admin.accounts.disable("ada")

    answer = provider.exchange(shop, code, verifier=pkce.verifier)
    assert (answer.status, answer.json()["error"]) == (400, "invalid_grant")


def test_enabled_again(provider, shop):
    """T16: what was ended stays ended; a new sign-in works."""
    old = provider.tokens(shop, scope="openid offline_access")
    provider.container.admin.accounts.disable("ada")
    provider.advance(seconds=5)
    provider.container.admin.accounts.enable("ada")
    provider.settle()

    assert nothing(doors(provider, shop, old))
    provider.advance(seconds=5)
    assert everything(doors(provider, shop, provider.tokens(shop)))


@FORMATS
def test_account_epoch(provider, ada, access_token_format):
    """T16, D13: after "sign out everywhere" nothing older counts."""
    client = provider.client("rp", access_token_format=access_token_format)
    old = provider.tokens(client, scope="openid offline_access")
    provider.advance(seconds=5)

    change(provider, None, lambda: epoch_of_account(provider, ada["id"]))

    assert nothing(doors(provider, client, old))


def epoch_of_account(provider: Provider, account_id: str) -> None:
    provider.container.repos.accounts.set_not_before(account_id, provider.clock.now())


def epoch_of_client(provider: Provider, client_id: str) -> None:
    provider.container.repos.clients.get(client_id).not_before = provider.clock.now()


def test_waiting_code_from_before_the_accounts_epoch(provider, ada, shop):
    """T16: token exchange included."""
    pkce = Pkce()
    code = provider.code(shop, **pkce.parameters)
    provider.advance(seconds=5)

    change(provider, None, lambda: epoch_of_account(provider, ada["id"]))

    assert provider.exchange(shop, code, verifier=pkce.verifier).status == HTTPStatus.BAD_REQUEST


def test_new_password_ends_everything(provider, ada, shop):
    """T16, D13: who changes a password wants the thief out."""
    old = provider.tokens(shop, scope="openid offline_access")
    provider.advance(seconds=5)

    provider.container.admin.accounts.set_password("ada", "another horse, another staple")
    provider.settle()

    assert nothing(doors(provider, shop, old))


def test_deleted_account(provider, ada, shop):
    """T16: with the account its families are gone; tokens that nobody can look up are dead."""
    tokens = provider.tokens(shop)
    container = provider.container
    with container.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM account")

    assert nothing(doors(provider, shop, tokens))


@FORMATS
def test_disabled_client(provider, ada, access_token_format):
    """T16: a disabled client cannot authenticate, and its tokens open nothing."""
    client = provider.client("rp", access_token_format=access_token_format)
    tokens = provider.tokens(client, scope="openid offline_access")

    provider.container.admin.clients.disable(client.id)
    provider.settle()

    assert nothing(doors(provider, client, tokens))


def test_machine_token_of_a_disabled_client(provider, robot):
    """T16: tokens without a person die with their client, and stay dead."""
    form = {"grant_type": "client_credentials"}
    token = provider.http.post("/token", form, auth=robot.auth).json()["access_token"]
    assert provider.introspect(robot, token).json()["active"] is True
    provider.advance(seconds=5)

    provider.container.admin.clients.disable(robot.id)
    provider.settle()
    provider.advance(seconds=5)
    provider.container.admin.clients.enable(robot.id)
    provider.settle()

    assert provider.introspect(robot, token).json() == {"active": False}
    assert provider.http.post("/token", form, auth=robot.auth).status == HTTPStatus.OK


def test_waiting_code_of_a_disabled_client(provider, shop):
    """T16: also when the client is enabled again while the code would still live."""
    pkce = Pkce()
    code = provider.code(shop, **pkce.parameters)
    provider.advance(seconds=5)
    provider.container.admin.clients.disable(shop.id)
    provider.settle()
    refused = provider.exchange(shop, code, verifier=pkce.verifier)
    provider.container.admin.clients.enable(shop.id)
    provider.settle()

    assert (refused.status, refused.json()["error"]) == (401, "invalid_client")
    assert provider.exchange(shop, code, verifier=pkce.verifier).status == HTTPStatus.BAD_REQUEST


def test_enabled_client_gets_nothing_back(provider, ada, shop):
    """T16: the time off cannot be undone by switching on again."""
    old = provider.tokens(shop, scope="openid offline_access")
    provider.advance(seconds=5)
    provider.container.admin.clients.disable(shop.id)
    provider.settle()
    provider.advance(seconds=5)
    provider.container.admin.clients.enable(shop.id)
    provider.settle()

    assert nothing(doors(provider, shop, old))
    assert everything(doors(provider, shop, provider.tokens(shop)))


@FORMATS
def test_client_epoch(provider, ada, access_token_format):
    """T16, D13: nothing this client got before counts."""
    client = provider.client("rp", access_token_format=access_token_format)
    other = provider.client("other")
    old, theirs = provider.tokens(client), provider.tokens(other)
    provider.advance(seconds=5)

    change(provider, "clients", lambda: epoch_of_client(provider, client.id))

    assert nothing(doors(provider, client, old))
    assert everything(doors(provider, other, theirs))


def test_deleted_client(provider, shop):
    """T16: a deleted client's tokens die with it, also if a client of the same name comes."""
    tokens = provider.tokens(shop)
    provider.advance(seconds=5)
    provider.container.admin.clients.delete(shop.id)
    provider.settle()

    assert nothing(doors(provider, shop, tokens))
    namesake = provider.client("shop")
    assert nothing(doors(provider, namesake, tokens))


def test_a_worker_late_to_hear_of_a_deletion_leaves_nothing_to_a_namesake(provider, ada, shop):
    """T16, R10: a code or family it writes after all is older than the namesake, and does not count."""
    pkce = Pkce()
    code = provider.code(shop, **pkce.parameters)
    tokens = provider.tokens(shop)
    repos, engine = provider.container.repos, provider.container.database.engine
    with engine.begin() as connection:  # what such a worker writes: the rows that deletion removes, again
        connection.exec_driver_sql("CREATE TABLE late_code AS SELECT * FROM one_time")
        connection.exec_driver_sql("CREATE TABLE late_family AS SELECT * FROM token_family")
    provider.advance(seconds=5)
    provider.container.admin.clients.delete(shop.id)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM one_time")
        connection.exec_driver_sql("INSERT INTO one_time SELECT * FROM late_code")
        connection.exec_driver_sql("INSERT INTO token_family SELECT * FROM late_family")
        connection.exec_driver_sql("DROP TABLE late_code")
        connection.exec_driver_sql("DROP TABLE late_family")
    namesake = provider.client("shop")

    assert nothing(doors(provider, namesake, tokens))
    refused = provider.exchange(namesake, code, verifier=pkce.verifier)
    assert (refused.status, refused.json()["error"]) == (HTTPStatus.BAD_REQUEST, "invalid_grant")
    with provider.container.database.transaction(write=False):
        assert repos.clients.get("shop").created_at == provider.clock.now()


def test_deployment_epoch(provider, ada, shop, robot):
    """T16, D13: a restored backup or a stolen root key: nothing from before counts, for anybody."""
    form = {"grant_type": "client_credentials"}
    machine = provider.http.post("/token", form, auth=robot.auth).json()["access_token"]
    old = provider.tokens(shop, scope="openid offline_access")
    pkce = Pkce()
    code = provider.code(shop, **pkce.parameters)
    provider.advance(seconds=5)
    repos = provider.container.repos

    change(provider, "deployment", lambda: repos.deployment.set_not_before(provider.clock.now()))

    assert nothing(doors(provider, shop, old))
    assert provider.introspect(robot, machine).json() == {"active": False}
    assert provider.exchange(shop, code, verifier=pkce.verifier).status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("whose", ["account", "client", "deployment"])
def test_new_sign_in_after_an_epoch(provider, ada, shop, whose):
    """D13: an epoch ends what was; it does not lock anybody out."""
    provider.tokens(shop)
    provider.advance(seconds=5)
    repos, now = provider.container.repos, provider.clock.now()
    topic = {"account": None, "client": "clients", "deployment": "deployment"}[whose]
    change(provider, topic, {
        "account": lambda: repos.accounts.set_not_before(ada["id"], now),
        "client": lambda: epoch_of_client(provider, shop.id),
        "deployment": lambda: repos.deployment.set_not_before(now),
    }[whose])  # fmt: skip
    provider.advance(seconds=1)

    assert everything(doors(provider, shop, provider.tokens(shop)))


def test_old_browser_session_gives_nothing_after_the_deployments_epoch(provider, shop):
    """T16: a sign-in from before the epoch is no sign-in; the person is asked again."""
    browser = provider.browser()
    provider.tokens(shop, browser=browser)
    provider.advance(seconds=5)
    repos = provider.container.repos
    change(provider, "deployment", lambda: repos.deployment.set_not_before(provider.clock.now()))
    provider.advance(seconds=5)

    page = provider.authorize(browser, shop, **Pkce().parameters)

    assert page.has("login-submit")


@pytest.mark.parametrize(("scope", "survives"), [("openid", False), ("openid offline_access", True)])
def test_end_of_the_session(provider, ada, shop, scope, survives):
    """OIDC Core §11: without offline_access a sign-out ends refreshing; with it, it does not."""
    browser = provider.browser()
    tokens = provider.tokens(shop, browser=browser, scope=scope)
    page = browser.get("/logout")
    page.submit("logout-yes")

    found = doors(provider, shop, tokens)

    assert found["refresh"] is survives
    assert everything(found) is survives
