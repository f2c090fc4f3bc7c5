"""Errors at application level: JSON under protocol addresses, a page everywhere else.

404 and 405 come before a blueprint is known, so the address decides (decision in
docs/architecture.md, section 6).
"""

from flask import Response, request

from idp.web.application import HEALTH_PATHS, Application
from idp.web.context import local_path
from idp.web.pages import problem_page
from idp.web.problems import noted_problem
from idp.web.protocol import PATHS, cors_headers, is_upstream_logout, problem_answer
from idp.web.responses import flask_response

_JSON_PATHS = PATHS | frozenset(HEALTH_PATHS)


def register_error_handlers(app: Application) -> None:
    """One handler for everything a view, a hook or the router can raise."""
    app.register_error_handler(Exception, _answer)


def _answer(error: Exception) -> Response:
    problem = noted_problem(error, request.path)
    path = local_path(request.path)
    if path in _JSON_PATHS or path.startswith("/.well-known/") or is_upstream_logout(path):
        return flask_response(problem_answer(problem, cors_headers(path)))
    return problem_page(problem)
