"""What one core can do at most: bare ES256 signatures and bare Argon2id hashes, by the libraries we use.

`python -m bench.limits MEMORY_KIB PASSES LANES` measures in its own process, so that it can have the server's
core; the rest of the benchmark calls :func:`measure`.
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

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from bench.servers import SERVER_CORE, clean_environment
from idp.settings import PasswordSettings

_SIGNATURE_SECONDS = 0.3
_HASH_SECONDS = 1.0
_CLAIMS = 350
"""Bytes that a signature covers: about the header and claims of an access token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """CPU microseconds and rate of one core."""

    signature_us: float
    hash_us: float
    hash_rate: float
    """Per second of wall time, as the rates of the servers are."""


def measure(passwords: PasswordSettings) -> Limits:
    """Measure now, on the server's core, with the server's Argon2id parameters."""
    costs = (passwords.argon2_memory_kib, passwords.argon2_passes, passwords.argon2_lanes)
    done = subprocess.run(
        ["taskset", "--cpu-list", str(SERVER_CORE), sys.executable, "-m", __name__, *map(str, costs)],
        cwd=Path(__file__).resolve().parents[1],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return Limits(**json.loads(done.stdout))


def of_measurements(found: Sequence[Limits]) -> Limits:
    """The medians; ValueError without any."""
    return Limits(
        signature_us=median(one.signature_us for one in found),
        hash_us=median(one.hash_us for one in found),
        hash_rate=median(one.hash_rate for one in found),
    )


def _main(memory_kib: int, passes: int, lanes: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    algorithm, message, salt = ec.ECDSA(SHA256()), os.urandom(_CLAIMS), os.urandom(16)
    signature_us, _ = _cost(lambda: key.sign(message, algorithm), _SIGNATURE_SECONDS)
    hash_us, hash_rate = _cost(
        lambda: hash_secret_raw(
            b"correct horse battery staple",
            salt,
            time_cost=passes,
            memory_cost=memory_kib,
            parallelism=lanes,
            hash_len=32,
            type=Type.ID,
        ),
        _HASH_SECONDS,
    )
    print(json.dumps({"signature_us": signature_us, "hash_us": hash_us, "hash_rate": hash_rate}))


def _cost(work: Callable[[], object], seconds: float) -> tuple[float, float]:
    """CPU microseconds of one piece of work, and pieces per second."""
    for _ in range(3):
        work()
    count, began, cpu = 0, time.monotonic(), time.process_time()
    while time.monotonic() - began < seconds:
        work()
        count += 1
    return (time.process_time() - cpu) / count * 1e6, count / (time.monotonic() - began)


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:4]))
