"""The moments before which nothing counts any more (decision D13), for the whole deployment and one client.

The account's own epoch is part of every statement that reads the account.
"""

import threading
from datetime import datetime

from idp.clients import RegisteredClient
from idp.storage import ChangeFeed, Database, Repositories


class Epochs:
    """Keeps the deployment's epoch in the process; the change feed says when it moved."""

    def __init__(self, *, database: Database, repos: Repositories, feed: ChangeFeed) -> None:
        self._database = database
        self._repos = repos
        self._lock = threading.Lock()
        self._is_current = False
        self._deployment: datetime | None = None
        feed.subscribe("deployment", self.forget)

    def forget(self) -> None:
        """Ask the database again at the next question."""
        self._is_current = False

    def deployment(self) -> datetime | None:
        """The epoch of everything; ``None`` when there is none.

        Raises:
            Unavailable: not known yet, and the database does not answer.
        """
        if not self._is_current:
            with self._lock:
                self._is_current = True  # first, so that a change while reading is not lost
                try:
                    with self._database.transaction(write=False):
                        self._deployment = self._repos.deployment.not_before()
                except BaseException:
                    self._is_current = False
                    raise
        return self._deployment

    def of(self, client: RegisteredClient) -> datetime | None:
        """The later of the client's epoch and the deployment's.

        Raises:
            Unavailable: not known yet, and the database does not answer.
        """
        epochs = [epoch for epoch in (client.not_before, self.deployment()) if epoch is not None]
        return max(epochs, default=None)
