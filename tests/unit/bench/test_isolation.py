"""The token endpoint beside a flood: what is compared with what."""

from collections.abc import Mapping

import pytest

from bench.isolation import Flooded, of_rounds, of_runs
from bench.load import Loaded


def loaded(*, rate: int, failed: int = 0, answers: Mapping[str, int] | None = None) -> Loaded:
    return Loaded(
        requests=rate, seconds=1.0, failed=failed, broken=0, p50_ms=1.0, p99_ms=5.0, answers=answers or {}
    )


def flooded(*, rate: int, answers: Mapping[str, int] | None = None) -> Flooded:
    return Flooded(tokens=loaded(rate=rate), logins=loaded(rate=10, answers=answers or {"303": 10}))


def test_each_flood_is_compared_with_the_mean_of_before_and_after():
    """A machine that becomes slower all the time makes the flood look neither cheap nor dear."""
    found = of_rounds(
        [loaded(rate=1000), loaded(rate=600), loaded(rate=200)], [flooded(rate=400), flooded(rate=200)]
    )

    assert found.share == 0.5
    assert (found.undisturbed_rate, found.flooded_rate) == (600, 300)


def test_a_flood_without_the_undisturbed_rate_after_it_is_no_round():
    with pytest.raises(ValueError, match="zip"):
        of_rounds([loaded(rate=1000)], [flooded(rate=500)])


def test_a_refused_sign_in_is_right_and_anything_else_is_not():
    answers = {"303": 8, "503": 4, "500": 1}
    found = of_rounds([loaded(rate=1000, failed=2), loaded(rate=1000)], [flooded(rate=500, answers=answers)])

    assert (found.logins, found.refused, found.wrong) == (8, 4, 3)


def test_runs_are_put_together_by_their_medians_and_wrong_answers_are_added():
    runs = [
        of_rounds([loaded(rate=1000, failed=1), loaded(rate=1000)], [flooded(rate=rate)])
        for rate in (100, 500, 600)
    ]

    assert (of_runs(runs).share, of_runs(runs).wrong) == (0.5, 3)
