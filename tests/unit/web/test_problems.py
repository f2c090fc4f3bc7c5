"""The one table from error families to answers."""

from datetime import timedelta

import pytest
from werkzeug.exceptions import BadRequest, MethodNotAllowed, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.exceptions import NotFound as NoPage

from idp.errors import Conflict, Invalid, NotFound, Refused, Unavailable
from idp.web.problems import problem_of


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [
        (Invalid("Too short.", field="name"), 400, []),
        (Refused("No."), 403, []),
        (Refused("Later.", retry_after=timedelta(seconds=1.2)), 429, [("Retry-After", "2")]),
        (NotFound("Nothing."), 404, []),
        (Conflict("Taken."), 409, []),
        (Unavailable(), 503, [("Retry-After", "2")]),
        (BadRequest("Junk."), 400, []),
        (NoPage(), 404, []),
        (MethodNotAllowed(["POST", "GET"]), 405, [("Allow", "GET, POST")]),
        (RequestEntityTooLarge(), 413, []),
        (UnsupportedMediaType(), 415, []),
    ],
)
def test_families_have_one_status_each(error, status, headers):
    problem = problem_of(error)

    assert problem is not None
    assert (problem.status, problem.headers()) == (status, headers)


@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyError("x")])
def test_unforeseen_errors_have_no_public_text(error):
    """X7: only an id is shown."""
    assert problem_of(error) is None


def test_private_details_stay_private():
    """X7: the description is public, the detail is for the log."""
    problem = problem_of(Refused("No.", detail="account disabled by admin"))

    assert "admin" not in repr(problem)
