"""Answers: JSON for clients, 303 redirects for browsers."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from flask import Response
from werkzeug.datastructures import Headers

NO_STORE = ("Cache-Control", "no-store")
JSON_TYPE = "application/json"


def json_response(status: int, body: Mapping[str, Any], headers: Iterable[tuple[str, str]] = ()) -> Response:
    """A JSON answer that nobody may store (row T12).

    A header given in ``headers`` replaces the default of the same name.
    """
    response = Response(
        orjson.dumps(body),
        status=status,
        content_type=JSON_TYPE,
        headers=[NO_STORE, ("Pragma", "no-cache"), ("X-Content-Type-Options", "nosniff")],
    )
    for name, value in headers:
        response.headers[name] = value
    return response


class _Redirect(Response):
    """Sends ``Location`` as it was given.

    Werkzeug writes the host in lower case, and an app finds its private-scheme address by exact
    comparison (row R1).
    """

    def get_wsgi_headers(self, environ: dict[str, Any]) -> Headers:
        headers = super().get_wsgi_headers(environ)
        headers["Location"] = self.headers["Location"]
        return headers


def see_other(location: str) -> Response:
    """A redirect that turns every method into GET, so a form is never sent on (row R7).

    Args:
        location: ASCII, as every registered address and every path of ours is.
    """
    return _Redirect(b"", status=303, headers=[("Location", location), NO_STORE], content_type="text/plain")
