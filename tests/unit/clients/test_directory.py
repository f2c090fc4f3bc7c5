"""The process cache of clients follows the feed and costs no query."""

from threading import Thread

import pytest

from idp.clients import ClientDirectory, Clients
from idp.errors import Unavailable

METADATA = {"client_name": "Shop", "redirect_uris": ["https://shop.example/cb"]}


@pytest.fixture
def directory(own_database, own_repos, feed, secret_key):
    return ClientDirectory(own_database, own_repos, feed, secret_key)


@pytest.fixture
def create(database, repos, secret_key, now):
    def make(client_id):
        with database.transaction():
            made = Clients(repos, secret_key).create(client_id, METADATA, now=now)
            repos.changes.bump("clients", now)
        return made

    return make


def test_clients_are_loaded_once(directory, create, database, now):
    secret = create("shop").secret.reveal()
    found = directory.find("shop")

    with database.statements.measure() as later:
        assert directory.find("shop") is found
        for guess in ("nobody", "", "\ud800", "x" * 10_000):
            assert directory.find(guess) is None

    assert not later.statements
    assert found.check_secret(secret, now)


def test_a_change_is_seen_after_the_feed_announced_it(directory, create, feed):
    assert directory.find("shop") is None
    create("shop")

    assert directory.find("shop") is None
    assert feed.poll()

    assert directory.find("shop").name == "Shop"
    assert [client.client_id for client in directory.all()] == ["shop"]


def test_a_look_up_inside_a_transaction_is_possible(directory, create, database):
    """Flows look clients up in the middle of their own transaction."""
    create("shop")

    with database.transaction():
        assert directory.find("shop") is not None


def test_many_threads_cause_one_load(directory, create, database):
    create("shop")
    found = []
    counts = []

    def look():
        with database.statements.measure() as measured:
            found.append(directory.find("shop"))
        counts.append(len(measured.statements))

    threads = [Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len({id(client) for client in found}) == 1
    assert sum(1 for count in counts if count) == 1


def test_without_a_database_an_outdated_copy_is_not_used(create, database, own_repos, feed, secret_key):
    """X8: fail closed when a dependency of a security decision fails."""

    class Gone:
        def transaction(self, *, write=True):
            raise Unavailable

    create("shop")
    directory = ClientDirectory(Gone(), own_repos, feed, secret_key)

    with pytest.raises(Unavailable):
        directory.find("shop")
    assert not feed.poll()
