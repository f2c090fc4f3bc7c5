"""Speed never buys laxity: one corpus of hostile requests, the production server and the application alone.

The recorded answers were those of the plain Flask application, before any endpoint was made fast; whatever
answers now is held to them (rows X2 to X6, R9). See hostile_requests.py for how to change one on purpose.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.databases import BOTH_DATABASES, new_postgresql_database
from tests.served.hostile_requests import (
    Case,
    Hostility,
    essence,
    hostility,
    read_answers,
    read_cases,
    recorded_names,
    whole,
)

CASES = read_cases()
ANSWERS = read_answers()


@pytest.fixture(scope="module", params=BOTH_DATABASES)
def held(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostility]:
    """On PostgreSQL, requests that wait run in fibers; on SQLite all run in threads."""
    with ExitStack() as stack:
        url = stack.enter_context(new_postgresql_database()) if request.param == "postgresql" else None
        yield stack.enter_context(hostility(tmp_path_factory.mktemp("hostile"), url))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_answer_as_recorded(held: Hostility, case: Case):
    """Status, headers and error of every address are those of the record, and both ways give one body."""
    for request in held.requests(case):
        direct_name, served_name = recorded_names(case, request)
        served = held.ask_served(request)
        assert essence(served) == ANSWERS[served_name], f"served: {request.name}"
        if direct_name is None:
            continue
        direct = held.ask_directly(request)
        assert essence(direct) == ANSWERS[direct_name], f"without a server: {request.name}"
        if case.is_alike:
            assert whole(served) == whole(direct), request.name


def test_the_record_is_complete_and_free_of_faults():
    """Every request of the corpus has its answer, none is a 500, and nothing else is in the file."""
    asked = {
        name
        for case in CASES
        for address in case.addresses
        for name in recorded_names(case, case.at(address, {}))
        if name is not None
    }

    assert asked == ANSWERS.keys()
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)
    assert not [name for name, answer in ANSWERS.items() if answer["status"] >= 500]
