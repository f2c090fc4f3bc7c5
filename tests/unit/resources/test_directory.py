"""Registering resource servers, and the process cache of them."""

import pytest

from idp.errors import Conflict, NotFound
from idp.resources import ResourceDirectory, Resources


@pytest.fixture
def directory(own_database, own_repos, feed):
    return ResourceDirectory(own_database, own_repos, feed)


@pytest.fixture
def create(database, repos, now):
    def make(identifier, **scopes):
        named = {name.replace("_", ":"): text for name, text in scopes.items()}
        with database.transaction():
            Resources(repos).create(identifier=identifier, name="API", scopes=named, now=now)
            repos.changes.bump("resources", now)

    return make


def test_a_scope_belongs_to_the_one_server_that_defines_it(directory, create):
    create("https://b.example", read_all="Read everything", write_b="Write")
    create("https://a.example", read_all="Read all of it")

    assert directory.owner_of("write:b").identifier == "https://b.example"
    assert directory.owner_of("read:all") is None
    assert directory.owner_of("unknown") is None
    assert directory.describe("read:all") == "Read all of it"
    assert directory.describe("write:b") == "Write"
    assert directory.describe("unknown") is None
    assert [server.identifier for server in directory.all()] == ["https://a.example", "https://b.example"]


def test_identifiers_are_compared_as_strings(directory, create):
    create("https://api.example")

    assert directory.find("https://api.example").name == "API"
    assert directory.find("https://api.example/") is None
    assert directory.find("https://API.example") is None


def test_look_ups_cost_no_query_and_follow_the_feed(directory, create, database, feed):
    create("https://a.example", read_a="Read")
    assert directory.find("https://a.example")
    create("https://b.example")

    with database.statements.measure() as measured:
        assert directory.find("https://b.example") is None
    assert not measured.statements
    assert feed.poll()
    assert directory.find("https://b.example")


def test_scopes_keep_their_order(database, repos, create):
    create("https://a.example", write_a="Write", read_a="Read", admin_a="Rule")

    with database.transaction(write=False):
        assert list(Resources(repos).get("https://a.example").scopes) == ["write:a", "read:a", "admin:a"]


def test_an_identifier_is_taken_once(create):
    create("https://a.example")

    with pytest.raises(Conflict):
        create("https://a.example")


def test_a_deleted_server_is_gone(database, repos, create):
    create("https://a.example")

    with database.transaction():
        Resources(repos).delete("https://a.example")
    with database.transaction():
        assert Resources(repos).list_() == []
        with pytest.raises(NotFound):
            Resources(repos).delete("https://a.example")
