"""Operators register clients; secrets are shown in the result that made them and nowhere else."""

from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from idp.errors import Conflict, Invalid, NotFound
from idp.storage import TokenFamilyRow

METADATA = {"client_name": "Shop", "redirect_uris": ["https://shop.example/cb"]}
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64


@pytest.fixture
def picture_server():
    """Serves a picture at /logo.png and a script that calls itself one at /evil.png."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = {
                "/logo.png": PNG,
                "/evil.png": b"<svg onload='x()'/>",
                "/big.png": PNG + b"x" * 2**18,
            }.get(self.path)
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_generated_secret_is_shown_once(admin, container, clock, as_json, events):
    """K5, K12: shown once; in no list or read response."""
    made = admin.clients.create(client_id="shop", metadata=METADATA)
    secret = made["client_secret"]
    container.feed.poll()

    assert secret.startswith("idp_cs_")
    assert container.clients.find("shop").check_secret(secret, clock.now())
    assert secret not in as_json([admin.clients.get("shop"), admin.clients.list_()])
    assert ("client.created", "operator:command line") in events()


def test_the_operators_secret_is_not_repeated(admin, container, clock, as_json):
    made = admin.clients.create(client_id="shop", metadata=METADATA, secret="swordfish")
    container.feed.poll()

    assert "swordfish" not in as_json(made)
    assert container.clients.find("shop").check_secret("swordfish", clock.now())


def test_the_result_names_metadata_as_rfc_7591_does(admin):
    made = admin.clients.create(
        client_id="app", metadata={**METADATA, "token_endpoint_auth_method": "none", "scope": "openid email"}
    )

    assert made["client_id"] == "app"
    assert made["client_name"] == "Shop"
    assert made["token_endpoint_auth_method"] == "none"
    assert made["redirect_uris"] == ["https://shop.example/cb"]
    assert made["scope"] == "openid email"
    assert made["disabled"] is False
    assert "client_secret" not in made
    assert "logo_uri" not in made


def test_rotation_and_deletion_reach_the_workers(admin, container, clock):
    first = admin.clients.create(client_id="shop", metadata=METADATA)["client_secret"]
    rotated = admin.clients.rotate_secret("shop", overlap_days=1)
    container.feed.poll()
    client = container.clients.find("shop")

    assert rotated["previous_secret_expires_at"] == "2026-03-02T12:00:00Z"
    assert client.check_secret(first, clock.now())
    assert client.check_secret(rotated["client_secret"], clock.now())
    assert not client.check_secret(first, clock.now() + timedelta(days=1))

    assert admin.clients.delete("shop")["deleted"] is True
    container.feed.poll()
    assert container.clients.find("shop") is None


def test_deletion_removes_everything_in_batches_and_says_how_much(admin, container, clock, monkeypatch):
    """However many rows: no transaction removes more than a batch of each kind."""
    monkeypatch.setattr("idp.admin.clients._BATCH", 2)
    admin.clients.create(client_id="shop", metadata=METADATA)
    account = admin.accounts.create(username="ada")["id"]
    now, end = clock.now(), clock.now() + timedelta(days=1)
    times = {"last_used_at": now, "created_at": now, "expires_at": end, "idle_expires_at": end}
    with container.database.transaction():
        for number in range(5):
            container.repos.families.add(
                TokenFamilyRow(id=f"f{number}", client_id="shop", account_id=account, grant_data={}, **times)
            )
    told = []

    result = admin.clients.delete("shop", told.append)

    assert result == {
        "client_id": "shop",
        "deleted": True,
        "removed_families": 5,
        "removed_consents": 0,
    }
    assert told == [2, 4]
    with container.database.transaction(write=False):
        assert [container.repos.families.get(f"f{number}") for number in range(5)] == [None] * 5
        told_of = {row.event: row.detail for row in container.repos.audit.list_(client_id="shop")}
    assert told_of["client.deleted"] == {"families": 5, "consents": 0}
    assert "client.disabled" in told_of


def test_a_deletion_that_was_broken_off_leaves_a_disabled_client_and_goes_on(admin, container):
    """Nothing of the client counts from the first step on, and nobody gets its id before the last."""
    admin.clients.create(client_id="shop", metadata=METADATA)

    class Stopped(Exception):
        pass

    def stop(*_):
        raise Stopped

    clear = container.repos.clients.clear
    container.repos.clients.clear = stop
    with pytest.raises(Stopped):
        admin.clients.delete("shop")
    container.repos.clients.clear = clear

    assert admin.clients.get("shop")["disabled"] is True
    with pytest.raises(Conflict):
        admin.clients.create(client_id="shop", metadata=METADATA)
    assert admin.clients.delete("shop")["deleted"] is True
    assert admin.clients.create(client_id="shop", metadata=METADATA)["disabled"] is False


def test_disabling_reaches_the_workers_and_leaves_an_epoch(admin, container, clock):
    """T16: disabling a client is effective at once."""
    admin.clients.create(client_id="shop", metadata=METADATA)
    admin.clients.disable("shop")
    container.feed.poll()

    assert container.clients.find("shop").disabled
    assert admin.clients.enable("shop")["disabled"] is False
    container.feed.poll()
    assert not container.clients.find("shop").disabled
    assert container.clients.find("shop").not_before == clock.now()


def test_bad_input_and_taken_ids_make_nothing(admin, events):
    admin.clients.create(client_id="shop", metadata=METADATA)
    before = events()

    for client_id, metadata, secret in (
        ("acc_shop", METADATA, None),
        ("other", {**METADATA, "redirect_uris": ["http://evil.example"]}, None),
        ("other", {**METADATA, "unknown": 1}, None),
        ("other", METADATA, "é"),
    ):
        with pytest.raises(Invalid):
            admin.clients.create(client_id=client_id, metadata=metadata, secret=secret)
    with pytest.raises(Conflict):
        admin.clients.create(client_id="shop", metadata=METADATA)

    assert len(admin.clients.list_()) == 1
    assert events() == before


@pytest.mark.parametrize("overlap_days", [-1, 91, 10**12])
def test_absurd_overlaps_are_refused(admin, overlap_days):
    admin.clients.create(client_id="shop", metadata=METADATA)

    with pytest.raises(Invalid):
        admin.clients.rotate_secret("shop", overlap_days=overlap_days)


def test_unknown_clients_are_not_found(admin):
    clients = admin.clients
    for action in (clients.get, clients.delete, clients.rotate_secret, clients.disable, clients.refresh_logo):
        with pytest.raises(NotFound):
            action("nobody")


def test_a_logo_is_fetched_once_and_kept(admin, container, picture_server):
    """R13: pages load no third-party resource, so the picture is ours."""
    made = admin.clients.create(
        client_id="shop", metadata={**METADATA, "logo_uri": f"{picture_server}/logo.png"}
    )

    assert "warnings" not in made
    assert admin.clients.get("shop")["has_logo"] is True
    assert admin.clients.refresh_logo("shop")["has_logo"] is True


@pytest.mark.parametrize("path", ["/evil.png", "/big.png", "/missing.png"])
def test_an_unusable_logo_is_a_warning(admin, picture_server, path):
    """A script that calls itself a picture never comes from our origin; the client works without."""
    made = admin.clients.create(client_id="shop", metadata={**METADATA, "logo_uri": picture_server + path})

    assert len(made["warnings"]) == 1
    assert admin.clients.get("shop")["has_logo"] is False


def test_a_logo_in_a_private_network_is_a_warning(admin):
    """X1: the one egress reaches public addresses only."""
    made = admin.clients.create(
        client_id="shop", metadata={**METADATA, "logo_uri": "https://127.0.0.1:9/logo.png"}
    )

    assert len(made["warnings"]) == 1
