"""`python -m bench.scale`: how cost grows with workers, people and clients (docs/performance-scale.md)."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from bench import scale_parts
from bench.load import WrkMissing, assert_wrk
from bench.stores import StoreMissing, postgresql_server

_DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "performance-scale.md"

_INTRODUCTION = """\
# How cost grows

Written by `make bench-scale`; how the figures come about is in [performance.md](performance.md).
The database is PostgreSQL on the same machine. Requests are spread over all rows there are.
Figures are medians of slices that alternate between the sizes compared; CPU is that of the processes, per
request.
"""

_WORKERS = """\
The load generator and PostgreSQL run on the same cores, so the raw rate says what is left for the server.
The last column is what two workers give that have a core each: twice the cost per request of one worker,
divided by theirs."""

_PEOPLE = """\
Each person has an account with two names and a password, a browser session, a token family and an event in
the audit record. A batch of the clean-up deletes 500 sessions and 500 families. An authorization request
moves the idle end of a session that was not used for `sessions.touch_interval`, which takes a write and a
thread: with a million people nearly each does, with a thousand hardly any."""

_CLIENTS = """\
Two workers, one request in turn for each client. A change is a client disabled by another process; it is
followed when every worker refuses it, without Redis."""

_PARTS: dict[str, tuple[str, str]] = {
    "workers": ("One worker and two", _WORKERS),
    "people": ("More people", _PEOPLE),
    "clients": ("More clients", _CLIENTS),
}


def main() -> int:
    """Run the parts asked for; 0 if everything was measured."""
    given = _arguments()
    chosen = [name for name in _PARTS if not given.only or name in given.only.split(",")]
    try:
        assert_wrk()
        postgresql_server()
    except (WrkMissing, StoreMissing) as error:
        print(error, file=sys.stderr)
        return 2
    began = time.monotonic()
    sections = [_INTRODUCTION, _machine()]
    for name in chosen:
        title, text = _PARTS[name]
        found = _run(name, given)
        print(f"\n{title}\n{found}", flush=True)
        sections.append(f"## {title}\n\n{text}\n\n{found}\n")
    print(f"\n{time.monotonic() - began:.0f} s")
    if len(chosen) == len(_PARTS) and not given.no_write:
        _DOCUMENT.write_text("\n".join(sections), encoding="utf-8")
    return 0


def _run(name: str, given: argparse.Namespace) -> str:
    rounds, seconds = given.rounds, given.seconds
    parts: dict[str, Callable[[], str]] = {
        "workers": lambda: scale_parts.workers(rounds=rounds, seconds=seconds),
        "people": lambda: scale_parts.people(given.people, rounds=rounds, seconds=seconds),
        "clients": lambda: scale_parts.clients(given.clients, rounds=rounds, seconds=seconds),
    }
    return parts[name]()


def _machine() -> str:
    with psycopg.connect(postgresql_server()) as connection:
        version = connection.info.server_version // 10_000
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, Python {platform.python_version()}, PostgreSQL {version}.\n"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--only", default="", help=f"of {', '.join(_PARTS)}; default: all; writes nothing")
    parser.add_argument("--rounds", type=int, default=3, help="slices that count; default: %(default)s")
    parser.add_argument("--seconds", type=int, default=2, help="of one slice; default: %(default)s")
    parser.add_argument("--people", type=_sizes, default=[1_000, 1_000_000], help="default: 1000,1000000")
    parser.add_argument("--clients", type=_sizes, default=[10, 1_000, 10_000], help="default: 10,1000,10000")
    parser.add_argument("--no-write", action="store_true", help="print only")
    return parser.parse_args()


def _sizes(text: str) -> list[int]:
    return [int(size) for size in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
