"""Codes and refresh tokens under fifty hands at once, on four workers and both databases.

A code works once (RFC 6749 §4.1.2); so does a refresh token that rotates (RFC 9700 §4.14.2). The losers of a
race are replays with the right proof, so the winner's tokens may be dead before anybody used them: that is
what the specifications ask for, because from outside a client that sent twice and a thief look alike.
Nor does a code or link of a person work twice: a generator's, a recovery code, one from a mail.
`make torture` runs a hundred rounds of each.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.databases import BOTH_DATABASES
from tests.served.contest import RACES, WORKERS, Contest, Race, contest
from tests.served.person_races import PERSON_RACES, PersonRace
from tests.served.races import HANDS
from tests.served.rig import Pinned

ROUNDS = 3


@pytest.fixture(scope="module", params=BOTH_DATABASES)
def arena(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contest]:
    with contest(request.param, tmp_path_factory.mktemp("arena")) as ready:
        yield ready


def test_the_hands_reach_several_workers(arena: Contest):
    """Else the races would prove little: one process could keep order by itself."""
    hands = [Pinned(arena.served.issuer) for _ in range(HANDS)]
    reached = Counter(hand.worker(arena.served.worker_pids()) for hand in hands)
    for hand in hands:
        hand.close()

    print(f"hands for each worker: {sorted(reached.values())}")
    assert len(reached) == WORKERS


@pytest.mark.parametrize(("client", "race"), RACES)
def test_one_winner(arena: Contest, client: str, race: Race):
    """Rows C1, C2, T7: exactly one winner, or the identical child inside the grace window."""
    arena.run(client, race, ROUNDS)


@pytest.mark.parametrize("race", PERSON_RACES)
def test_one_person_is_in(arena: Contest, race: PersonRace):
    """Rows M1, M2, M3, V1, X12: of twenty browsers at the same moment exactly one."""
    for _ in range(ROUNDS):
        race(arena.served)
