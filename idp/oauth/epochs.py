"""The moments before which nothing counts any more (decision D13), for the whole deployment and one client.

The account's own epoch is part of every statement that reads the account.
"""

import contextlib
import itertools
import threading
from datetime import datetime

from idp.clients import RegisteredClient
from idp.errors import Unavailable
from idp.fibers import assert_may_block
from idp.storage import ChangeFeed, Database, Repositories


class Epochs:
    """Keeps the deployment's epoch in the process; the change feed says when it moved.

    Args:
        database: opens the short read. It must not share its session with the flows, because a
            question may come in the middle of their transaction.
        repos: repositories on that database's session.
        feed: announces changes under the topic ``deployment``.
    """

    def __init__(self, *, database: Database, repos: Repositories, feed: ChangeFeed) -> None:
        self._database = database
        self._repos = repos
        self._lock = threading.Lock()
        self._versions = itertools.count(1)
        self._version = 0
        # The version it was read at and the epoch; replaced as a whole, so that a change that
        # comes while reading makes it outdated.
        self._known: tuple[int, datetime | None] = (-1, None)
        feed.subscribe("deployment", self._follow)

    def deployment(self) -> datetime | None:
        """The epoch of everything; ``None`` when there is none.

        Raises:
            Unavailable: not known yet, and the database does not answer.
        """
        known = self._known
        if known[0] != self._version:
            assert_may_block()
            with self._lock:
                if self._known[0] != self._version:
                    self._known = (self._version, self._read())
                known = self._known
        return known[1]

    def of(self, client: RegisteredClient) -> datetime:
        """The latest of the client's registration, its epoch and the deployment's.

        What is older than the registration belongs to a client that had the same id before.

        Raises:
            Unavailable: not known yet, and the database does not answer.
        """
        version, deployment = self._known
        if version != self._version:
            deployment = self.deployment()
        latest, own = client.created_at, client.not_before
        if own is not None and own > latest:
            latest = own
        if deployment is not None and deployment > latest:
            latest = deployment
        return latest

    def _follow(self) -> None:
        """A change was announced: read it here, on the feed's thread, so that no request waits."""
        self._version = next(self._versions)
        with contextlib.suppress(Unavailable):  # it stays due, and the next question says so
            self.deployment()

    def _read(self) -> datetime | None:
        with self._database.transaction(write=False):
            return self._repos.deployment.not_before()
