"""What processes have cost: CPU time and memory, as the kernel counts them; and a core that is never idle."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CPUCLOCK_SCHED = 2
_KIB_PER_MIB = 1024

_SPIN = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
while os.getppid() == int(sys.argv[2]):
    for _ in range(1_000_000):
        pass
"""


@contextmanager
def never_idle(core: int) -> Iterator[None]:
    """Keep a core busy with work that gives way to all other.

    Two processors of a virtual machine are often two threads of one core, and then a second of CPU time on
    one is worth up to half as much again while the other has nothing to do. Who works for nobody but wrk
    would be compared with who has a database there, on a core that is faster than the other's.
    """
    process = subprocess.Popen([sys.executable, "-c", _SPIN, str(core), str(os.getpid())])
    try:
        yield
    finally:
        process.kill()
        process.wait()


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
