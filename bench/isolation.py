"""Whether a flood of sign-ins takes the processor from the token endpoint."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import load, operations
from bench.load import Load
from bench.ours import Ours

TOKEN_CONNECTIONS = 4
LOGIN_CONNECTIONS = 16
_SIGNED_IN, _REFUSED = "303", "503"


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """client_credentials by itself and beside the flood; medians of the rounds."""

    undisturbed_rate: float
    flooded_rate: float
    share: float
    """The second of the first, of the same round."""
    undisturbed_p99_ms: float
    flooded_p50_ms: float
    flooded_p99_ms: float
    logins: float
    """Sign-ins per second during the flood."""
    refused: float
    """Sign-ins per second that were told to come again."""
    wrong: int
    """Token requests that failed, and sign-ins answered with anything else."""


def measure(subject: Ours, *, rounds: int, seconds: int) -> Isolation:
    """Measure both, one after the other, round by round."""
    found = [_round(subject, seconds) for _ in range(rounds)]
    return of_rounds(found)


def of_rounds(found: Sequence[Isolation]) -> Isolation:
    """The medians of rounds, or of runs; ValueError without any."""
    return Isolation(
        undisturbed_rate=median(one.undisturbed_rate for one in found),
        flooded_rate=median(one.flooded_rate for one in found),
        share=median(one.share for one in found),
        undisturbed_p99_ms=median(one.undisturbed_p99_ms for one in found),
        flooded_p50_ms=median(one.flooded_p50_ms for one in found),
        flooded_p99_ms=median(one.flooded_p99_ms for one in found),
        logins=median(one.logins for one in found),
        refused=median(one.refused for one in found),
        wrong=sum(one.wrong for one in found),
    )


def _round(subject: Ours, seconds: int) -> Isolation:
    (operation,) = operations.named(["client_credentials"])
    tokens = Load(requests=operation.requests(subject, 0), seconds=seconds, connections=TOKEN_CONNECTIONS)
    # The flood begins before the tokens and ends after them.
    logins = Load(
        requests=operations.login(subject),
        seconds=seconds + 2,
        connections=LOGIN_CONNECTIONS,
        count_answers=True,
    )
    alone = load.drive(subject.port, tokens)
    with tempfile.TemporaryDirectory(prefix="idp-bench-") as folder:
        flood = load.start(subject.port, logins, Path(folder) / "logins")
        load.drive(subject.port, Load(requests=tokens.requests, connections=TOKEN_CONNECTIONS))
        beside = load.drive(subject.port, tokens)
        flooded = load.result(flood, logins)
    others = sum(count for status, count in flooded.answers.items() if status not in {_SIGNED_IN, _REFUSED})
    return Isolation(
        undisturbed_rate=alone.rate,
        flooded_rate=beside.rate,
        share=beside.rate / alone.rate if alone.rate else 0.0,
        undisturbed_p99_ms=alone.p99_ms,
        flooded_p50_ms=beside.p50_ms,
        flooded_p99_ms=beside.p99_ms,
        logins=flooded.answers.get(_SIGNED_IN, 0) / flooded.seconds,
        refused=flooded.answers.get(_REFUSED, 0) / flooded.seconds,
        wrong=alone.failed + alone.broken + beside.failed + beside.broken + others,
    )
