"""Write down how many client-credentials tokens were issued."""

from idp.container import Container


def flush_issue_counts(container: Container) -> None:
    """Flush the in-memory counters; the interval is the most a crash can lose."""
    container.issue_counter.flush()
