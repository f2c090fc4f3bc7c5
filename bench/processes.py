"""What processes have cost: CPU time and memory, as the kernel counts them."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_NANOSECONDS = 1e9
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
    """CPU seconds of all threads of these processes so far; of those that ended meanwhile, nothing."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                with suppress(OSError):
                    total += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return total / _NANOSECONDS


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
