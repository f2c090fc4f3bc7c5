"""Making and changing clients. Callers hold the transaction, record audit and bump the feed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from idp.clients.directory import registered_client
from idp.clients.metadata import validate_client_id, validate_metadata
from idp.clients.registered import RegisteredClient
from idp.clients.secrets import accept_client_secret, new_client_secret, secret_digest
from idp.crypto import Secret
from idp.errors import Invalid, NotFound
from idp.ids import new_id
from idp.storage import ClientRow, ClientSecretRow, Repositories

DEFAULT_OVERLAP: Final = timedelta(days=7)
"""How long the previous secret keeps working after a rotation."""

MAX_OVERLAP: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """A client and the secret it just got; the only moment the secret can be read (row K5)."""

    client: RegisteredClient
    secret: Secret[str] | None
    """None for public clients."""
    secret_id: str | None = None
    """Names the secret in the audit record."""
    previous_expires_at: datetime | None = None
    """When the secret before this one stops working."""


class Clients:
    """Registers, changes and removes clients.

    Args:
        repos: repositories on the caller's session.
        secret_key: key of the secrets' digests, derived from the root key.
    """

    def __init__(self, repos: Repositories, secret_key: Secret[bytes]) -> None:
        self._clients = repos.clients
        self._secret_key = secret_key

    def create(
        self, client_id: str, metadata: Mapping[str, Any], *, secret: str | None = None, now: datetime
    ) -> NewSecret:
        """Register a client.

        Args:
            client_id: its name in the protocol.
            metadata: see :func:`validate_metadata`.
            secret: the secret to use; None makes one. Public clients get none.
            now: aware UTC time.

        Raises:
            Invalid: the id, the metadata or the secret breaks a rule.
            Conflict: the id is taken.
        """
        validate_client_id(client_id)
        checked = validate_metadata(metadata)
        public = checked["token_endpoint_auth_method"] == "none"
        if public and secret is not None:
            raise Invalid("A client without authentication (none) has no secret.", field="client_secret")
        chosen = None if public else _chosen(secret)
        row = ClientRow(client_id=client_id, metadata_=checked, created_at=now, updated_at=now)
        rows = [] if chosen is None else [self._secret_row(client_id, chosen, now)]
        self._clients.add(row, rows)
        return NewSecret(
            client=registered_client(row, rows, self._secret_key),
            secret=chosen,
            secret_id=rows[0].id if rows else None,
        )

    def get(self, client_id: str) -> RegisteredClient:
        """The client with this id.

        Raises:
            NotFound: there is none.
        """
        row = self._get_row(client_id)
        return registered_client(row, self._clients.secrets_of(client_id), self._secret_key)

    def list_(self) -> list[RegisteredClient]:
        """Every client, by id, without secrets."""
        rows = self._clients.load_all()
        return [registered_client(row, secrets, self._secret_key) for row, secrets in rows]

    def delete(self, client_id: str, now: datetime) -> None:
        """Remove a client with its secrets, logo and unused codes.

        The caller has removed its token families and consents (``ClientRepository.clear``).

        Raises:
            NotFound: there is no such client.
        """
        self._get_row(client_id)
        self._clients.delete(client_id, now)

    def rotate_secret(
        self,
        client_id: str,
        *,
        now: datetime,
        secret: str | None = None,
        overlap: timedelta = DEFAULT_OVERLAP,
    ) -> NewSecret:
        """Give the client a new secret; the present one keeps working for ``overlap`` (row K5).

        At most two secrets live at a time: those that were already being replaced end now. An
        overlap of zero ends the present one at once, for a secret that leaked.

        Raises:
            NotFound: there is no such client.
            Invalid: the client is public, the secret breaks its rule, or the overlap is negative
                or longer than 90 days.
        """
        client = self.get(client_id)
        if client.is_public:
            raise Invalid("A client without authentication (none) has no secret.", field="client_secret")
        if not timedelta(0) <= overlap <= MAX_OVERLAP:
            raise Invalid(f"The overlap must be between 0 and {MAX_OVERLAP.days} days.", field="overlap")
        chosen = _chosen(secret)
        ends = now + overlap
        for row in self._clients.secrets_of(client_id):
            row.expires_at = ends if row.expires_at is None else min(row.expires_at, now)
        added = self._secret_row(client_id, chosen, now)
        self._clients.add_secret(added)
        self._touch(client_id, now)
        return NewSecret(
            client=self.get(client_id), secret=chosen, secret_id=added.id, previous_expires_at=ends
        )

    def update(
        self, client_id: str, changes: Mapping[str, Any], *, now: datetime
    ) -> tuple[RegisteredClient, tuple[str, ...]]:
        """Change members of a client's metadata; the client, and the names of those that changed.

        Args:
            client_id: whose.
            changes: the new values; ``None`` gives a member its default again. Other members stay.
            now: aware UTC time.

        Raises:
            NotFound: there is no such client.
            Invalid: the result breaks a rule, or another way of authentication is asked for.
        """
        row = self._get_row(client_id)
        before = dict(row.metadata_)
        after = validate_metadata({**before, **changes})
        method = "token_endpoint_auth_method"
        if after[method] != before[method]:
            raise Invalid("A client keeps its way of authentication; register another.", field=method)
        changed = tuple(name for name, value in after.items() if value != before.get(name))
        if changed:
            row.metadata_ = after
            row.updated_at = now
            self._clients.update(row)
        return self.get(client_id), changed

    def set_disabled(self, client_id: str, *, disabled: bool, now: datetime) -> RegisteredClient:
        """Switch the client off, or on again. Switching off also ends every token it has.

        Raises:
            NotFound: there is no such client.
        """
        row = self._get_row(client_id)
        row.disabled_at = now if disabled else None
        if disabled:
            # Without the epoch, tokens from before would come back to life with the client.
            row.not_before = now
        row.updated_at = now
        self._clients.update(row)
        return self.get(client_id)

    def _get_row(self, client_id: str) -> ClientRow:
        row = self._clients.get(client_id)
        if row is None:
            raise NotFound("There is no such client.")
        return row

    def _touch(self, client_id: str, now: datetime) -> None:
        row = self._get_row(client_id)
        row.updated_at = now
        self._clients.update(row)

    def _secret_row(self, client_id: str, secret: Secret[str], now: datetime) -> ClientSecretRow:
        digest = secret_digest(self._secret_key.reveal(), secret.reveal())
        return ClientSecretRow(
            id=new_id("sec", now), client_id=client_id, digest=digest, created_at=now, expires_at=None
        )


def _chosen(secret: str | None) -> Secret[str]:
    return new_client_secret() if secret is None else accept_client_secret(secret)
