"""The one table that turns errors into answers: family to status, public text, retry time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from werkzeug.exceptions import HTTPException, MethodNotAllowed

from idp.errors import Conflict, IdpError, Invalid, NotFound, Refused, Unavailable
from idp.languages import marked
from idp.oauth import ShownError
from idp.observability import get_logger

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error as it may be shown to anyone."""

    status: int
    code: str
    """OAuth error code, or a word of the same kind."""
    title: str
    description: str
    parameter: str | None = None
    """The request parameter or form field that has to change."""
    retry_after: timedelta | None = None
    allow: tuple[str, ...] = ()
    """Methods for the ``Allow`` header of a 405."""
    is_protocol_error: bool = False
    """The client's authorization request is wrong; the page then names the OAuth code."""

    def headers(self) -> list[tuple[str, str]]:
        """``Retry-After`` in whole seconds, and ``Allow``."""
        headers = []
        if self.retry_after is not None:
            headers.append(("Retry-After", str(max(1, ceil(self.retry_after.total_seconds())))))
        if self.allow:
            headers.append(("Allow", ", ".join(self.allow)))
        return headers


UNEXPECTED = Problem(
    status=500,
    code="server_error",
    title=marked("Something went wrong"),
    description=marked(
        "The server could not answer this request. Nothing you did caused it; please try again."
    ),
)


def _shown(error: ShownError) -> Problem:
    return Problem(
        status=400,
        code=error.error,
        title=marked("The application's request cannot be answered"),
        description=error.description,
        parameter=error.parameter,
        is_protocol_error=True,
    )


def _invalid(error: Invalid) -> Problem:
    return Problem(
        status=400,
        code="invalid_request",
        title=marked("Something in the request is not right"),
        description=error.description,
        parameter=error.field,
    )


def _refused(error: Refused) -> Problem:
    if error.retry_after is not None:
        title = marked("Please wait a moment")
        return Problem(
            status=429,
            code="slow_down",
            title=title,
            description=error.description,
            retry_after=error.retry_after,
        )
    return Problem(
        status=403, code="access_denied", title=marked("This was refused"), description=error.description
    )


def _not_found(error: NotFound) -> Problem:
    return Problem(status=404, code="not_found", title=marked("Not found"), description=error.description)


def _conflict(error: Conflict) -> Problem:
    title = marked("This contradicts something that is already there")
    return Problem(status=409, code="conflict", title=title, description=error.description)


def _unavailable(error: Unavailable) -> Problem:
    return Problem(
        status=503,
        code="temporarily_unavailable",
        title=marked("Please try again in a moment"),
        description=error.description,
        retry_after=error.retry_after,
    )


FAMILIES: tuple[tuple[type[IdpError], Callable[..., Problem]], ...] = (  # the first that fits
    (ShownError, _shown),  # 400, a page that names the OAuth error code
    (Invalid, _invalid),  # 400
    (Refused, _refused),  # 403, or 429 when time helps
    (NotFound, _not_found),  # 404
    (Conflict, _conflict),  # 409
    (Unavailable, _unavailable),  # 503
)

HTTP_TITLES = {
    400: marked("The request could not be understood"),
    404: marked("There is no page at this address"),
    405: marked("This address does not work that way"),
    411: marked("The request has the wrong format"),
    413: marked("The request is too large"),
    414: marked("The address is too long"),
    415: marked("The request has the wrong format"),
    431: marked("The request is too large"),
}

HTTP_DESCRIPTIONS = {
    404: marked("Check the address, or go back to the application you came from."),
    405: marked("The request used a method that this address does not answer."),
}


def noted_problem(error: Exception, path: str) -> Problem:
    """What the outside hears of an error, after its private part went to the log.

    Args:
        error: whatever an endpoint, a hook or the router raised.
        path: of the request.
    """
    problem = problem_of(error)
    if problem is None:
        # Security: the outside learns an id, the log learns the rest (row X7).
        _log.error("request.failed", exc_info=error, extra={"fields": {"path": path}})
        return UNEXPECTED
    detail = getattr(error, "detail", "") or ("" if isinstance(error, HTTPException) else str(error))
    fields = {"status": problem.status, "code": problem.code, "path": path, "detail": detail}
    _log.info("request.refused", extra={"fields": fields})
    return problem


def problem_of(error: Exception) -> Problem | None:
    """What the outside hears of an error; ``None`` for one nobody foresaw, which is a 500."""
    for family, build in FAMILIES:
        if isinstance(error, family):
            return build(error)
    if isinstance(error, HTTPException) and error.code in HTTP_TITLES:
        return _http(error, error.code)
    return None


def _http(error: HTTPException, status: int) -> Problem:
    allow = tuple(sorted(error.valid_methods or ())) if isinstance(error, MethodNotAllowed) else ()
    return Problem(
        status=status,
        code="not_found" if status == 404 else "invalid_request",  # noqa: PLR2004 - the status itself
        title=HTTP_TITLES[status],
        description=HTTP_DESCRIPTIONS.get(status) or error.description or HTTP_TITLES[status],
        allow=allow,
    )
