"""Delete what has expired, in small batches."""

from idp.container import Container
from idp.observability import get_logger

BATCH = 500
"""Rows of one table deleted in one transaction, so that no lock is held for long."""

_log = get_logger(__name__)


def purge_expired(container: Container) -> None:
    """Delete expired codes, families, sessions, interactions, counters and marks."""
    while True:
        with container.database.transaction():
            deleted = container.repos.expired.purge(container.clock.now(), BATCH)
        if any(deleted.values()):
            _log.info(
                "purge.done", extra={"fields": {name: count for name, count in deleted.items() if count}}
            )
        if all(count < BATCH for count in deleted.values()):
            return
