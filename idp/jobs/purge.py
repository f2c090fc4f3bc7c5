"""Delete what has expired, in small batches."""

from idp.container import Container
from idp.observability import get_logger
from idp.tokens import new_family_id

BATCH = 500
"""Rows of one table deleted in one transaction, so that no lock is held for long."""

FAMILIES = 2000
"""Token families looked at in one run: every 5 minutes, a worker gets through a million
of them in two days, and families that nobody uses any more wait no longer than that instead of months."""

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


def purge_dead_families(container: Container) -> None:
    """Delete the dead ones in a piece of the table of token families.

    Ids are random, and so is where the piece begins: no worker needs to remember how far it got, and
    several share the work.
    """
    start = new_family_id()
    with container.database.transaction():
        count = container.repos.expired.purge_dead_families(container.clock.now(), start, FAMILIES)
    if count:
        _log.info("purge.done", extra={"fields": {"dead_families": count}})
