"""What one core can do at most: bare ES256 signatures and bare Argon2id hashes, by the libraries we use.

`python -m bench.limits MEMORY_KIB PASSES LANES` works in a process of its own, so that it can have the
server's core. It waits for lines like `hash 0.5` (what, and for how many seconds), and answers each with a
line of JSON; the rest of the benchmark asks it by :class:`Probe`.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Self

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from bench.servers import SERVER_CORE, clean_environment
from idp.settings import PasswordSettings

_SIGNATURE_SECONDS = 0.05
_HASH_SECONDS = 0.5
_CLAIMS = 350
"""Bytes that a signature covers: about the header and claims of an access token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """One kind of work by itself, on the server's core."""

    cpu_us: float
    rate: float
    """Per second of wall time, as the rates of the servers are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """CPU microseconds and rate of one core, over a whole run: the medians of all probes."""

    signature: Bare
    hash: Bare


class Probe:
    """A process that measures the core whenever it is asked, and rests otherwise."""

    def __init__(self, passwords: PasswordSettings) -> None:
        costs = (passwords.argon2_memory_kib, passwords.argon2_passes, passwords.argon2_lanes)
        self._command = [
            *("taskset", "--cpu-list", str(SERVER_CORE), sys.executable, "-m", __name__),
            *map(str, costs),
        ]
        self._found: dict[str, list[Bare]] = {"sign": [], "hash": []}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=Path(__file__).resolve().parents[1],
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def signature(self) -> Bare:
        """Sign for a moment."""
        return self._ask("sign", _SIGNATURE_SECONDS)

    def hash(self) -> Bare:
        """Hash for half a second."""
        return self._ask("hash", _HASH_SECONDS)

    def limits(self) -> Limits:
        """The medians of all that was measured, and of one probe of each kind now."""
        self.signature()
        self.hash()
        return Limits(signature=_median(self._found["sign"]), hash=_median(self._found["hash"]))

    def _ask(self, work: str, seconds: float) -> Bare:
        asked, answers = self._process.stdin, self._process.stdout
        if asked is None or answers is None:
            raise RuntimeError("the probe has no pipes")
        asked.write(f"{work} {seconds}\n")
        asked.flush()
        found = Bare(**json.loads(answers.readline()))
        self._found[work].append(found)
        return found


def of_measurements(found: Sequence[Limits]) -> Limits:
    """The medians of runs; ValueError without any."""
    return Limits(
        signature=_median([one.signature for one in found]), hash=_median([one.hash for one in found])
    )


def between(before: Bare, after: Bare) -> Bare:
    """What the core could do between two moments: the mean of both."""
    return Bare(cpu_us=(before.cpu_us + after.cpu_us) / 2, rate=(before.rate + after.rate) / 2)


def _median(found: Sequence[Bare]) -> Bare:
    return Bare(cpu_us=median(one.cpu_us for one in found), rate=median(one.rate for one in found))


def _main(memory_kib: int, passes: int, lanes: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    algorithm, message, salt = ec.ECDSA(SHA256()), os.urandom(_CLAIMS), os.urandom(16)
    works: dict[str, Callable[[], object]] = {
        "sign": lambda: key.sign(message, algorithm),
        "hash": lambda: hash_secret_raw(
            b"correct horse battery staple",
            salt,
            time_cost=passes,
            memory_cost=memory_kib,
            parallelism=lanes,
            hash_len=32,
            type=Type.ID,
        ),
    }
    for line in sys.stdin:
        work, seconds = line.split()
        cpu_us, rate = _cost(works[work], float(seconds))
        print(json.dumps({"cpu_us": cpu_us, "rate": rate}), flush=True)


def _cost(work: Callable[[], object], seconds: float) -> tuple[float, float]:
    """CPU microseconds of one piece of work, and pieces per second."""
    for _ in range(2):
        work()
    count, began, cpu = 0, time.monotonic(), time.process_time()
    while time.monotonic() - began < seconds:
        work()
        count += 1
    return (time.process_time() - cpu) / count * 1e6, count / (time.monotonic() - began)


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:4]))
