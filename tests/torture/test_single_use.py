"""The races of `tests/served/test_single_use.py` in full counts; minutes long, run by `make torture`."""

import time
from collections.abc import Iterator

import pytest

from tests.databases import BOTH_DATABASES
from tests.served.contest import RACES, Contest, Race, contest
from tests.served.person_races import HANDS as BROWSERS
from tests.served.person_races import PERSON_RACES, PersonRace
from tests.served.races import HANDS

ROUNDS = 100

pytestmark = pytest.mark.torture


@pytest.fixture(scope="module", params=BOTH_DATABASES)
def arena(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contest]:
    with contest(request.param, tmp_path_factory.mktemp("arena")) as ready:
        yield ready


@pytest.mark.parametrize(("client", "race"), RACES)
def test_one_winner_a_hundred_times(arena: Contest, client: str, race: Race):
    """Rows C1, C2, T7: exactly one winner, or the identical child inside the grace window."""
    started = time.monotonic()

    arena.run(client, race, ROUNDS)

    print(f"{ROUNDS} rounds of {HANDS}, {client} client: {time.monotonic() - started:.1f} s")


@pytest.mark.parametrize("race", PERSON_RACES)
def test_one_person_is_in_a_hundred_times(arena: Contest, race: PersonRace):
    """Rows M1, M2, M3, V1, X12: of twenty browsers at the same moment exactly one."""
    started = time.monotonic()

    for _ in range(ROUNDS):
        race(arena.served)

    print(f"{ROUNDS} rounds of {BROWSERS}: {time.monotonic() - started:.1f} s")
