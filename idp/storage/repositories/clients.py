"""Clients with their secrets and logos, and resource servers."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select, update

from idp.storage.models import (
    ClientLogoRow,
    ClientRow,
    ClientSecretRow,
    ConsentRow,
    OneTimeRow,
    ResourceServerRow,
    TokenFamilyRow,
)
from idp.storage.repositories.base import Repository


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
        secrets: dict[str, list[ClientSecretRow]] = {}
        for secret in self._session.scalars(select(ClientSecretRow).order_by(ClientSecretRow.id)):
            secrets.setdefault(secret.client_id, []).append(secret)
        rows = self._session.scalars(select(ClientRow).order_by(ClientRow.client_id))
        return [(row, secrets.get(row.client_id, [])) for row in rows]

    def update(self, row: ClientRow) -> None:
        """Write a client's changed columns; the row may come from an earlier transaction."""
        self._session.merge(row)
        self._session.flush()

    def delete(self, client_id: str, now: datetime | None = None) -> bool:
        """Remove a client with its secrets, logo and consents, and everything its tokens rest on.

        A client registered later under the same id inherits nothing. False if there is no such client.

        Args:
            client_id: whom to remove.
            now: when its token families count as revoked; without it they are deleted.
        """
        gone = self._session.execute(
            delete(ClientRow).where(ClientRow.client_id == client_id).returning(ClientRow.client_id)
        ).scalar_one_or_none()
        self._session.execute(delete(ConsentRow).where(ConsentRow.client_id == client_id))
        codes = (OneTimeRow.kind == "authorization_code", OneTimeRow.binding == client_id)
        self._session.execute(delete(OneTimeRow).where(*codes, OneTimeRow.consumed_at.is_(None)))
        families = TokenFamilyRow.client_id == client_id
        if now is None:
            self._session.execute(delete(TokenFamilyRow).where(families))
        else:
            self._session.execute(
                update(TokenFamilyRow)
                .where(families, TokenFamilyRow.revoked_at.is_(None))
                .values(revoked_at=now, revoked_reason="client_deleted")
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
