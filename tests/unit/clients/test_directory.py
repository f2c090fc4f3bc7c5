"""The process cache of clients follows the feed and costs no query."""

from threading import Thread

import pytest

from idp.clients import ClientDirectory, Clients, validate_metadata
from idp.errors import Unavailable
from idp.storage import ClientRow

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


@pytest.fixture
def change(database, repos, secret_key, now):
    """Change clients as the operator's commands do, all of it at the same moment."""

    def run(act):
        with database.transaction():
            act(Clients(repos, secret_key))
            repos.changes.bump("clients", now)

    return run


CHANGES = {
    "disabled": lambda clients, now: clients.set_disabled("shop", disabled=True, now=now),
    "secret": lambda clients, now: clients.rotate_secret("shop", now=now),
    "deleted": lambda clients, now: clients.delete("shop", now),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_concerns_its_client_alone(directory, create, change, feed, now, kind):
    """Thousands of others are not made anew, which takes a worker seconds."""
    create("shop")
    create("kiosk")
    feed.poll()
    shop, kiosk = directory.find("shop"), directory.find("kiosk")

    change(lambda clients: CHANGES[kind](clients, now))
    feed.poll()

    assert directory.find("kiosk") is kiosk
    assert directory.find("shop") != shop


def test_changes_of_the_same_moment_are_told_apart(directory, create, change, feed, now):
    """Row T16: a client switched off stays refused, however soon after another change it was."""
    create("shop")
    for disabled in (True, False, True):
        change(lambda clients, disabled=disabled: clients.set_disabled("shop", disabled=disabled, now=now))
        feed.poll()

        assert directory.find("shop").disabled is disabled


def test_a_client_registered_anew_is_another_one(directory, create, change, feed, now):
    create("shop")
    feed.poll()
    former = directory.find("shop")

    change(lambda clients: clients.delete("shop", now))
    secret = create("shop").secret.reveal()
    feed.poll()

    assert not former.check_secret(secret, now)
    assert directory.find("shop").check_secret(secret, now)


def test_what_was_changed_beside_the_commands_is_seen_too(directory, create, database, repos, feed, now):
    """A row that somebody edits by hand keeps its time of last change."""
    create("shop")
    feed.poll()
    assert directory.find("shop").name == "Shop"

    with database.transaction():
        row = repos.clients.get("shop")
        row.metadata_ = {**row.metadata_, "client_name": "Other"}
        repos.changes.bump("clients", now)
    feed.poll()

    assert directory.find("shop").name == "Other"


def test_more_clients_than_are_read_at_once(directory, database, repos, feed, now):
    names = [f"client{number}" for number in range(1201)]
    metadata = validate_metadata(METADATA)
    with database.transaction():
        for name in names:
            repos.clients.add(ClientRow(client_id=name, metadata_=metadata, created_at=now, updated_at=now))
        repos.changes.bump("clients", now)
    feed.poll()

    assert {client.client_id for client in directory.all()} == set(names)


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
