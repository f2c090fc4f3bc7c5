"""The process cache of clients: looking one up costs a dictionary access."""

import threading
from collections.abc import Mapping

from idp.clients.registered import RegisteredClient
from idp.crypto import Secret
from idp.storage import ChangeFeed, ClientRow, ClientSecretRow, Database, Repositories


class ClientDirectory:
    """Every registered client as a frozen object.

    The whole table is loaded at the first look-up and again at the first look-up after the
    change feed has announced a change; a name that is not in the snapshot is unknown without a
    query, so guessing client ids costs nothing. Whether the feed can be relied upon is asked by
    the flows (``feed.assert_available()``), once per request.

    Args:
        database: opens the short read transaction of a reload. It must not share its session
            with the flows, because a look-up may happen in the middle of their transaction.
        repos: repositories on that database's session.
        feed: announces changes under the topic ``clients``.
        secret_key: key of the secrets' digests.
    """

    def __init__(
        self, database: Database, repos: Repositories, feed: ChangeFeed, secret_key: Secret[bytes]
    ) -> None:
        self._database = database
        self._repos = repos
        self._secret_key = secret_key
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._clients: Mapping[str, RegisteredClient] = {}
        self._announced = 1
        self._loaded = 0
        feed.subscribe("clients", self.reload)

    def find(self, client_id: str) -> RegisteredClient | None:
        """The client with this id, disabled ones included; None if there is none.

        Raises:
            Unavailable: a reload is due and the database does not answer.
        """
        if self._loaded != self._announced:
            self._load_once()
        return self._clients.get(client_id)

    def all(self) -> tuple[RegisteredClient, ...]:
        """Every client, for what concerns all of them (the longest lifetime of a token)."""
        if self._loaded != self._announced:
            self._load_once()
        return tuple(self._clients.values())

    def invalidate(self) -> None:
        """Load again before the next answer."""
        with self._counting:
            self._announced += 1

    def reload(self) -> None:
        """Load now: at start-up, and on the feed's thread when a change was announced.

        Raises:
            Unavailable: the database does not answer.
        """
        self.invalidate()
        self._load_once()

    def _load_once(self) -> None:
        """One thread loads, the others wait for its result."""
        with self._lock:
            announced = self._announced
            if self._loaded == announced:
                return
            with self._database.transaction(write=False):
                rows = self._repos.clients.load_all()
                clients = {
                    row.client_id: registered_client(row, secrets, self._secret_key) for row, secrets in rows
                }
            # The snapshot is complete before it is seen, and a change announced meanwhile stays due.
            self._clients = clients
            self._loaded = announced


def registered_client(
    row: ClientRow, secrets: list[ClientSecretRow], secret_key: Secret[bytes]
) -> RegisteredClient:
    """The frozen client of a row and its secrets."""
    return RegisteredClient.from_metadata(
        row.client_id,
        row.metadata_,
        secrets=[(secret.digest, secret.expires_at) for secret in secrets],
        secret_key=secret_key,
        disabled=row.disabled_at is not None,
        not_before=row.not_before,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
