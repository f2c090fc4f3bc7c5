"""Errors at application level: JSON under protocol addresses, a page everywhere else.

404 and 405 come before a blueprint is known, so the address decides (decision in
docs/architecture.md, section 6).
"""

from flask import Response, request
from werkzeug.exceptions import HTTPException

from idp.observability import get_logger
from idp.web.application import HEALTH_PATHS, Application
from idp.web.context import current_request_id, local_path
from idp.web.pages import problem_page
from idp.web.problems import UNEXPECTED, Problem, problem_of
from idp.web.protocol import PATHS, cors_headers
from idp.web.responses import json_response

_log = get_logger(__name__)

_JSON_PATHS = PATHS | frozenset(HEALTH_PATHS)


def register_error_handlers(app: Application) -> None:
    """One handler for everything a view, a hook or the router can raise."""
    app.register_error_handler(Exception, _answer)


def _answer(error: Exception) -> Response:
    problem = problem_of(error)
    if problem is None:
        # Security: the outside learns an id, the log learns the rest (row X7).
        _log.error("request.failed", exc_info=error, extra={"fields": {"path": request.path}})
        problem = UNEXPECTED
    else:
        _note(error, problem)
    return problem_json(problem) if _is_protocol(local_path(request.path)) else problem_page(problem)


def _note(error: Exception, problem: Problem) -> None:
    """Log the private part of an error that was raised on purpose."""
    detail = getattr(error, "detail", "") or ("" if isinstance(error, HTTPException) else str(error))
    fields = {"status": problem.status, "code": problem.code, "path": request.path, "detail": detail}
    _log.info("request.refused", extra={"fields": fields})


def problem_json(problem: Problem) -> Response:
    """A problem for a client: the form of RFC 6749 §5.2 and the request id."""
    body = {
        "error": problem.code,
        "error_description": problem.description,
        "request_id": current_request_id(),
    }
    return json_response(problem.status, body, [*problem.headers(), *cors_headers(local_path(request.path))])


def _is_protocol(path: str) -> bool:
    return path in _JSON_PATHS or path.startswith("/.well-known/")
