"""The arithmetic of the benchmark: medians, ratios, verdicts and the table."""

import pytest

from bench.figures import of_runs, of_slices, table, verdict
from bench.limits import Bare, between
from bench.slices import Slice


def slice_of(
    *, cpu_us: float = 100.0, rate: float = 1000.0, wrong: int = 0, bare: Bare | None = None
) -> Slice:
    return Slice(
        requests=500,
        rate=rate,
        cpu_us=cpu_us,
        database_cpu_us=cpu_us / 2,
        p50_ms=1.0,
        p99_ms=5.0,
        wrong=wrong,
        bare=bare,
    )


def test_a_cell_holds_the_medians_of_its_slices():
    cell = of_slices([slice_of(cpu_us=90), slice_of(cpu_us=500), slice_of(cpu_us=100)], statements=1)

    assert (cell.cpu_us, cell.database_cpu_us, cell.statements) == (100, 50, 1)


def test_one_wrong_answer_in_any_slice_is_kept():
    """A median would hide it, and a refused request is a cheap one."""
    cell = of_slices([slice_of(), slice_of(wrong=3), slice_of()])

    assert cell.wrong == 3
    assert of_runs([cell, of_slices([slice_of()]), cell]).wrong == 6


def test_runs_are_put_together_by_their_medians():
    runs = [of_slices([slice_of(rate=rate)]) for rate in (900, 1000, 4000)]

    assert of_runs(runs).rate == 1000


def test_the_ratio_is_the_median_of_rounds_each_compared_with_its_neighbour():
    """A round in which the machine was busy makes both sides dear, and leaves the ratio alone."""
    ours = [slice_of(cpu_us=100), slice_of(cpu_us=300), slice_of(cpu_us=100)]
    theirs = [slice_of(cpu_us=400), slice_of(cpu_us=1200), slice_of(cpu_us=390)]

    assert of_slices(ours, peer=theirs).ratio == 4.0
    assert of_slices(ours).ratio is None


def test_the_ratio_of_runs_is_the_median_of_their_ratios():
    cells = [of_slices([slice_of()], peer=[slice_of(cpu_us=cpu_us)]) for cpu_us in (200, 300, 900)]

    assert of_runs(cells).ratio == 3.0


def test_the_share_of_the_limit_is_the_median_of_rounds_each_with_the_core_beside_it():
    """A core at half its speed makes the hash as dear as the sign-in, and leaves the share alone."""
    slices = [
        slice_of(cpu_us=100, rate=9, bare=Bare(cpu_us=90, rate=10)),
        slice_of(cpu_us=200, rate=4, bare=Bare(cpu_us=180, rate=5)),
        slice_of(cpu_us=100, rate=9, bare=Bare(cpu_us=50, rate=20)),
    ]

    cell = of_slices(slices, pieces=1)

    assert (cell.limit, cell.rate_limit) == (0.9, 0.8)
    assert of_runs([cell, cell]).limit == 0.9


def test_answers_with_two_signatures_have_twice_the_limit():
    assert of_slices([slice_of(bare=Bare(cpu_us=10, rate=20_000))], pieces=2).limit == 0.2


def test_there_is_no_limit_without_signatures_or_without_a_look_at_the_core():
    assert of_slices([slice_of(bare=Bare(cpu_us=10, rate=20_000))]).limit is None
    assert of_slices([slice_of()], pieces=1).limit is None


def test_the_core_during_a_slice_is_the_mean_of_before_and_after():
    assert between(Bare(cpu_us=20, rate=50), Bare(cpu_us=40, rate=30)) == Bare(cpu_us=30, rate=40)


@pytest.mark.parametrize(
    ("value", "at_least", "expected"),
    [
        (3.5, 3.5, "met"),
        (3.49, 3.5, "NOT MET"),
        (None, 3.5, "not measured"),
        (9.0, None, ""),
        (-70.0, -75.0, "met"),
    ],
)
def test_the_verdict_is_plain(value, at_least, expected):
    assert verdict(value, at_least) == expected


def test_the_table_is_markdown_with_aligned_columns():
    assert table(("operation", "n"), [("jwks", "1 000"), ("discovery", "2")]) == (
        "| operation |     n |\n|-----------|------:|\n| jwks      | 1 000 |\n| discovery |     2 |"
    )
