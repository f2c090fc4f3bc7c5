"""Error pages: what happened, what to do now, and an id to quote."""

from flask import Response, request, url_for

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
        may_retry=problem.retry_after is not None and request.method == "GET",
    )


def expired_page(description: str) -> Response:
    """The page for an interaction that is gone: used, expired, or another browser's."""
    return page("errors/expired.html", status=400, description=description, request_id=current_request_id())


def stale_form_page(error: StaleForm) -> Response:
    """The page for a form that did not pass the check, with a way on.

    Inside an interaction the flow decides what is next: the person may have signed in in
    another tab meanwhile. Elsewhere everything starts at the home page.
    """
    uid = (request.view_args or {}).get("uid")
    again = url_for("pages.home") if uid is None else url_for("pages.interaction.resume", uid=uid)
    return page(
        "errors/stale_form.html",
        status=403,
        description=error.description,
        request_id=current_request_id(),
        again=again,
    )
