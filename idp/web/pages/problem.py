"""Error pages: what happened, what to do now, and an id to quote."""

from flask import Response, request

from idp.web.context import current_request_id
from idp.web.pages.csrf import StaleForm
from idp.web.pages.render import page
from idp.web.problems import Problem


def problem_page(problem: Problem) -> Response:
    """A problem for a person. Needs no session and no database."""
    return page(
        "errors/problem.html",
        status=problem.status,
        headers=problem.headers(),
        problem=problem,
        request_id=current_request_id(),
        retry_path=request.path if problem.retry_after is not None and request.method == "GET" else None,
    )


def expired_page(description: str) -> Response:
    """The page for an interaction that is gone: used, expired, or another browser's."""
    return page("errors/expired.html", status=400, description=description, request_id=current_request_id())


def stale_form_page(error: StaleForm) -> Response:
    """The page for a form that did not pass the check; its own address is a safe way on."""
    return page(
        "errors/stale_form.html",
        status=403,
        description=error.description,
        request_id=current_request_id(),
        again=request.path,
    )
