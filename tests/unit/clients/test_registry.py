"""Registering clients and rotating their secrets, on both databases."""

from datetime import timedelta

import pytest

from idp.clients import Clients, Logo, Logos
from idp.errors import Conflict, Invalid, NotFound

METADATA = {"client_name": "Shop", "redirect_uris": ["https://shop.example/cb"]}
PUBLIC = {**METADATA, "token_endpoint_auth_method": "none"}
DAY = timedelta(days=1)


@pytest.fixture
def clients(database, repos, secret_key):
    class InTransactions:
        rooms = Clients(repos, secret_key)

        def __getattr__(self, name):
            def call(*arguments, **options):
                with database.transaction():
                    return getattr(self.rooms, name)(*arguments, **options)

            return call

    return InTransactions()


def test_a_generated_secret_works_and_is_stored_as_a_digest(clients, database, repos, now):
    """K5: stored hashed, shown once."""
    made = clients.create("shop", METADATA, now=now)
    secret = made.secret.reveal()

    assert clients.get("shop").check_secret(secret, now)
    assert secret not in repr(made)
    with database.transaction(write=False):
        (row,) = repos.clients.secrets_of("shop")
        assert secret.encode() not in row.digest
        assert len(row.digest) == 32


def test_the_operators_secret_works(clients, now):
    clients.create("shop", METADATA, secret="swordfish", now=now)

    assert clients.get("shop").check_secret("swordfish", now)
    assert not clients.get("shop").check_secret("Swordfish", now)


@pytest.mark.parametrize("secret", ["", "é", "a\x00", "a\n", "x" * 513])
def test_unusable_secrets_are_refused(clients, now, secret):
    with pytest.raises(Invalid) as caught:
        clients.create("shop", METADATA, secret=secret, now=now)

    assert caught.value.field == "client_secret"


def test_a_public_client_has_no_secret(clients, now):
    assert clients.create("app", PUBLIC, now=now).secret is None
    with pytest.raises(Invalid):
        clients.create("app2", PUBLIC, secret="x", now=now)
    with pytest.raises(Invalid):
        clients.rotate_secret("app", now=now)


def test_a_client_id_is_taken_once(clients, now):
    clients.create("shop", METADATA, now=now)

    with pytest.raises(Conflict):
        clients.create("shop", METADATA, now=now)


def test_rotation_leaves_two_live_secrets_at_most(clients, now):
    """K5: two secrets during rotation; the old one ends after the overlap."""
    first = clients.create("shop", METADATA, now=now).secret.reveal()
    made = clients.rotate_secret("shop", now=now)
    second = made.secret.reveal()

    client = clients.get("shop")
    assert made.previous_expires_at == now + 7 * DAY
    assert client.check_secret(first, now + 7 * DAY - timedelta(seconds=1))
    assert not client.check_secret(first, now + 7 * DAY)
    assert client.check_secret(second, now + 7 * DAY)

    third = clients.rotate_secret("shop", now=now + DAY).secret.reveal()
    client = clients.get("shop")
    assert not client.check_secret(first, now + DAY)
    assert client.check_secret(second, now + DAY)
    assert client.check_secret(third, now + DAY)
    assert not client.check_secret(second, now + 8 * DAY)


def test_without_overlap_the_old_secret_ends_at_once(clients, now):
    first = clients.create("shop", METADATA, now=now).secret.reveal()
    second = clients.rotate_secret("shop", now=now, overlap=timedelta(0), secret="new one").secret.reveal()

    assert not clients.get("shop").check_secret(first, now)
    assert second == "new one"
    assert clients.get("shop").check_secret("new one", now)


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=91)])
def test_absurd_overlaps_are_refused(clients, now, overlap):
    clients.create("shop", METADATA, now=now)

    with pytest.raises(Invalid):
        clients.rotate_secret("shop", now=now, overlap=overlap)


def test_a_disabled_client_gets_an_epoch_that_stays(clients, now):
    """T16: tokens from before stay dead when the client comes back."""
    clients.create("shop", METADATA, now=now)
    later = now + DAY

    assert clients.set_disabled("shop", disabled=True, now=later).disabled
    enabled = clients.set_disabled("shop", disabled=False, now=later + DAY)

    assert not enabled.disabled
    assert enabled.not_before == later


def test_a_deleted_client_is_gone_with_all_it_had(clients, database, repos, now):
    clients.create("shop", METADATA, now=now)
    with database.transaction():
        Logos(repos).save("shop", Logo(uri="https://s.example/l", content_type="image/png", body=b"x"), now)

    clients.delete("shop", now)

    with database.transaction(write=False):
        assert repos.clients.secrets_of("shop") == []
        assert Logos(repos).find("shop") is None
    with pytest.raises(NotFound):
        clients.get("shop")
    with pytest.raises(NotFound):
        clients.delete("shop", now)


def test_clients_are_listed_by_id(clients, now):
    for client_id in ("b", "a", "c"):
        clients.create(client_id, METADATA, now=now)

    assert [client.client_id for client in clients.list_()] == ["a", "b", "c"]


def test_a_logo_is_kept_and_replaced(clients, database, repos, now):
    clients.create("shop", METADATA, now=now)
    for body in (b"one", b"two"):
        with database.transaction():
            Logos(repos).save(
                "shop", Logo(uri="https://s.example/l", content_type="image/png", body=body), now
            )

    with database.transaction(write=False):
        assert Logos(repos).find("shop").body == b"two"
