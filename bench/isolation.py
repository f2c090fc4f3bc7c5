"""Whether a flood of sign-ins takes the processor from the token endpoint."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from bench import load, operations
from bench.load import Load, Loaded
from bench.ours import Ours
from bench.servers import LOAD_CORE

TOKEN_CONNECTIONS = 4
LOGIN_CONNECTIONS = 16
_SIGNED_IN, _REFUSED = "303", "503"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooded:
    """The token endpoint during one flood, and the flood."""

    tokens: Loaded
    logins: Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """client_credentials by itself and beside the flood; medians of the rounds."""

    undisturbed_rate: float
    flooded_rate: float
    share: float
    """The second of the first, right before and right after it."""
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
    """Measure both in turn, beginning and ending with the undisturbed one."""
    (operation,) = operations.named(["client_credentials"])
    tokens = Load(requests=operation.requests(subject, 0), seconds=seconds, connections=TOKEN_CONNECTIONS)
    load.drive(subject.port, tokens)
    undisturbed, flooded = [_undisturbed(subject, tokens)], []
    for _ in range(rounds):
        flooded.append(_flooded(subject, tokens))
        undisturbed.append(_undisturbed(subject, tokens))
    return of_rounds(undisturbed, flooded)


def of_rounds(undisturbed: Sequence[Loaded], flooded: Sequence[Flooded]) -> Isolation:
    """The medians of one run; ValueError without rounds.

    Args:
        undisturbed: one more than floods: before the first, after each.
        flooded: each is compared with the mean of both its neighbours, because the machine may become slower
            or faster meanwhile.
    """
    means = [(before.rate + after.rate) / 2 for before, after in pairwise(undisturbed)]
    return Isolation(
        undisturbed_rate=median(one.rate for one in undisturbed),
        flooded_rate=median(one.tokens.rate for one in flooded),
        share=median(
            one.tokens.rate / mean if mean else 0.0 for one, mean in zip(flooded, means, strict=True)
        ),
        undisturbed_p99_ms=median(one.p99_ms for one in undisturbed),
        flooded_p50_ms=median(one.tokens.p50_ms for one in flooded),
        flooded_p99_ms=median(one.tokens.p99_ms for one in flooded),
        logins=median(one.logins.answers.get(_SIGNED_IN, 0) / one.logins.seconds for one in flooded),
        refused=median(one.logins.answers.get(_REFUSED, 0) / one.logins.seconds for one in flooded),
        wrong=sum(one.failed + one.broken for one in undisturbed) + sum(_wrong(one) for one in flooded),
    )


def of_runs(found: Sequence[Isolation]) -> Isolation:
    """The medians of runs; ValueError without any."""
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


def _undisturbed(subject: Ours, tokens: Load) -> Loaded:
    subject.server.rest()
    return load.drive(subject.port, tokens)


def _flooded(subject: Ours, tokens: Load) -> Flooded:
    # The flood begins before the tokens and ends after them.
    logins = Load(
        requests=operations.login(subject),
        seconds=tokens.seconds + 2,
        connections=LOGIN_CONNECTIONS,
        count_answers=True,
    )
    # What the flood before left in the queue would fill the places of this one.
    subject.server.rest()
    subject.store.pin(LOAD_CORE)
    with tempfile.TemporaryDirectory(prefix="idp-bench-") as folder:
        flood = load.start(subject.port, logins, Path(folder) / "logins")
        load.drive(subject.port, Load(requests=tokens.requests, connections=TOKEN_CONNECTIONS))
        beside = load.drive(subject.port, tokens)
        return Flooded(tokens=beside, logins=load.result(flood, logins))


def _wrong(one: Flooded) -> int:
    others = sum(
        count for status, count in one.logins.answers.items() if status not in {_SIGNED_IN, _REFUSED}
    )
    return one.tokens.failed + one.tokens.broken + others
