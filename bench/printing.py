"""The tables, for the terminal and for docs/performance.md."""

from collections.abc import Iterator, Sequence

from bench.figures import Cell, number, table, verdict
from bench.operations import Operation
from bench.runs import Run

_HEAD = (
    "operation",
    "server",
    "requests/s",
    "CPU µs",
    "database CPU µs",
    "statements",
    "p50 ms",
    "p99 ms",
    "ratio by CPU",
    "by rate",
    "of the limit",
    "",
)
_LOGIN_AT_LEAST, _LOGIN_AIM = 0.90, 0.97
_FLOOD_AT_LEAST, _FLOOD_AIM = 0.45, 0.70
_MEMORY_AT_MOST, _MEMORY_AIM = 75.0, 55.0

Row = tuple[str, ...]


def targets(operations: Sequence[Operation], run: Run, stores: Sequence[str]) -> str:
    """What was to be reached, and what was. PostgreSQL is judged, or what there is instead of it."""
    rows = [
        *_ratios(operations, run, stores),
        *_login(run, stores),
        *_flood(run, stores),
        *_memory(run, stores),
    ]
    return table(("target", *stores, "at least", "aim", ""), rows)


def _ratios(operations: Sequence[Operation], run: Run, stores: Sequence[str]) -> Iterator[Row]:
    for operation in operations:
        theirs = run.cells.get((operation.against, "peer"))
        if theirs is None:
            continue
        ours = [run.cells.get((operation.name, store)) for store in stores]
        found = [None if cell is None else cell.ratio for cell in ours]
        judged = verdict(found[0], operation.at_least)
        if any(cell is None or cell.wrong for cell in (*ours, theirs)):
            judged = "FAILED"
        yield (
            f"{operation.title}: CPU ratio to the peer",
            *(number(value, 2) for value in found),
            number(operation.at_least, 1) if operation.at_least else "",
            number(operation.aim, 1) if operation.aim else "",
            judged,
        )


def _login(run: Run, stores: Sequence[str]) -> Iterator[Row]:
    cells = [run.cells.get(("login", store)) for store in stores]
    if cells[0] is None:
        return
    by_cpu = [None if cell is None else cell.limit for cell in cells]
    by_rate = [None if cell is None else cell.rate_limit for cell in cells]
    yield (
        "password login: share of the raw Argon2id rate, by CPU",
        *map(_percent, by_cpu),
        _percent(_LOGIN_AT_LEAST),
        _percent(_LOGIN_AIM),
        verdict(by_cpu[0], _LOGIN_AT_LEAST),
    )
    yield ("the same by wall time", *map(_percent, by_rate), "", "", "")


def _flood(run: Run, stores: Sequence[str]) -> Iterator[Row]:
    found = [run.isolations.get(store) for store in stores]
    if found[0] is None:
        return
    shares = [None if one is None else one.share for one in found]
    yield (
        "client_credentials beside 16 connections that sign in: share of its undisturbed rate",
        *map(_percent, shares),
        _percent(_FLOOD_AT_LEAST),
        _percent(_FLOOD_AIM),
        "FAILED" if any(one and one.wrong for one in found) else verdict(shares[0], _FLOOD_AT_LEAST),
    )


def _memory(run: Run, stores: Sequence[str]) -> Iterator[Row]:
    found = [run.processes.get(store) for store in stores]
    if found[0] is None or not run.isolations:
        return
    yield (
        "memory per worker, loaded: PSS in MiB, at most",
        *(number(None if one is None else one.loaded_mib) for one in found),
        number(_MEMORY_AT_MOST),
        number(_MEMORY_AIM),
        # Less is better, so the signs are turned.
        verdict(-found[0].loaded_mib, -_MEMORY_AT_MOST),
    )


def details(operations: Sequence[Operation], run: Run, subjects: Sequence[str]) -> str:
    """One line for each operation and server."""
    rows = [
        _line(operation, subject, run.cells[operation.name, subject])
        for operation in operations
        for subject in subjects
        if (operation.name, subject) in run.cells
    ]
    return table(_HEAD, rows)


def _line(operation: Operation, server: str, cell: Cell) -> Row:
    return (
        operation.title,
        server,
        number(cell.rate),
        number(cell.cpu_us),
        number(cell.database_cpu_us) if server == "postgresql" else "",
        "" if cell.statements is None else str(cell.statements),
        number(cell.p50_ms, 2),
        number(cell.p99_ms, 2),
        number(cell.ratio, 2) if cell.ratio else "",
        number(cell.rate_ratio, 2) if cell.rate_ratio else "",
        "" if cell.limit is None else _percent(cell.limit),
        f"FAILED: {cell.wrong} wrong answers" if cell.wrong else "",
    )


def processes(run: Run) -> str:
    """Start and memory."""
    head = ("server", "cold start s", "worker idle, PSS MiB", "worker loaded, PSS MiB", "RSS MiB")
    return table(
        head,
        (
            (
                name,
                number(one.cold_start, 2),
                number(one.idle_mib),
                number(one.loaded_mib),
                number(one.loaded_rss_mib),
            )
            for name, one in run.processes.items()
        ),
    )


def isolations(run: Run) -> str:
    """The token path beside a flood of sign-ins."""
    head = (
        "server",
        "tokens/s alone",
        "tokens/s beside",
        "share",
        "p99 ms alone",
        "p50 ms beside",
        "p99 ms beside",
        "sign-ins/s",
        "503s/s",
        "",
    )
    return table(
        head,
        (
            (
                name,
                number(one.undisturbed_rate),
                number(one.flooded_rate),
                _percent(one.share),
                number(one.undisturbed_p99_ms, 2),
                number(one.flooded_p50_ms, 2),
                number(one.flooded_p99_ms, 2),
                number(one.logins, 1),
                number(one.refused, 1),
                f"FAILED: {one.wrong} wrong answers" if one.wrong else "",
            )
            for name, one in run.isolations.items()
        ),
    )


def bare(run: Run) -> str:
    """What the core can do at most."""
    if run.limits is None:
        return ""
    rows = (
        ("ES256 signature", number(run.limits.signature.rate), number(run.limits.signature.cpu_us, 1)),
        ("Argon2id hash", number(run.limits.hash.rate, 1), number(run.limits.hash.cpu_us)),
    )
    return table(("bare", "per second", "CPU µs"), rows)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
