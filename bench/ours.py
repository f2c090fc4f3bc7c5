"""Our side: `idp serve` on a database of its own, and the rows that a measurement uses up."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import insert

from bench.passkeys import device_with_passkeys
from bench.servers import IdpServer
from bench.stores import Store
from bench.subjects import (
    API_SCOPE,
    CALLBACK,
    CHALLENGE,
    MACHINE,
    NONCE,
    RESOURCE,
    SCOPE_FOR_API,
    SCOPE_FOR_USERINFO,
    SHOP,
    Subject,
)
from idp.app import create_app
from idp.cli.serve import prepare
from idp.container import Container
from idp.crypto import random_token
from idp.sessions import ACR_SINGLE_FACTOR
from idp.storage import OneTimeRow, TokenFamilyRow
from idp.tokens import AUTHORIZATION_CODE_KIND, AuthorizedGrant, TokenSpec, new_family_id
from tests.passkey import Authenticator
from tests.sessions import begin_session

PASSWORD: Final = "correct horse battery staple"
PEOPLE: Final = 100
PEOPLE_WITH_PASSWORD: Final = 8
KIOSK: Final = "kiosk"
"""Like ``shop``, but its access tokens are opaque: the peer's JWTs can neither be introspected nor shown to
userinfo, so those two are compared on opaque tokens."""
_CLAIMS: Final = {"name": "Ada King", "given_name": "Ada", "family_name": "King", "zoneinfo": "Europe/London"}
_KEPT: Final = 5000
"""Codes and families that are there before the first request."""
_PWD: Final = ("pwd",)


class Ours(Subject):
    """A running `idp serve`, with one resource server, three clients and a hundred signed-in people."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.name = store.name
        self.store = store
        self.secret = secrets.token_urlsafe(32)
        self.server: IdpServer = IdpServer(folder, store.url)
        self._turn = 0

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Migrate, register, start; stop at the end."""
        self.server.idp("migrate")
        prepare(self.server.settings)
        self.app: Flask = create_app(self.server.settings)
        """The same application in this process, on the same database: seeds it and counts its statements."""
        self.container: Container = self.app.extensions["idp"]
        try:
            self._register()
            self._sign_everybody_in()
            # Tables that were empty when PostgreSQL looked at them are read from end to end for as long as
            # the prepared statements live. A deployment's are not empty.
            self.codes(_KEPT)
            self.refresh_tokens(_KEPT)
            self.store.analyze()
            with self.server:
                yield
        finally:
            self.container.close()
            self.container.database.engine.dispose()

    def codes(self, count: int, *, for_api: bool = True, client: str = SHOP) -> list[str]:
        """See `Subject`; rows as an answered authorization request writes them."""
        made = [self.container.codes.new() for _ in range(count)]
        now = self.container.clock.now()
        rows = []
        for _, digest in made:
            account, session = self._next_person()
            grant = self._grant(client, account, session, for_api=for_api)
            rows.append(
                {
                    "digest": digest,
                    "kind": AUTHORIZATION_CODE_KIND,
                    "binding": client,
                    "proof": CHALLENGE,
                    "target": CALLBACK,
                    "account_id": account,
                    "session_id": session,
                    "payload": grant.to_json(),
                    "attempts": 0,
                    "created_at": now,
                    "expires_at": now + self.container.settings.tokens.authorization_code_lifetime,
                }
            )
        self._insert(OneTimeRow, rows)
        return [code for code, _ in made]

    def refresh_tokens(self, count: int) -> list[str]:
        """See `Subject`; rows as a code exchange writes them."""
        return [
            self.container.refresh_tokens.encode(family, 0)
            for family, _ in self._open_families(count, for_api=True)
        ]

    def access_tokens(self, count: int) -> list[str]:
        """New JWTs for userinfo, as code exchanges sign them; no server has seen one of them before."""
        now = self.container.clock.now()
        return [
            self.container.access_tokens.issue(
                TokenSpec(
                    subject=account,
                    client_id=SHOP,
                    audience=self.issuer,
                    scope=tuple(SCOPE_FOR_USERINFO.split()),
                    lifetime=self.container.settings.tokens.access_token_lifetime,
                    issued_at=now,
                    jti=random_token(16),
                    family_id=family,
                    auth_time=self._signed_in_at,
                    acr=ACR_SINGLE_FACTOR,
                    amr=_PWD,
                )
            )
            for family, account in self._open_families(count, for_api=False)
        ]

    def session_cookies(self, count: int) -> list[str]:
        """See `Subject`; of different people."""
        return [f"idp_session={cookie}" for *_, cookie in self._people[:count]]

    def statements(self, request: bytes) -> int:
        """How many SQL statements this request makes, counted in this process on the same database."""
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, path, _ = first.split(" ")
        headers = [tuple(line.split(": ", 1)) for line in lines]
        with self.container.database.statements.measure() as measured:
            self.app.test_client(use_cookies=False).open(
                path, method=method, headers=headers, data=body or None
            )
        return len(measured.statements)

    def _open_families(self, count: int, *, for_api: bool) -> list[tuple[str, str]]:
        """Families of ``shop`` and the accounts they are of, as code exchanges open them."""
        # A second ago, as if just handed out; a token of the same moment would do as well.
        began = self.container.clock.now() - timedelta(seconds=1)
        lifetimes = self.container.settings.tokens
        rows = []
        for _ in range(count):
            account, session = self._next_person()
            rows.append(
                {
                    "id": new_family_id(),
                    "client_id": SHOP,
                    "account_id": account,
                    "session_id": session,
                    "grant_data": self._grant(SHOP, account, session, for_api=for_api).to_json(),
                    "offline": True,
                    "generation": 0,
                    "last_used_at": began,
                    "created_at": began,
                    "expires_at": began + lifetimes.refresh_token_lifetime,
                    "idle_expires_at": began + lifetimes.refresh_token_idle_lifetime,
                }
            )
        self._insert(TokenFamilyRow, rows)
        return [(str(row["id"]), str(row["account_id"])) for row in rows]

    def _grant(self, client: str, account: str, session: str, *, for_api: bool) -> AuthorizedGrant:
        return AuthorizedGrant(
            client_id=client,
            account_id=account,
            scopes=tuple((SCOPE_FOR_API if for_api else SCOPE_FOR_USERINFO).split()),
            resources=(RESOURCE,) if for_api else (),
            default_audience=RESOURCE if for_api else self.issuer,
            nonce=NONCE,
            auth_time=self._signed_in_at,
            acr=ACR_SINGLE_FACTOR,
            amr=_PWD,
            redirect_uri=CALLBACK,
            code_challenge=CHALLENGE,
            sid=session,
            refresh=True,
            offline=True,
        )

    def _next_person(self) -> tuple[str, str]:
        self._turn += 1
        account, session, _ = self._people[self._turn % PEOPLE]
        return account, session

    def _insert(self, table: type[OneTimeRow | TokenFamilyRow], rows: list[dict[str, Any]]) -> None:
        with self.container.database.engine.begin() as connection:
            connection.execute(insert(table), rows)

    def _register(self) -> None:
        admin = self.container.admin
        admin.resources.create(
            identifier=RESOURCE, name="The API", scopes={API_SCOPE: "Read things"}, access_token_format=None
        )
        self.container.feed.poll()
        of_people = {
            "client_name": "The Shop",
            "token_endpoint_auth_method": "client_secret_basic",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": f"{SCOPE_FOR_USERINFO} {API_SCOPE}",
            "id_token_signed_response_alg": "ES256",  # ours is RS256 by default, the cheapest for clients
            "first_party": True,  # nobody is asked for consent, as nobody is on the other side
            "rotate_refresh_tokens": True,  # a confidential client's do not by default; the peer's do
        }
        machine = {
            "client_name": "A machine",
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": ["client_credentials"],
            "scope": API_SCOPE,
        }
        clients: dict[str, dict[str, Any]] = {
            SHOP: of_people,
            KIOSK: {**of_people, "access_token_format": "opaque"},
            MACHINE: machine,
        }
        for client_id, metadata in clients.items():
            admin.clients.create(client_id=client_id, metadata=metadata, secret=self.secret)
        self.container.feed.poll()

    def _sign_everybody_in(self) -> None:
        here = self.container
        made = [
            here.admin.accounts.create(
                username=person(number),
                email=f"{person(number)}@example.org",
                email_verified=True,
                claims=_CLAIMS,
                password=PASSWORD if number < PEOPLE_WITH_PASSWORD else None,
            )
            for number in range(PEOPLE)
        ]
        self.device: Authenticator = device_with_passkeys(
            here, self.issuer, [(one["id"], one["username"]) for one in made[:PEOPLE_WITH_PASSWORD]]
        )
        """Holds a passkey of each of those who can sign in with a password too."""
        self._signed_in_at = here.clock.now()
        self._people: list[tuple[str, str, str]] = []
        with here.database.transaction():
            for account in made:
                session, cookie = begin_session(here.sessions, here.repos, account["id"], self._signed_in_at)
                self._people.append((account["id"], session.id, cookie.reveal()))


def person(number: int) -> str:
    """The username of one of the people; the first `PEOPLE_WITH_PASSWORD` of them can sign in."""
    return f"person-{number}"
