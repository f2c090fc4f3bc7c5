"""Counting client-credentials tokens without a write per token."""

import threading
from datetime import datetime

from idp.storage import Database, Repositories

MAX_ENTRIES = 10_000
"""Bound of the memory: that many (client, minute) pairs wait at most, plus one per client."""


class IssueCounter:
    """Tokens issued by client_credentials, per client and minute.

    The bound of what can be lost: a worker that is killed loses the counts since its last
    flush, that is of at most ``settings.audit.flush_interval``. A flush that fails loses
    nothing: the counts wait for the next one. If the database stays away so long that
    ``MAX_ENTRIES`` pairs wait, further tokens are counted to the client's newest waiting
    minute: the sums stay right, their times become coarse.

    Thread-safe; counting never waits for a flush.

    Args:
        database: opens the transaction of a flush. The counter must know whether the commit
            succeeded, so it opens its own.
        repos: repositories on the database's session.
    """

    def __init__(self, database: Database, repos: Repositories) -> None:
        self._database = database
        self._repos = repos
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, datetime], int] = {}
        self._newest: dict[str, datetime] = {}

    def count(self, client_id: str, now: datetime) -> None:
        """One token was issued."""
        key = (client_id, now.replace(second=0, microsecond=0))
        with self._lock:
            if key in self._counts:
                self._counts[key] += 1
            else:
                self._add(*key, 1)

    def flush(self) -> int:
        """Write the counts, one upsert per client and minute, in a transaction of its own.

        Returns:
            how many pairs were written.

        Raises:
            Unavailable: the database does not answer; the counts are kept.
        """
        with self._lock:
            counts, self._counts, self._newest = self._counts, {}, {}
        if not counts:
            return 0
        try:
            with self._database.transaction():
                self._repos.issue_counts.add(counts)
        except BaseException:
            with self._lock:
                for (client_id, minute), number in counts.items():
                    self._add(client_id, minute, number)
            raise
        return len(counts)

    def _add(self, client_id: str, minute: datetime, number: int) -> None:
        newest = self._newest.get(client_id)
        if (client_id, minute) not in self._counts:
            if newest is not None and len(self._counts) >= MAX_ENTRIES:
                minute = newest
            elif newest is None or newest < minute:
                self._newest[client_id] = minute
        key = (client_id, minute)
        self._counts[key] = self._counts.get(key, 0) + number
