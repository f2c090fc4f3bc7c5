"""What processes have cost: CPU time and memory, as the kernel counts them."""

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_CPUCLOCK_SCHED = 2
_KIB_PER_MIB = 1024


def family_of(pid: int) -> list[int]:
    """The process and all its living descendants."""
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text(encoding="ascii").split()]
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU seconds of these processes so far, those of threads that have ended included."""
    total = 0.0
    for pid in pids:
        with suppress(OSError):
            total += time.clock_gettime(_clock_of(pid))
    return total


def _clock_of(pid: int) -> int:
    """The kernel's name for the CPU clock of a process. Source: clock_getcpuclockid(3), its Linux form."""
    return (~pid << 3) | _CPUCLOCK_SCHED


def memory_mib(pid: int, kind: str = "Pss") -> float:
    """Memory of a process in MiB.

    Args:
        pid: the process.
        kind: ``Pss``, private memory and of shared pages this process's share; ``Rss``, all its pages.
    """
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) / _KIB_PER_MIB
    return 0.0
