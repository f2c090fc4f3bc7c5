"""docs/performance.md: the text of performance.md beside this file, with the figures of a run in it."""

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from string import Template

import psycopg

from bench import peer_side, printing
from bench.operations import Operation
from bench.runs import Options, Run
from bench.stores import postgresql_server

_TEMPLATE = Path(__file__).parent / "performance.md"
_TARGET = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
_PACKAGES = ("granian", "flask", "authlib", "cryptography", "joserfc", "psycopg", "sqlalchemy", "argon2-cffi")


def text(operations: Sequence[Operation], found: Run, options: Options, *, runs: int) -> str:
    """The whole page."""
    subjects = [*options.stores, "peer"]
    versions = {**_our_versions(), **(peer_side.versions() if options.peer else {})}
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        date=datetime.now(UTC).date().isoformat(),
        runs=f"{runs} runs" if runs > 1 else "one run",
        rounds=options.rounds,
        machine=machine(),
        versions=", ".join(f"{name} {number}" for name, number in versions.items()),
        targets=printing.targets(operations, found, options.stores),
        details=printing.details(operations, found, subjects),
        processes=printing.processes(found),
        isolations=printing.isolations(found),
        bare=printing.bare(found),
    )


def write(page: str) -> Path:
    """Put the page where people read it."""
    _TARGET.write_text(page, encoding="utf-8")
    return _TARGET


def machine() -> str:
    """Processors and system."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )
    return f"{os.cpu_count()} processors ({model}), Linux {platform.release()}"


def _our_versions() -> dict[str, str]:
    with psycopg.connect(postgresql_server()) as connection:
        postgresql = connection.info.parameter_status("server_version") or "unknown"
    # wrk shows its version with its usage, and calls that a failure.
    shown = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False).stdout
    return {
        "Python": platform.python_version(),
        "PostgreSQL": postgresql,
        "wrk": shown.partition("\n")[0].split(" [")[0].removeprefix("wrk ").strip(),
        **{name: version(name) for name in _PACKAGES},
    }
