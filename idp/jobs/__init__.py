"""Work that happens between requests: messages, clean-up, batched counters, key states.

Each job is one file with one function; ``runner`` holds the table of what runs how often.
Called by ``app`` when the server starts; every worker runs all of it, so each job must be
safe to run several times at once.
Reading order: runner, then the jobs.
"""

from idp.jobs.outbox import deliver_messages
from idp.jobs.runner import start_jobs

__all__ = ["deliver_messages", "start_jobs"]
