"""``idp tune-hash``: find Argon2 parameters that suit this machine."""

import click

from idp.cli.documents import print_json
from idp.clock import Clock, SystemClock
from idp.crypto import Argon2Parameters, PasswordHasher

_MEMORY_STEPS_KIB = (19456, 32768, 47104, 65536, 98304, 131072, 262144)
_MOST_PASSES = 12
_ROUNDS = 3


@click.command("tune-hash")
@click.option(
    "--budget", "budget_ms", default=100, show_default=True, help="Milliseconds one password may cost."
)
def tune_hash(budget_ms: int) -> None:
    """Measure this machine and recommend Argon2id parameters for a time budget.

    Never recommends less than OWASP's minimum of 19 MiB and two passes; more memory is
    preferred to more passes, because memory is what an attacker's hardware lacks.
    """
    clock = SystemClock()
    measured: list[dict[str, float]] = []
    best = Argon2Parameters()
    for memory in _MEMORY_STEPS_KIB:
        parameters = Argon2Parameters(memory_kib=memory, passes=2)
        cost = _milliseconds(parameters, clock)
        measured.append({"memory_kib": memory, "passes": 2, "milliseconds": round(cost, 1)})
        if cost > budget_ms:
            break
        best = parameters
    cost = _milliseconds(best, clock)
    passes = max(2, min(_MOST_PASSES, int(2 * budget_ms / cost)))
    best = Argon2Parameters(memory_kib=best.memory_kib, passes=passes)
    print_json(
        {
            "budget_ms": budget_ms,
            "measured": measured,
            "recommended": {
                "IDP_PASSWORDS_ARGON2_MEMORY_KIB": best.memory_kib,
                "IDP_PASSWORDS_ARGON2_PASSES": best.passes,
                "IDP_PASSWORDS_ARGON2_LANES": best.lanes,
            },
            "milliseconds": round(_milliseconds(best, clock), 1),
        }
    )


def _milliseconds(parameters: Argon2Parameters, clock: Clock) -> float:
    """The fastest of a few hashes: noise only ever adds time."""
    hasher = PasswordHasher(parameters, b"measuring only, never stored")
    costs = []
    for _ in range(_ROUNDS):
        start = clock.monotonic()
        hasher.hash("a password of usual length")
        costs.append((clock.monotonic() - start) * 1000)
    return min(costs)
