"""The process cache of clients: looking one up costs a dictionary access."""

import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import islice

from idp.clients.registered import RegisteredClient
from idp.crypto import Secret
from idp.fibers import assert_may_block
from idp.storage import ChangeFeed, ClientRow, ClientSecretRow, Database, Repositories

_BATCH = 500
"""Clients read at once, so that thousands of them do not lie in memory twice."""


@dataclass(frozen=True, slots=True)
class _Copy:
    client: RegisteredClient
    stamp: Hashable
    """Of the rows it was made from, or of earlier ones: then it is made once more, never kept too long."""


class ClientDirectory:
    """Every registered client as a frozen object.

    All are loaded at the first look-up, and at the first look-up after the change feed has announced a
    change those that it concerns: making objects of all of thousands of clients takes seconds in which a
    worker answers slowly. A name that is not in the snapshot is unknown without a query, so guessing client
    ids costs nothing. Whether the feed can be relied upon is asked by
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
        self._copies: Mapping[str, _Copy] = {}
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
        copy = self._copies.get(client_id)
        return None if copy is None else copy.client

    def all(self) -> tuple[RegisteredClient, ...]:
        """Every client, for what concerns all of them (the longest lifetime of a token)."""
        if self._loaded != self._announced:
            self._load_once()
        return tuple(copy.client for copy in self._copies.values())

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
        assert_may_block()
        with self._lock:
            announced = self._announced
            if self._loaded == announced:
                return
            with self._database.transaction(write=False):
                copies = self._renewed()
            # The snapshot is complete before it is seen, and a change announced meanwhile stays due.
            self._copies = copies
            self._loaded = announced

    def _renewed(self) -> dict[str, _Copy]:
        """The clients there are: those that changed made anew, of the others the present copies."""
        # Stamps first: a row that changes in between is newer than its stamp, and the next look finds that.
        stamps = self._repos.clients.stamps()
        copies = {
            client_id: copy
            for client_id, copy in self._copies.items()
            if client_id in stamps and stamps[client_id] == copy.stamp
        }
        outdated = iter(stamps.keys() - copies.keys())
        while batch := list(islice(outdated, _BATCH)):
            for row, secrets in self._repos.clients.load(batch):
                client = registered_client(row, secrets, self._secret_key)
                copies[row.client_id] = _Copy(client, stamps[row.client_id])
        return copies


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
