"""One measurement: so many requests to one server, and what they cost it."""

from dataclasses import dataclass

from bench.limits import Bare, Probe, between
from bench.load import Load, Loaded, drive
from bench.operations import Operation
from bench.ours import Ours
from bench.servers import LOAD_CORE
from bench.subjects import Subject

_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What one slice found."""

    requests: int
    rate: float
    """Answers per second of wall time."""
    cpu_us: float
    """CPU microseconds of the server's processes per request."""
    database_cpu_us: float
    """The same of PostgreSQL's backends; 0 without PostgreSQL on this machine."""
    p50_ms: float
    p99_ms: float
    wrong: int
    """Answers with a status that was not expected, and broken connections."""
    bare: Bare | None = None
    """The core right before and after: a bare Argon2id hash where answers take one, else a bare signature.
    ``None``: not looked at."""


def check(subject: Subject, operation: Operation) -> None:
    """Look at one answer in full; AssertionError if it is not right."""
    requests = operation.requests(subject, 1)
    answer = subject.ask(requests[0])
    assert answer.status == operation.status, f"{operation.name} at {subject.name}: {answer}"
    operation.check(subject, requests[0], answer)


def warm_up(subject: Subject, operation: Operation) -> None:
    """Bring caches, prepared statements and the other side's compiler into the state of a busy server."""
    drive(subject.port, _load(operation, subject, seconds=1))


def measure(subject: Subject, operation: Operation, probe: Probe, *, seconds: int) -> Slice:
    """Drive one operation.

    Args:
        subject: a running one.
        operation: which one.
        probe: looks at the core before and after, while the server has nothing to do.
        seconds: of wall time; what is used up may end earlier.
    """
    load = _load(operation, subject, seconds=seconds)
    if isinstance(subject, Ours):
        subject.store.pin(LOAD_CORE)
    look = probe.hash if operation.hashes else probe.signature
    bare_before = look()
    before, database_before = subject.server.cpu(), _database_cpu(subject)
    loaded = drive(subject.port, load)
    worked = max(1, loaded.requests)
    if operation.hashes:
        # So few fit into a slice that those under way at its end would show: they are finished, and count.
        subject.server.rest()
        worked += load.connections
    after, database_after = subject.server.cpu(), _database_cpu(subject)
    subject.server.rest()
    bare = between(bare_before, look())
    spent_there = sum(spent - database_before.get(pid, 0.0) for pid, spent in database_after.items())
    return Slice(
        requests=loaded.requests,
        rate=loaded.rate,
        cpu_us=(after - before) / worked * _MICROSECONDS,
        database_cpu_us=spent_there / worked * _MICROSECONDS,
        p50_ms=loaded.p50_ms,
        p99_ms=loaded.p99_ms,
        wrong=_wrong(operation, loaded),
        bare=bare,
    )


def _load(operation: Operation, subject: Subject, *, seconds: int) -> Load:
    return Load(
        requests=operation.requests(subject, operation.count),
        once=operation.count > 0,
        seconds=10 if operation.count else seconds,
        connections=operation.connections,
        # wrk's own count takes anything below 400 for right: a sign-in page where a redirect is due.
        count_answers=operation.status != 200,
    )


def _wrong(operation: Operation, loaded: Loaded) -> int:
    """Nothing but the expected status will do."""
    others = sum(count for status, count in loaded.answers.items() if status != str(operation.status))
    return max(others, loaded.failed) + loaded.broken + (not loaded.requests)


def _database_cpu(subject: Subject) -> dict[int, float]:
    return subject.store.cpu() if isinstance(subject, Ours) else {}
