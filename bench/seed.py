"""Fill a migrated database with people, sessions, token families and clients: millions of rows in minutes.

Everything follows from a row's number: the load computes cookies, refresh tokens and client secrets by
itself and never asks the server for them. Every row is one that the application could have written.

    with opened(settings) as container:
        population = Population(accounts=1000, clients=10)
        fill(container, population)
        Credentials(container, population).refresh_token(17)
"""

import hashlib
import json
import sqlite3
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg import sql

from idp.audit import AuditEvent
from idp.clients import validate_metadata
from idp.clients.secrets import secret_digest
from idp.container import Container
from idp.crypto import token_digest
from idp.sessions import ACR_SINGLE_FACTOR
from idp.storage.connections import database_url
from idp.storage.types import to_microseconds
from idp.tokens import AuthorizedGrant, TokenSpec

CALLBACK: Final = "https://shop.example/callback"
PASSWORD: Final = "correct horse battery staple"
SCOPES: Final = ("openid", "profile", "email", "offline_access")
STEP: Final = timedelta(milliseconds=1)
"""Between the ends of two neighbouring rows: a moment can be named at which just so many have expired."""

_LIFETIME = timedelta(days=30)
_AMR = ["pwd"]

Row = tuple[Any, ...]
Moment = Callable[[datetime], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """How many there are of everything; each account has one session and one token family."""

    accounts: int
    clients: int
    events: int = 0
    """Audit events, spread over the accounts."""


class Credentials:
    """What the holders of the seeded rows present.

    Args:
        container: of the deployment whose root key the tokens rest on.
        population: what `fill` was given.
    """

    def __init__(self, container: Container, population: Population) -> None:
        self._container = container
        self._population = population

    def client_id(self, number: int) -> str:
        """The client with this number."""
        return client_id(number % self._population.clients)

    def client_secret(self, number: int) -> str:
        """Its secret."""
        return client_secret(number % self._population.clients)

    def refresh_token(self, number: int, generation: int = 0) -> str:
        """The refresh token of a family; its client is the one with the family's number."""
        return self._container.refresh_tokens.encode(family_id(number), generation)

    def session_cookie(self, number: int) -> str:
        """The value of the browser's session cookie."""
        return session_cookie(number)

    def access_token(self, number: int) -> str:
        """A signed access token of a family, for userinfo and introspection."""
        now = self._container.clock.now()
        return self._container.access_tokens.issue(
            TokenSpec(
                subject=account_id(number),
                client_id=self.client_id(number),
                audience=self._container.settings.issuer,
                scope=SCOPES,
                lifetime=timedelta(hours=1),
                issued_at=now,
                jti=f"bench-{number}",
                family_id=family_id(number),
            )
        )


def account_id(number: int) -> str:
    """The ``sub`` of an account; sorts by number as real ones sort by time."""
    return f"acc_{number:026d}"


def username(number: int) -> str:
    """What the person types; its own canonical form."""
    return f"person{number}"


def session_id(number: int) -> str:
    """The ``sid`` of an account's session."""
    return f"ses_{number:026d}"


def session_cookie(number: int) -> str:
    """The value of the cookie of an account's session."""
    return "idp_bs_" + _text(_bytes("session", number))


def family_id(number: int) -> str:
    """The token family of an account's session."""
    return _text(_bytes("family", number)[:16])


def client_id(number: int) -> str:
    """The name of a client."""
    return f"client{number}"


def client_secret(number: int) -> str:
    """A client's secret, shaped like those the provider makes."""
    return "idp_cs_" + _text(_bytes("secret", number))


def fill(container: Container, population: Population) -> datetime:
    """Write the whole population into an empty, migrated database and tell the workers of the clients.

    Returns:
        when the session and the family with number 0 end; those of the next number `STEP` later.
    """
    tables = _Tables(container, population)
    settings = container.settings.database
    if settings.dialect == "postgresql":
        _fill_postgresql(database_url(settings).render_as_string(hide_password=False), tables)
    else:
        _fill_sqlite(database_url(settings).database or "", tables)
    with container.database.transaction():
        container.repos.changes.bump("clients", container.clock.now())
    container.feed.notify("clients")
    return tables.first_end


class _Tables:
    """The rows of each table, in the order in which foreign keys want them."""

    def __init__(self, container: Container, population: Population) -> None:
        self._population = population
        self._issuer = container.settings.issuer
        self._now = container.clock.now()
        self.first_end = self._now + _LIFETIME
        self._phc = container.passwords.hash(PASSWORD)
        self._secret_key = container.root_key.derive("client-secrets")
        self._metadata = json.dumps(
            validate_metadata(
                {
                    "client_name": "The Shop",
                    "redirect_uris": [CALLBACK],
                    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
                    "scope": " ".join((*SCOPES, "jobs:run")),
                    "first_party": True,
                }
            )
        )

    def all(self, moment: Moment) -> Iterator[tuple[str, Sequence[str], Iterable[Row]]]:
        """Every table with its columns and its rows; ``moment`` turns times into what the database keeps."""
        now = moment(self._now)
        yield "client", ("client_id", "metadata", "created_at", "updated_at"), self._clients(now)
        yield "client_secret", ("id", "client_id", "digest", "created_at"), self._secrets(now)
        yield (
            "account",
            ("id", "username", "email", "email_verified", "claims", "created_at", "updated_at"),
            self._accounts(now),
        )
        yield "account_identifier", ("canonical", "account_id", "kind"), self._identifiers()
        yield "password_credential", ("account_id", "phc", "created_at", "updated_at"), self._passwords(now)
        yield (
            "browser_session",
            ("id", "token_digest", "account_id", "logins", "created_at", "auth_time", "last_seen_at",
             "idle_expires_at", "expires_at", "acr", "amr", "user_agent", "address"),
            self._sessions(now, moment),
        )  # fmt: skip
        yield (
            "token_family",
            ("id", "client_id", "account_id", "session_id", "grant_data", "offline", "generation",
             "last_used_at", "created_at", "expires_at", "idle_expires_at"),
            self._families(now, moment),
        )  # fmt: skip
        yield (
            "audit_event",
            ("id", "occurred_at", "event", "actor", "account_id", "client_id", "session_id", "address",
             "user_agent", "request_id", "detail"),
            self._events(now),
        )  # fmt: skip

    def _clients(self, now: Any) -> Iterator[Row]:
        for number in range(self._population.clients):
            yield client_id(number), self._metadata, now, now

    def _secrets(self, now: Any) -> Iterator[Row]:
        for number in range(self._population.clients):
            digest = secret_digest(self._secret_key, client_secret(number))
            yield f"sec_{number:026d}", client_id(number), digest, now

    def _accounts(self, now: Any) -> Iterator[Row]:
        claims = '{"name":"Ada King","given_name":"Ada","family_name":"King","locale":"en-GB"}'
        for number in range(self._population.accounts):
            name = username(number)
            yield account_id(number), name, f"{name}@example.org", 1, claims, now, now

    def _identifiers(self) -> Iterator[Row]:
        for number in range(self._population.accounts):
            account, name = account_id(number), username(number)
            yield name, account, "username"
            yield f"{name}@example.org", account, "email"

    def _passwords(self, now: Any) -> Iterator[Row]:
        # One hash for all: its salt makes no difference to what a sign-in costs.
        for number in range(self._population.accounts):
            yield account_id(number), self._phc, now, now

    def _sessions(self, now: Any, moment: Moment) -> Iterator[Row]:
        amr = json.dumps(_AMR)
        for number in range(self._population.accounts):
            end = moment(self.first_end + number * STEP)
            yield (
                session_id(number), token_digest("browser-session", session_cookie(number)),
                account_id(number), 1, now, now, now, end, end, ACR_SINGLE_FACTOR, amr,
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "192.0.2.7",
            )  # fmt: skip

    def _families(self, now: Any, moment: Moment) -> Iterator[Row]:
        grant = json.dumps(
            AuthorizedGrant(
                client_id="%client",
                account_id="%account",
                scopes=SCOPES,
                default_audience=self._issuer,
                auth_time=self._now,
                acr=ACR_SINGLE_FACTOR,
                amr=tuple(_AMR),
                redirect_uri=CALLBACK,
                sid="%session",
                refresh=True,
                offline=True,
                nonce="n-0S6_WzA2Mj",
            ).to_json()
        )
        for number in range(self._population.accounts):
            client = client_id(number % self._population.clients)
            account, session = account_id(number), session_id(number)
            end = moment(self.first_end + number * STEP)
            document = (
                grant.replace("%client", client).replace("%account", account).replace("%session", session)
            )
            yield family_id(number), client, account, session, document, 1, 0, now, now, end, end

    def _events(self, now: Any) -> Iterator[Row]:
        for number in range(self._population.events):
            person = number % self._population.accounts
            account = account_id(person)
            client = client_id(number % self._population.clients)
            actor = f"client:{client}"
            yield (
                f"evt_{number:026d}", now, AuditEvent.TOKEN_REFRESHED.value, actor, account,
                client, session_id(person), "192.0.2.7", "Firefox",
                f"req_{number:026d}", "{}",
            )  # fmt: skip


def _fill_postgresql(url: str, tables: _Tables) -> None:
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(plain) as connection, connection.cursor() as cursor:
        # The rows fit each other by construction; to check each of them takes half of the time.
        with suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
            cursor.execute("SET LOCAL session_replication_role = replica")
        for table, columns, rows in tables.all(moment=lambda value: value):
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
            with cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)
    with psycopg.connect(plain, autocommit=True) as connection:
        # What autovacuum would have done in quieter times: statistics, and rows marked as visible to all.
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def _fill_sqlite(path: str, tables: _Tables) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        for table, columns, rows in tables.all(moment=to_microseconds):
            places = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - constants
            connection.executemany(statement, rows)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _bytes(kind: str, number: int) -> bytes:
    return hashlib.sha256(b"idp bench %s %d" % (kind.encode(), number)).digest()


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
