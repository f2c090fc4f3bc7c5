"""One run: all servers up, operation after operation, slices interleaved round by round."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import figures
from bench.figures import Cell
from bench.operations import Operation, on_peer
from bench.ours import Ours
from bench.peer_side import Peer
from bench.slices import Slice, measure, warm_up
from bench.stores import open_store
from bench.subjects import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the caller chose."""

    operations: Sequence[Operation]
    stores: Sequence[str]
    peer: bool
    rounds: int
    seconds: int


@dataclass(slots=True)
class Process:
    """What one server costs beside its requests."""

    cold_start: float
    """Seconds from its start to its first 200."""
    idle_mib: float
    loaded_mib: float = 0.0
    loaded_rss_mib: float = 0.0


@dataclass(slots=True)
class Run:
    """What one run found."""

    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    """By operation and subject."""
    processes: dict[str, Process] = field(default_factory=dict)
    """By subject."""
    failed: list[str] = field(default_factory=list)
    """Operations that could not be measured, and why."""


@contextmanager
def started(options: Options) -> Iterator[list[Subject]]:
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


def run(options: Options) -> Run:
    """Measure everything once."""
    found = Run()
    with started(options) as subjects:
        for subject in subjects:
            found.processes[subject.name] = Process(subject.server.cold_start, subject.server.worker_memory())
        for operation in options.operations:
            chosen = [one for one in subjects if isinstance(one, Ours) or on_peer(operation)]
            try:
                for subject, cell in _operation(operation, chosen, options):
                    found.cells[operation.name, subject.name] = cell
            except (AssertionError, KeyError, RuntimeError, OSError) as error:
                found.failed.append(f"{operation.name}: {error!r}")
        for subject in subjects:
            process = found.processes[subject.name]
            process.loaded_mib = subject.server.worker_memory()
            process.loaded_rss_mib = subject.server.worker_memory(proportional=False)
    return found


def _operation(
    operation: Operation, subjects: Sequence[Subject], options: Options
) -> Iterator[tuple[Subject, Cell]]:
    slices: dict[str, list[Slice]] = {subject.name: [] for subject in subjects}
    for subject in subjects:
        warm_up(subject, operation)
    for _ in range(options.rounds):
        for subject in subjects:
            slices[subject.name].append(measure(subject, operation, seconds=options.seconds))
    for subject in subjects:
        yield (
            subject,
            figures.of_slices(slices[subject.name], statements=_statements(subject, operation)),
        )


def _statements(subject: Subject, operation: Operation) -> int | None:
    """Of the second request: the first fills caches of the process that counts."""
    if not isinstance(subject, Ours):
        return None
    requests = operation.requests(subject, 2)
    subject.statements(requests[0])
    return subject.statements(requests[-1])
