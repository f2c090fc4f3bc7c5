"""A provider that a real browser can go to, in this process: the test moves its clock and reads its mail."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from playwright.sync_api import Page, expect

from idp.clock import FixedClock, SystemClock
from tests.bench import SqliteTemplate, running
from tests.provider import PASSWORD, Client, Pkce, Provider
from tests.services import free_port
from tests.serving import GranianThread

REGISTRATION = {"enabled": True, "identifiers": "email_or_phone", "terms_uri": "https://idp.example/terms"}


@contextmanager
def site(folder: Path, template: SqliteTemplate, **sections: Any) -> Iterator[Provider]:
    """A provider with registration, mail and SMS, listening on a port of its own.

    Its clock stands at the present, which is what browsers compare the ends of cookies with.
    """
    port = free_port()
    given = {"issuer": f"http://localhost:{port}", "registration": REGISTRATION, **sections}
    clock = FixedClock(SystemClock().now())
    with template.copy(folder) as url, running(folder, url, template.keys, clock, **given) as provider:
        server = GranianThread(provider.app, provider.container.settings, port)
        try:
            yield provider
        finally:
            server.stop()


class _Answer(BaseHTTPRequestHandler):
    """Every page of the application says only that the browser has come."""

    def do_GET(self) -> None:
        body = b"<!doctype html><html lang=en><title>The application</title>"
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def application() -> Iterator[str]:
    """An application for browsers to come back to; the address of its callback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}/callback"
    finally:
        server.shutdown()
        server.server_close()


def ask(page: Page, provider: Provider, client: Client, **parameters: str) -> Pkce:
    """Send the browser to the authorization endpoint, as an application does."""
    pkce = Pkce()
    query = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": client.redirect_uri,
        "scope": "openid",
        "state": "s-123",
        **pkce.parameters,
        **parameters,
    }
    page.goto(f"{provider.issuer}/authorize?{urlencode(query)}")
    return pkce


def taken(page: Page, provider: Provider, client: Client, pkce: Pkce) -> dict[str, Any]:
    """The token response for the answer that the browser has brought to the application."""
    expect(page).to_have_title("The application")
    answer = dict(parse_qsl(urlsplit(page.url).query))
    assert "code" in answer, page.url
    tokens = provider.exchange(client, answer["code"], verifier=pkce.verifier)
    assert tokens.status == 200, tokens.text
    given: dict[str, Any] = tokens.json()
    return given


def sign_in(page: Page, provider: Provider, username: str = "ada", password: str = PASSWORD) -> None:
    """Sign in by password, without an application."""
    page.goto(f"{provider.issuer}/login")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.click("#login-submit")
