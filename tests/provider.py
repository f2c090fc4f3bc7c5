"""One identity provider under test, in this process, with a clock that stands still.

``provider.account("ada")`` makes somebody who can sign in, ``provider.client("shop")`` registers a
client and knows its secret, ``provider.sign_in(page)`` goes through the pages as a person would, and
``provider.tokens(client)`` gives the token response of a whole code flow.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import Flask

from idp.app import create_app
from idp.clock import FixedClock
from idp.container import Container
from idp.jobs import deliver_messages
from idp.settings import Settings
from idp.storage.migrations import upgrade
from tests.browser import Browser, Page
from tests.messages import Mail, Sms, read_mails, read_sms
from tests.serving import leave, reach
from tests.transport import Answer, Http, Pairs, Transport

ISSUER = "https://idp.example"
CALLBACK = "https://shop.example/callback"
PASSWORD = "correct horse battery staple"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ALL_SCOPES = "openid profile email address phone groups offline_access"


@dataclass(frozen=True)
class Client:
    """What a client knows of itself."""

    id: str
    secret: str | None
    redirect_uri: str = CALLBACK
    auth_method: str = "client_secret_basic"

    @property
    def auth(self) -> tuple[str, str] | None:
        return (self.id, self.secret) if self.secret and self.auth_method == "client_secret_basic" else None

    @property
    def body(self) -> dict[str, str]:
        """What it adds to the form instead of Basic."""
        if self.auth:
            return {}
        return {"client_id": self.id} | ({"client_secret": self.secret} if self.secret else {})


@dataclass(frozen=True)
class Pkce:
    """One verifier and its S256 challenge (RFC 7636 §4)."""

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    @property
    def parameters(self) -> dict[str, str]:
        return {"code_challenge": self.challenge, "code_challenge_method": "S256"}


class Protocol:
    """What clients and people do with a provider, wherever it runs."""

    transport: Transport

    @property
    def issuer(self) -> str:
        return self.transport.issuer

    @property
    def http(self) -> Http:
        return Http(self.transport)

    def browser(self, **options: Any) -> Browser:
        return Browser(self.transport, **options)

    def authorize(self, browser: Browser, client: Client, **parameters: str | None) -> Page:
        """Send the browser to the authorization endpoint; `None` leaves a parameter out."""
        given: dict[str, str | None] = {
            "response_type": "code",
            "client_id": client.id,
            "redirect_uri": client.redirect_uri,
            "scope": "openid",
            "state": "s-123",
            **parameters,
        }
        return browser.get("/authorize", {name: value for name, value in given.items() if value is not None})

    def sign_in(self, page: Page, username: str = "ada", password: str = PASSWORD) -> Page:
        """Fill in the sign-in page, and allow what the consent page asks if one comes up."""
        page = page.submit("login-submit", username=username, password=password)
        return page.submit("consent-allow") if page.has("consent-allow") else page

    def code(self, client: Client, *, browser: Browser | None = None, **parameters: str | None) -> str:
        """A code from a whole journey through the pages."""
        page = self.authorize(browser or self.browser(), client, **parameters)
        if page.has("login-submit"):
            page = self.sign_in(page)
        elif page.has("consent-allow"):
            page = page.submit("consent-allow")
        return response_parameters(page)["code"]

    def exchange(self, client: Client, code: str, *, verifier: str | None = None, **form: str) -> Answer:
        sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect_uri}
        if verifier:
            sent["code_verifier"] = verifier
        return self.http.post("/token", {**sent, **client.body, **form}, auth=client.auth)

    def refresh(self, client: Client, refresh_token: str, **form: str) -> Answer:
        sent = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.http.post("/token", {**sent, **client.body, **form}, auth=client.auth)

    def tokens(
        self,
        client: Client,
        *,
        browser: Browser | None = None,
        scope: str = "openid",
        **parameters: str | None,
    ) -> dict[str, Any]:
        """A whole code flow with PKCE; the token response."""
        pkce = Pkce()
        code = self.code(client, browser=browser, scope=scope, **pkce.parameters, **parameters)
        answer = self.exchange(client, code, verifier=pkce.verifier)
        assert answer.status == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    def userinfo(self, access_token: str) -> Answer:
        return self.http.get("/userinfo", headers=[("Authorization", f"Bearer {access_token}")])

    def introspect(self, client: Client, token: str, **form: str) -> Answer:
        return self.http.post("/introspect", {"token": token, **client.body, **form}, auth=client.auth)

    def revoke(self, client: Client, token: str, **form: str) -> Answer:
        return self.http.post("/revoke", {"token": token, **client.body, **form}, auth=client.auth)

    def metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get("/.well-known/openid-configuration").json()
        return found


class Provider(Protocol):
    """The provider in this process; everything registered through the same flows the command line uses."""

    def __init__(self, app: Flask, clock: FixedClock) -> None:
        self.app = app
        self.clock = clock
        self.container: Container = app.extensions["idp"]
        self.transport = reach(app)

    def close(self) -> None:
        leave(self.app)
        self.container.close()
        self.container.database.engine.dispose()

    def advance(self, **step: float) -> None:
        """Let time pass; the words are those of timedelta."""
        self.clock.advance(timedelta(**step))

    def account(self, username: str = "ada", *, password: str = PASSWORD, **given: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.container.admin.accounts.create(
            username=username,
            email=given.pop("email", None),
            email_verified=given.pop("email_verified", False),
            claims=given.pop("claims", {}),
            password=password,
            **given,
        )
        return made

    def client(
        self,
        client_id: str = "shop",
        *,
        auth_method: str = "client_secret_basic",
        redirect_uris: list[str] | None = None,
        grant_types: tuple[str, ...] = ("authorization_code", "refresh_token"),
        scope: str = ALL_SCOPES,
        first_party: bool = True,
        secret: str | None = None,
        **metadata: Any,
    ) -> Client:
        uris = [CALLBACK] if redirect_uris is None else redirect_uris
        wants_code = "authorization_code" in grant_types
        made = self.container.admin.clients.create(
            client_id=client_id,
            metadata={
                "client_name": metadata.pop("client_name", "The Shop"),
                "token_endpoint_auth_method": auth_method,
                **({"redirect_uris": uris} if wants_code else {}),
                "grant_types": list(grant_types),
                "scope": scope,
                "first_party": first_party,
                **metadata,
            },
            secret=secret,
        )
        self.settle()
        return Client(
            client_id, secret or made.get("client_secret"), uris[0] if uris else CALLBACK, auth_method
        )

    def machine(self, client_id: str = "robot", scope: str = "jobs:run", **metadata: Any) -> Client:
        return self.client(client_id, grant_types=("client_credentials",), scope=scope, **metadata)

    def resource(self, identifier: str = "https://api.example", **scopes: str) -> str:
        """Register a resource server; `read_things="See things"` becomes the scope `read:things`."""
        described = {name.replace("_", ":", 1): text for name, text in scopes.items()} or {
            "read:things": "See things"
        }
        self.container.admin.resources.create(
            identifier=identifier, name="The API", scopes=described, access_token_format=None
        )
        self.settle()
        return identifier

    def mails(self) -> list[Mail]:
        """Every mail sent so far, newest last; what waits in the outbox is sent first."""
        deliver_messages(self.container)
        return read_mails(self.container.settings.mail.folder)

    def sms(self) -> list[Sms]:
        """Every SMS sent so far, newest last; what waits in the outbox is sent first."""
        deliver_messages(self.container)
        return read_sms(self.container.settings.sms.folder)

    def settle(self) -> None:
        """Let the process notice what changed, as its background thread would within a second."""
        self.container.feed.poll()


def response_parameters(page: Page) -> dict[str, str]:
    """The parameters an authorization response carried to the client."""
    assert page.left, f"still at {page.url} ({page.status}): {page.text[:600]}"
    parts = urlsplit(page.url)
    pairs = parse_qsl(parts.query or parts.fragment, keep_blank_values=True, strict_parsing=True)
    return dict(pairs)


def make_settings(directory: Path, database_url: str | None = None, **sections: Any) -> Settings:
    """Settings for tests: cheap password hashes, everything below `directory`."""
    url = database_url or f"sqlite:///{directory / 'idp.sqlite3'}"
    return Settings(
        **{
            "issuer": ISSUER,
            "keys": {"dir": directory / "keys"},
            "passwords": {"argon2_memory_kib": 64, "argon2_passes": 1},
            "ratelimit": {"enabled": False},
            "mail": {"transport": "folder", "folder": directory / "mail"},
            "sms": {"transport": "folder", "folder": directory / "sms"},
            **sections,
            "database": {"url": url, **sections.get("database", {})},
        }
    )


def make_provider(settings: Settings, clock: FixedClock | None = None) -> Provider:
    """Migrate, build and make the keys, as `idp serve` does before its workers start."""
    clock = clock or FixedClock(START)
    upgrade(settings.database)
    provider = Provider(create_app(settings, clock=clock), clock)
    container = provider.container
    with container.database.transaction():
        container.keystore.ensure_keys(clock.now())
    provider.settle()
    container.keyring.reload()
    return provider


__all__ = ["ALL_SCOPES", "CALLBACK", "ISSUER", "PASSWORD", "Client", "Pairs", "Pkce", "Protocol", "Provider"]
