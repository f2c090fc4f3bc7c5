"""Write down how many client-credentials tokens were issued."""

from idp.container import Container


def flush_issue_counts(container: Container) -> None:
    """Flush the in-memory counters; the interval is the most a crash can lose."""
    if container.issue_counter.is_empty:
        return
    with container.database.transaction():
        container.issue_counter.flush(container.clock.now())
