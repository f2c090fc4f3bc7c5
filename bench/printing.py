"""The table of operations, for the terminal and for docs/performance.md."""

from collections.abc import Mapping, Sequence

from bench.figures import Cell, number, ratio, table, verdict
from bench.operations import Operation

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
    "ratio by rate",
    "at least",
    "aim",
    "",
)


def operations_table(
    operations: Sequence[Operation], cells: Mapping[tuple[str, str], Cell], stores: Sequence[str]
) -> str:
    """One line for each operation and server."""
    rows: list[tuple[str, ...]] = []
    for operation in operations:
        theirs = cells.get((operation.against, "peer"))
        rows += [
            _ours(operation, store, cells[operation.name, store], theirs)
            for store in stores
            if (operation.name, store) in cells
        ]
        if (operation.name, "peer") in cells:
            rows.append(_line(operation, "peer", cells[operation.name, "peer"]))
    return table(_HEAD, rows)


def _ours(operation: Operation, store: str, cell: Cell, theirs: Cell | None) -> tuple[str, ...]:
    by_cpu = None if theirs is None else ratio(theirs.cpu_us, cell.cpu_us)
    by_rate = None if theirs is None else ratio(cell.rate, theirs.rate)
    judged = cell.wrong == 0 and store == "postgresql"
    line = _line(operation, store, cell)
    return (
        *line[:8],
        number(by_cpu, 2),
        number(by_rate, 2),
        number(operation.at_least, 1) if judged and operation.at_least else "",
        number(operation.aim, 1) if judged and operation.aim else "",
        verdict(by_cpu, operation.at_least) if judged else line[-1],
    )


def _line(operation: Operation, server: str, cell: Cell) -> tuple[str, ...]:
    return (
        operation.title,
        server,
        number(cell.rate),
        number(cell.cpu_us),
        number(cell.database_cpu_us) if cell.database_cpu_us else "",
        "" if cell.statements is None else str(cell.statements),
        number(cell.p50_ms, 2),
        number(cell.p99_ms, 2),
        *("", "", "", ""),
        f"FAILED: {cell.wrong} wrong answers" if cell.wrong else "",
    )
