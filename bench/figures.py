"""Medians and ratios. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

from bench.slices import Slice

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One operation at one server: medians over the slices of a run, or over runs."""

    rate: float
    cpu_us: float
    database_cpu_us: float
    p50_ms: float
    p99_ms: float
    wrong: int
    """Of all slices together: one wrong answer makes the figures worthless."""
    statements: int | None = None
    ratio: float | None = None
    """The peer's CPU per request divided by this one's: median of the rounds, each by itself."""
    rate_ratio: float | None = None
    """This rate divided by the peer's, likewise."""
    limit: float | None = None
    """The bare work in an answer, by CPU, divided by this one's CPU per request: median of the rounds, each
    with what the core could do right before and after."""
    rate_limit: float | None = None
    """This rate divided by that of the bare work, likewise."""


def of_slices(
    slices: Sequence[Slice],
    *,
    peer: Sequence[Slice] = (),
    pieces: int = 0,
    statements: int | None = None,
) -> Cell:
    """The medians of one run; ValueError without slices.

    Args:
        slices: of all rounds.
        peer: the peer's of the same rounds. Neighbours are compared with each other, because what
            disturbs the machine for a while disturbs both.
        pieces: signatures, or hashes, in one answer.
        statements: of one request.
    """
    pairs = list(zip(slices, peer, strict=False))
    looked_at = [(one, one.bare) for one in slices if pieces and one.bare is not None]
    return Cell(
        rate=_median(slices, lambda one: one.rate),
        cpu_us=_median(slices, lambda one: one.cpu_us),
        database_cpu_us=_median(slices, lambda one: one.database_cpu_us),
        p50_ms=_median(slices, lambda one: one.p50_ms),
        p99_ms=_median(slices, lambda one: one.p99_ms),
        wrong=sum(one.wrong for one in slices),
        statements=statements,
        ratio=median_of(theirs.cpu_us / ours.cpu_us for ours, theirs in pairs if ours.cpu_us),
        rate_ratio=median_of(ours.rate / theirs.rate for ours, theirs in pairs if theirs.rate),
        limit=median_of(pieces * bare.cpu_us / one.cpu_us for one, bare in looked_at if one.cpu_us),
        rate_limit=median_of(pieces * one.rate / bare.rate for one, bare in looked_at),
    )


def of_runs(cells: Sequence[Cell]) -> Cell:
    """The medians of several runs; ValueError without runs."""
    return Cell(
        rate=_median(cells, lambda one: one.rate),
        cpu_us=_median(cells, lambda one: one.cpu_us),
        database_cpu_us=_median(cells, lambda one: one.database_cpu_us),
        p50_ms=_median(cells, lambda one: one.p50_ms),
        p99_ms=_median(cells, lambda one: one.p99_ms),
        wrong=sum(one.wrong for one in cells),
        statements=cells[0].statements,
        ratio=median_of(one.ratio for one in cells if one.ratio is not None),
        rate_ratio=median_of(one.rate_ratio for one in cells if one.rate_ratio is not None),
        limit=median_of(one.limit for one in cells if one.limit is not None),
        rate_limit=median_of(one.rate_limit for one in cells if one.rate_limit is not None),
    )


def median_of(values: Iterable[float]) -> float | None:
    """The median; ``None`` where there is nothing to compare with."""
    found = list(values)
    return median(found) if found else None


def verdict(value: float | None, at_least: float | None) -> str:
    """In plain words; empty without a target."""
    if at_least is None:
        return ""
    if value is None:
        return "not measured"
    return "met" if value >= at_least else "NOT MET"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose columns line up, so that it reads well at a terminal too."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]

    def show(line: Sequence[str]) -> str:
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        return "| " + " | ".join([first, *others]) + " |"

    rule = "|" + "|".join(
        "-" * (width + 2) if column == 0 else "-" * (width + 1) + ":" for column, width in enumerate(widths)
    )
    return "\n".join([show(lines[0]), rule + "|", *(show(line) for line in lines[1:])])


def number(value: float | None, digits: int = 0) -> str:
    """With a thin space between thousands; a dash for nothing."""
    return "-" if value is None else f"{value:,.{digits}f}".replace(",", "\u202f")


def _median(items: Sequence[Item], of: Callable[[Item], float]) -> float:
    return median(of(item) for item in items)
