"""The tables of jobs and the threads that run them."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from idp.container import Container
from idp.errors import Unavailable
from idp.jobs.deletions import delete_accounts
from idp.jobs.issue_counts import flush_issue_counts
from idp.jobs.key_states import maintain_keys
from idp.jobs.outbox import deliver_messages
from idp.jobs.purge import purge_dead_families, purge_expired
from idp.observability import get_logger

_log = get_logger(__name__)
_JOIN_TIMEOUT_SECONDS = 2.0


@dataclass(slots=True)
class _Scheduled:
    run: Callable[[Container], None]
    interval: float
    due: float


def start_jobs(container: Container) -> Callable[[], None]:
    """Start the jobs in two daemon threads; call the answer to stop them.

    Messages have a thread of their own: a mail server that does not answer must not keep the others
    waiting.
    """
    ended = threading.Event()
    tables = {
        "idp-jobs": (
            (flush_issue_counts, container.settings.audit.flush_interval),
            (maintain_keys, timedelta(seconds=30)),
            (purge_expired, timedelta(minutes=5)),
            (purge_dead_families, timedelta(minutes=5)),
            (delete_accounts, timedelta(minutes=1)),
        ),
        "idp-messages": ((deliver_messages, timedelta(seconds=1)),),
    }
    threads = [_start(container, name, table, ended) for name, table in tables.items()]

    def stop() -> None:
        ended.set()
        for thread in threads:
            thread.join(_JOIN_TIMEOUT_SECONDS)

    return stop


def _start(
    container: Container,
    name: str,
    table: tuple[tuple[Callable[[Container], None], timedelta], ...],
    ended: threading.Event,
) -> threading.Thread:
    jobs = [_Scheduled(run, interval.total_seconds(), _first(container, interval)) for run, interval in table]
    thread = threading.Thread(target=_loop, args=(container, jobs, ended), name=name, daemon=True)
    thread.start()
    return thread


def _first(container: Container, interval: timedelta) -> float:
    # Workers start together; spread them, so that they do not all delete at once.
    return container.clock.monotonic() + random.uniform(0.1, 1.0) * interval.total_seconds()  # noqa: S311 - no secret


def _loop(container: Container, jobs: list[_Scheduled], ended: threading.Event) -> None:
    while True:
        pause = max(0.0, min(job.due for job in jobs) - container.clock.monotonic())
        if ended.wait(pause):
            return
        for job in jobs:
            if container.clock.monotonic() >= job.due:
                _run(container, job)
                job.due = container.clock.monotonic() + job.interval


def _run(container: Container, job: _Scheduled) -> None:
    name = job.run.__name__
    try:
        job.run(container)
    except Unavailable as error:
        _log.warning("job.postponed", extra={"fields": {"job": name, "detail": error.detail}})
    except Exception:  # noqa: BLE001 - see below; logged with its traceback
        # A job that fails must not end the thread that runs the others.
        _log.exception("job.failed", extra={"fields": {"job": name}})
