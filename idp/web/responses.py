"""Answers made with Flask: JSON for probes and errors, 303 redirects for browsers."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response
from werkzeug.datastructures import Headers

from idp.web.wire import NO_STORE, Answer, json_answer, json_headers


def flask_response(answer: Answer) -> Response:
    """An answer of the wire as Flask sends it."""
    response = Response(answer.body, status=answer.status, headers=list(answer.headers))
    if not any(name == "Content-Type" for name, _ in answer.headers):
        response.headers.pop("Content-Type", None)
    return response


def json_response(status: int, body: Mapping[str, Any], headers: Iterable[tuple[str, str]] = ()) -> Response:
    """A JSON answer that nobody may store (row T12).

    A header given in ``headers`` replaces the default of the same name.
    """
    return flask_response(json_answer(status, body, json_headers(headers)))


class _Redirect(Response):
    """Sends ``Location`` as it was given, and no body.

    Werkzeug takes the address apart, twice, and writes the host in lower case; an app finds its
    private-scheme address by exact comparison (row R1).
    """

    def get_wsgi_headers(self, environ: dict[str, Any]) -> Headers:
        del environ
        return self.headers  # with the length of the empty body, which it was given when it was made


def see_other(location: str) -> Response:
    """A redirect that turns every method into GET, so a form is never sent on (row R7).

    Args:
        location: ASCII, as every registered address and every path of ours is.
    """
    return _Redirect(b"", status=303, headers=[("Location", location), NO_STORE], content_type="text/plain")
