"""One run: all servers up, operation after operation, slices interleaved round by round."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import figures, isolation, limits
from bench.figures import Cell
from bench.isolation import Isolation
from bench.limits import Limits, Probe
from bench.operations import Operation, on_peer
from bench.ours import Ours
from bench.peer_side import Peer
from bench.slices import Slice, check, measure, warm_up
from bench.stores import open_store
from bench.subjects import Subject
from idp.settings import PasswordSettings

_STARTS = 3
_ISOLATION_ROUNDS = 5
_ISOLATION_SECONDS = 2
_AFTER_SIGN_INS = 1.0
"""Seconds; a worker gives the memory of password hashes back when nobody has signed in for a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the caller chose."""

    operations: Sequence[Operation]
    stores: Sequence[str]
    peer: bool
    rounds: int
    seconds: int
    isolation: bool
    """Whether to flood the sign-in as well, and to look at starts and memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What one server costs beside its requests."""

    cold_start: float
    """Seconds from its start to its first 200."""
    idle_mib: float
    """PSS of the worker before the first request."""
    loaded_mib: float
    """PSS of the worker after all of them."""
    loaded_rss_mib: float
    """RSS of the worker then: what it shares with others counts in full."""


@dataclass(slots=True)
class Run:
    """What one run found, or several together."""

    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    """By operation and subject."""
    processes: dict[str, Process] = field(default_factory=dict)
    """By subject."""
    isolations: dict[str, Isolation] = field(default_factory=dict)
    """By subject."""
    limits: Limits | None = None
    peer_slices: dict[str, list[Slice]] = field(default_factory=dict)
    """The peer's, by operation; ours are compared with them round by round."""
    failed: list[str] = field(default_factory=list)
    """What could not be measured, and why."""

    @property
    def is_right(self) -> bool:
        """Whether everything was measured and every answer was right."""
        wrong = [one.wrong for one in self.cells.values()] + [one.wrong for one in self.isolations.values()]
        return not self.failed and not any(wrong)


def run(options: Options) -> Run:
    """Measure everything once."""
    found = Run()
    with Probe(PasswordSettings()) as probe, _started(options) as subjects:
        starts = {one.name: _cold_start(one) if options.isolation else 0.0 for one in subjects}
        idle = {one.name: one.server.worker_memory() for one in subjects}
        for operation in options.operations:
            _operation(operation, subjects, probe, options, found)
        for subject in subjects:
            if options.isolation and isinstance(subject, Ours):
                with _alone(subject, subjects):
                    found.isolations[subject.name] = isolation.measure(
                        subject, rounds=_ISOLATION_ROUNDS, seconds=_ISOLATION_SECONDS
                    )
            # What the last sign-ins hashed in is given back a moment after them.
            time.sleep(_AFTER_SIGN_INS)
            found.processes[subject.name] = Process(
                cold_start=starts[subject.name],
                idle_mib=idle[subject.name],
                loaded_mib=subject.server.worker_memory(),
                loaded_rss_mib=subject.server.worker_memory(proportional=False),
            )
        found.limits = probe.limits()
    return found


def together(runs: Sequence[Run]) -> Run:
    """The medians of several runs; what failed in one of them has failed."""
    first = runs[0]
    return Run(
        cells={
            place: figures.of_runs([one.cells[place] for one in runs if place in one.cells])
            for place in first.cells
        },
        processes={
            name: Process(
                cold_start=median(one.processes[name].cold_start for one in runs),
                idle_mib=median(one.processes[name].idle_mib for one in runs),
                loaded_mib=median(one.processes[name].loaded_mib for one in runs),
                loaded_rss_mib=median(one.processes[name].loaded_rss_mib for one in runs),
            )
            for name in first.processes
        },
        isolations={
            name: isolation.of_runs([one.isolations[name] for one in runs]) for name in first.isolations
        },
        limits=limits.of_measurements([one.limits for one in runs if one.limits]),
        failed=[line for one in runs for line in one.failed],
    )


@contextmanager
def _started(options: Options) -> Iterator[list[Subject]]:
    """Everything that is measured, running."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="idp-bench-")))
        subjects: list[Subject] = []
        for name in options.stores:
            own = folder / name
            own.mkdir()
            ours = Ours(own, stack.enter_context(open_store(name, own)))
            stack.enter_context(ours.opened())
            subjects.append(ours)
        if options.peer:
            peer = Peer(folder)
            stack.enter_context(peer.server)
            subjects.append(peer)
        yield subjects


def _cold_start(subject: Subject) -> float:
    found = [subject.server.cold_start]
    while len(found) < _STARTS:
        subject.server.stop()
        subject.server.start()
        found.append(subject.server.cold_start)
    return median(found)


def _operation(
    operation: Operation, subjects: Sequence[Subject], probe: Probe, options: Options, found: Run
) -> None:
    chosen = [one for one in subjects if isinstance(one, Ours) or on_peer(operation)]
    slices: dict[str, list[Slice]] = {subject.name: [] for subject in chosen}
    try:
        for subject in chosen:
            check(subject, operation)
            warm_up(subject, operation)
        for _ in range(max(options.rounds, operation.rounds)):
            for subject in chosen:
                with _alone(subject, subjects):
                    slices[subject.name].append(
                        measure(subject, operation, probe, seconds=options.seconds * operation.seconds)
                    )
        if on_peer(operation) and options.peer:
            found.peer_slices[operation.name] = slices[Peer.name]
        for subject in chosen:
            check(subject, operation)
            found.cells[operation.name, subject.name] = figures.of_slices(
                slices[subject.name],
                peer=found.peer_slices.get(operation.against, ()) if isinstance(subject, Ours) else (),
                pieces=operation.signatures + operation.hashes,
                statements=_statements(subject, operation),
            )
    except (AssertionError, LookupError, RuntimeError, OSError) as error:
        found.failed.append(f"{operation.name}: {error!r}")


@contextmanager
def _alone(subject: Subject, subjects: Sequence[Subject]) -> Iterator[None]:
    """Have the core to oneself: Node.js goes on collecting garbage after its last request."""
    resting = [one.server for one in subjects if isinstance(one, Peer) and one is not subject]
    for server in resting:
        server.pause()
    try:
        yield
    finally:
        for server in resting:
            server.go_on()


def _statements(subject: Subject, operation: Operation) -> int | None:
    """Of the second request: the first fills caches of the process that counts."""
    if not isinstance(subject, Ours):
        return None
    requests = operation.requests(subject, 2)
    subject.statements(requests[0])
    return subject.statements(requests[-1])
