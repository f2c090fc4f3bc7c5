"""Driving a server with wrk from the other core."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.servers import LOAD_CORE

CONNECTIONS = 64
"""Twice as many as one of our workers has threads: a busy server, which is when its cost counts."""
_SCRIPT = Path(__file__).parent / "lua" / "load.lua"
_SECONDS_MORE = 30


class WrkMissing(RuntimeError):
    """The load generator is not installed."""

    def __init__(self) -> None:
        super().__init__("wrk is missing. On Debian and Ubuntu: apt install wrk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send."""

    requests: Sequence[bytes]
    """Whole HTTP requests."""
    once: bool = False
    """None of them twice, which ends the run; else one after the other, again and again."""
    seconds: int = 1
    """How long; with ``once`` at most."""
    connections: int = CONNECTIONS
    """Kept alive; each has one request under way at any time."""
    count_answers: bool = False
    """Count answers by status. Costs wrk a little; ``once`` does it anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What came of it."""

    requests: int
    """Answered ones."""
    seconds: float
    failed: int
    """Answers with a status above 399."""
    broken: int
    """Connections refused, reset or timed out."""
    p50_ms: float
    p99_ms: float
    answers: Mapping[str, int] = field(default_factory=dict)
    """By status, where that was asked for."""

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.requests / self.seconds if self.seconds else 0.0


def assert_wrk() -> str:
    """Where wrk is.

    Raises:
        WrkMissing: nowhere.
    """
    found = shutil.which("wrk")
    if found is None:
        raise WrkMissing
    return found


def start(port: int, load: Load, file: Path) -> subprocess.Popen[str]:
    """Start wrk and return at once; :func:`result` takes its figures when it has ended.

    Args:
        port: of the server on 127.0.0.1.
        load: what to send.
        file: where to put the requests for wrk to read; must stay until it has ended.
    """
    file.write_bytes(b"\0".join(load.requests))
    command = [
        *("taskset", "--cpu-list", str(LOAD_CORE), assert_wrk()),
        *("--threads", "1", "--connections", str(load.connections), "--duration", f"{load.seconds}s"),
        *("--timeout", "10s", "--latency", "--script", str(_SCRIPT), f"http://127.0.0.1:{port}"),
        *("--", str(file), "once" if load.once else "again", "yes" if load.count_answers else "no"),
        str(load.connections),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str], load: Load) -> Loaded:
    """Wait for wrk's end and read what it found; RuntimeError if it failed."""
    output, errors = process.communicate(timeout=load.seconds + _SECONDS_MORE)
    if process.returncode:
        raise RuntimeError(f"wrk ended with {process.returncode}: {errors}{output}")
    return read_result(output)


def drive(port: int, load: Load) -> Loaded:
    """Send the load and wait for its end."""
    with tempfile.TemporaryDirectory(prefix="idp-bench-") as folder:
        return result(start(port, load, Path(folder) / "requests"), load)


def read_result(output: str) -> Loaded:
    """The figures in what wrk printed with our script; ValueError if they are not there."""
    line = next((line for line in output.splitlines() if line.startswith("{")), None)
    if line is None:
        raise ValueError(f"wrk printed no result: {output[-2000:]}")
    found = json.loads(line)
    return Loaded(
        requests=found["requests"],
        seconds=found["microseconds"] / 1e6,
        failed=found["failed"],
        broken=found["broken"],
        p50_ms=found["p50_us"] / 1e3,
        p99_ms=found["p99_us"] / 1e3,
        answers=found["answers"],
    )
