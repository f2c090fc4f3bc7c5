"""Clients with their secrets and logos, and resource servers."""

import hashlib
from collections.abc import Collection, Hashable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, cast, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB

from idp.storage.models import (
    ClientLogoRow,
    ClientRow,
    ClientSecretRow,
    ConsentRow,
    OneTimeRow,
    ResourceServerRow,
    TokenFamilyRow,
)
from idp.storage.records import ClearedRows
from idp.storage.repositories.base import Repository
from idp.storage.types import Text


class ClientRepository(Repository):
    """Rows of registered clients."""

    def add(self, row: ClientRow, secrets: Iterable[ClientSecretRow] = ()) -> None:
        """Write a new client with its secrets.

        Raises:
            IntegrityConflict: the client id is taken. The transaction cannot go on.
        """
        self._insert(row, conflict="The client id is already taken.")
        self._insert(*secrets)

    def get(self, client_id: str) -> ClientRow | None:
        """The client, or None."""
        return self._session.get(ClientRow, client_id)

    def load_all(self) -> list[tuple[ClientRow, list[ClientSecretRow]]]:
        """Every client with its secrets, by id, in two statements."""
        return self._load(select(ClientRow), select(ClientSecretRow))

    def load(self, client_ids: Collection[str]) -> list[tuple[ClientRow, list[ClientSecretRow]]]:
        """Those of these clients that exist with their secrets, by id, in two statements."""
        return self._load(
            select(ClientRow).where(ClientRow.client_id.in_(client_ids)),
            select(ClientSecretRow).where(ClientSecretRow.client_id.in_(client_ids)),
        )

    def stamps(self) -> dict[str, Hashable]:
        """For every client, by id, a value that changes whenever the client or one of its secrets does.

        To ask this of thousands of clients is cheap, because nothing is made of what is read. Compared with a
        time of last change, it tells apart what happened at the same moment.
        """
        client, secret = ClientRow, ClientSecretRow
        columns = (client.disabled_at, client.not_before, client.created_at, client.updated_at)
        found: dict[str, list[Any]] = {}
        for client_id, metadata, *rest in self._session.execute(
            select(client.client_id, cast(client.metadata_, Text), *columns).order_by(client.client_id)
        ):
            found[client_id] = [hashlib.sha256(metadata.encode()).digest(), *rest]
        for client_id, *own in self._session.execute(
            select(secret.client_id, secret.id, secret.digest, secret.expires_at).order_by(secret.id)
        ):
            if client_id in found:  # else it was registered since the first statement: next time
                found[client_id] += own
        return {client_id: tuple(parts) for client_id, parts in found.items()}

    def _load(
        self, clients: Select[ClientRow], secrets: Select[ClientSecretRow]
    ) -> list[tuple[ClientRow, list[ClientSecretRow]]]:
        of: dict[str, list[ClientSecretRow]] = {}
        for secret in self._session.scalars(secrets.order_by(ClientSecretRow.id)):
            of.setdefault(secret.client_id, []).append(secret)
        rows = self._session.scalars(clients.order_by(ClientRow.client_id))
        return [(row, of.get(row.client_id, [])) for row in rows]

    def access_token_lifetimes(self) -> set[int]:
        """The different lifetimes in seconds that clients are registered with; one statement, no objects."""
        lifetime: ColumnElement[int | None]
        if self._dialect == "sqlite":
            lifetime = func.json_extract(ClientRow.metadata_, "$.access_token_lifetime")
        else:
            lifetime = cast(cast(ClientRow.metadata_, JSONB)["access_token_lifetime"].astext, BigInteger)
        found = self._session.scalars(select(lifetime).distinct())
        return {seconds for seconds in found if seconds is not None}

    def update(self, row: ClientRow) -> None:
        """Write a client's changed columns; the row may come from an earlier transaction."""
        self._session.merge(row)
        self._session.flush()

    def clear(self, client_id: str, limit: int) -> ClearedRows:
        """Delete at most ``limit`` token families and ``limit`` consents of a client.

        There may be millions: the caller repeats it, each time in a transaction of its own, until fewer
        than ``limit`` of each were left.
        """
        return ClearedRows(
            self._delete_some(TokenFamilyRow, TokenFamilyRow.client_id == client_id, limit=limit),
            self._delete_some(ConsentRow, ConsentRow.client_id == client_id, limit=limit),
        )

    def delete(self, client_id: str, now: datetime) -> bool:
        """Remove a client with its secrets, logo and unused codes; its other rows are for :meth:`clear`.

        Codes that expired before ``now`` stay: nobody can use them, and live ones are few.

        Returns:
            False if there is no such client.
        """
        gone = self._session.execute(
            delete(ClientRow).where(ClientRow.client_id == client_id).returning(ClientRow.client_id)
        ).scalar_one_or_none()
        codes = (OneTimeRow.kind == "authorization_code", OneTimeRow.binding == client_id)
        unused = (OneTimeRow.consumed_at.is_(None), OneTimeRow.expires_at > now)
        self._session.execute(
            delete(OneTimeRow).where(*codes, *unused), execution_options={"synchronize_session": False}
        )
        return gone is not None

    def secrets_of(self, client_id: str) -> list[ClientSecretRow]:
        """The client's secrets, expired ones too, oldest first."""
        statement = select(ClientSecretRow).where(ClientSecretRow.client_id == client_id)
        return list(self._session.scalars(statement.order_by(ClientSecretRow.id)))

    def has_secrets(self) -> bool:
        """Whether any client has, or had, a secret."""
        return self._session.scalars(select(ClientSecretRow.client_id).limit(1)).first() is not None

    def add_secret(self, row: ClientSecretRow) -> None:
        """Write one more secret.

        Raises:
            IntegrityConflict: there is no such client. The transaction cannot go on.
        """
        self._insert(row)


class LogoRepository(Repository):
    """Our copies of clients' logos."""

    def get(self, client_id: str) -> ClientLogoRow | None:
        """The copy, or None."""
        return self._session.get(ClientLogoRow, client_id)

    def save(self, row: ClientLogoRow) -> None:
        """Store a copy in the place of the one before.

        Raises:
            IntegrityConflict: there is no such client. The transaction cannot go on.
        """
        self._replace(row)

    def delete(self, client_id: str) -> None:
        """Drop the copy, if there is one."""
        self._session.execute(delete(ClientLogoRow).where(ClientLogoRow.client_id == client_id))


class ResourceRepository(Repository):
    """Rows of resource servers."""

    def add(self, row: ResourceServerRow) -> None:
        """Write a new resource server.

        Raises:
            IntegrityConflict: the identifier is taken. The transaction cannot go on.
        """
        self._insert(row, conflict="The resource identifier is already registered.")

    def get(self, identifier: str) -> ResourceServerRow | None:
        """The resource server, or None."""
        return self._session.get(ResourceServerRow, identifier)

    def list_(self) -> list[ResourceServerRow]:
        """All resource servers in the order of their identifiers."""
        return list(self._session.scalars(select(ResourceServerRow).order_by(ResourceServerRow.identifier)))

    def delete(self, identifier: str) -> bool:
        """Remove a resource server; False if there is no such one."""
        statement = delete(ResourceServerRow).where(ResourceServerRow.identifier == identifier)
        gone = self._session.scalars(statement.returning(ResourceServerRow.identifier)).one_or_none()
        return gone is not None
