"""Clients, their secrets and logos, and resource servers, alike on both databases."""

from datetime import timedelta

import pytest

from idp.errors import Conflict
from idp.storage import ClientLogoRow
from tests.storage import rows


@pytest.fixture
def shop(database, repos, now):
    with database.transaction():
        repos.clients.add(rows.client(now), [rows.client_secret(now)])
    return "shop"


def test_client_returns_as_it_went(database, repos, now, shop):
    with database.transaction(write=False):
        row = repos.clients.get(shop)
        assert (row.metadata_, row.created_at) == ({"client_name": "Shop"}, now)
        assert [secret.digest for secret in repos.clients.secrets_of(shop)] == [b"d1"]
        assert repos.clients.get("Shop") is None


def test_client_id_is_taken_once(database, repos, now, shop):
    with pytest.raises(Conflict, match="client id"), database.transaction():
        repos.clients.add(rows.client(now))


def test_clients_are_listed_with_their_secrets(database, repos, now, shop):
    with database.transaction():
        repos.clients.add(rows.client(now, client_id="app"))
        repos.clients.add_secret(rows.client_secret(now, id="sec_2", digest=b"d2"))

    with database.statements.measure() as measured, database.transaction(write=False):
        found = [(row.client_id, [s.id for s in secrets]) for row, secrets in repos.clients.load_all()]
    assert found == [("app", []), ("shop", ["sec_1", "sec_2"])]
    assert len(measured.statements) == 2


def test_client_is_changed_across_transactions(database, repos, now, shop):
    with database.transaction(write=False):
        row = repos.clients.get(shop)
    row.metadata_, row.disabled_at, row.not_before = {"client_name": "Store"}, now, now
    with database.transaction():
        repos.clients.update(row)

    with database.transaction(write=False):
        row = repos.clients.get(shop)
        assert (row.metadata_, row.disabled_at, row.not_before) == ({"client_name": "Store"}, now, now)


def test_secret_needs_its_client(database, repos, now):
    with pytest.raises(Conflict), database.transaction():
        repos.clients.add_secret(rows.client_secret(now))


def test_deleted_client_leaves_nothing_to_a_namesake(database, repos, now, shop):
    """R10: who registers the id anew inherits no secret, no consent and no token."""
    with database.transaction():
        repos.accounts.add(rows.account(now), [])
        repos.consents.save(rows.consent(now))
        repos.families.add(rows.family(now))
        repos.families.add(rows.family(now, id="fam2", client_id="app"))
        repos.logos.save(logo(now))

    with database.transaction():
        assert repos.clients.clear(shop, 10) == (1, 1)
        assert repos.clients.delete(shop, now)
        assert not repos.clients.delete(shop, now)

    with database.transaction(write=False):
        assert repos.clients.get(shop) is None
        assert repos.clients.secrets_of(shop) == []
        assert repos.logos.get(shop) is None
        assert repos.consents.find("acc_1", shop) is None
        assert repos.families.get("fam1") is None
        assert repos.families.get("fam2").revoked_at is None


def test_a_client_is_cleared_a_few_rows_at_a_time(database, repos, now, shop):
    with database.transaction():
        repos.accounts.add(rows.account(now), [])
        for number in range(5):
            repos.families.add(rows.family(now, id=f"fam{number}"))
            if number < 3:
                repos.consents.save(rows.consent(now, resource=f"https://api{number}.example"))

    for expected in ((2, 2), (2, 1), (1, 0), (0, 0)):
        with database.transaction():
            assert repos.clients.clear(shop, 2) == expected


def test_a_deleted_clients_unused_codes_go_with_it(database, repos, now, shop):
    """Used ones stay until they expire, so that a replay is recognised; expired ones are the purge's."""
    past, soon = now, now + timedelta(seconds=1)
    with database.transaction():
        repos.one_time.issue(rows.code(now, digest=b"unused", expires_at=soon))
        repos.one_time.issue(rows.code(now, digest=b"used", expires_at=soon, consumed_at=now))
        repos.one_time.issue(rows.code(now, digest=b"expired", expires_at=past))
        repos.one_time.issue(rows.code(now, digest=b"other", expires_at=soon, binding="app"))

    with database.transaction():
        repos.clients.delete(shop, now)

    with database.transaction(write=False):
        kind = "authorization_code"
        digests = (b"unused", b"used", b"expired", b"other")
        left = [digest for digest in digests if repos.one_time.find(kind, digest) is not None]
    assert left == [b"used", b"expired", b"other"]


def test_logo_is_replaced(database, repos, now, shop):
    with database.transaction():
        repos.logos.save(logo(now))
        repos.logos.save(logo(now, body=b"\x00new", content_type="image/webp"))

    with database.transaction():
        row = repos.logos.get(shop)
        assert (row.body, row.content_type) == (b"\x00new", "image/webp")
        repos.logos.delete(shop)
        assert repos.logos.get(shop) is None


def test_resource_servers_are_kept_in_order(database, repos, now):
    scopes = [["write", "Change your things"], ["read", "See your things"]]
    with database.transaction():
        repos.resources.add(rows.resource_server(now, scopes=scopes))
        repos.resources.add(rows.resource_server(now, identifier="https://a.example"))

    with database.transaction():
        assert repos.resources.get("https://api.example").scopes == scopes
        assert [row.identifier for row in repos.resources.list_()] == [
            "https://a.example",
            "https://api.example",
        ]
        assert repos.resources.delete("https://a.example")
        assert not repos.resources.delete("https://a.example")


def test_resource_identifier_is_taken_once(database, repos, now):
    with database.transaction():
        repos.resources.add(rows.resource_server(now))

    with pytest.raises(Conflict, match="identifier"), database.transaction():
        repos.resources.add(rows.resource_server(now))


def logo(now, **changes):
    values = {"client_id": "shop", "uri": "https://shop.example/l.png", "content_type": "image/png"}
    return ClientLogoRow(**values | {"body": b"\x89PNG", "fetched_at": now} | changes)
