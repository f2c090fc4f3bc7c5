"""Known and unknown accounts cannot be told apart by time (row L6); 200 samples of each, by `make torture`.

The two are asked for in turn, so that whatever else the machine does concerns both. What may differ is what
chance makes of medians: a few standard errors, or a fiftieth where those are tiny.
"""

import statistics
import time
from collections.abc import Callable

import pytest

from tests.bench import NewProvider
from tests.browser import Page
from tests.provider import Provider

pytestmark = pytest.mark.torture

SAMPLES = 200
KNOWN, UNKNOWN = "ada@example.org", "eda@example.org"
DISABLED = "off@example.org"
STANDARD_ERRORS = 4
SHARE = 0.02

Ask = Callable[[Provider, str], Callable[[], Page]]


def sign_in(provider: Provider, name: str) -> Callable[[], Page]:
    page = provider.browser().get("/login")
    return lambda: page.submit("login-submit", username=name, password="wrong wrong wrong wrong")


def registration(provider: Provider, name: str) -> Callable[[], Page]:
    page = provider.browser().get("/signup")
    return lambda: page.submit("signup-submit", username=name)


def reset(provider: Provider, name: str) -> Callable[[], Page]:
    page = provider.browser().get("/recover")
    return lambda: page.submit("recover-submit", username=name)


@pytest.mark.parametrize("ask", [sign_in, registration, reset])
@pytest.mark.parametrize("other", [UNKNOWN, DISABLED])
def test_medians_lie_within_noise(new_provider: NewProvider, ask: Ask, other: str):
    """L6, L7: sign-in, registration and reset take as long for somebody as for nobody."""
    provider = new_provider(registration={"enabled": True})
    provider.account("ada", email=KNOWN)
    provider.account("former", email=DISABLED)
    provider.container.admin.accounts.disable("former")
    times: dict[str, list[float]] = {KNOWN: [], other: []}

    for number in range(-5, SAMPLES):  # the first few only warm up
        for name in sorted(times, reverse=number % 2 == 0):
            once = ask(provider, name)
            started = time.perf_counter()
            once()
            if number >= 0:
                times[name].append(time.perf_counter() - started)
        provider.advance(hours=1)  # no pause and no limit plays a part

    medians = {name: statistics.median(took) for name, took in times.items()}
    difference = abs(medians[KNOWN] - medians[other])
    noise = sum(_standard_error(took) ** 2 for took in times.values()) ** 0.5
    print(
        f"{ask.__name__}: {medians[KNOWN] * 1e3:.2f} and {medians[other] * 1e3:.2f} ms, ± {noise * 1e3:.2f}"
    )
    assert difference <= max(STANDARD_ERRORS * noise, SHARE * medians[KNOWN])


def _standard_error(took: list[float]) -> float:
    """Of the median, from the deviations' median, which single long waits do not move."""
    middle = statistics.median(took)
    spread = 1.4826 * statistics.median(abs(one - middle) for one in took)
    return 1.2533 * spread / len(took) ** 0.5
