"""Answers: JSON for clients, 303 redirects for browsers."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from flask import Response

NO_STORE = ("Cache-Control", "no-store")
JSON_TYPE = "application/json"


def json_response(
    status: int, body: Mapping[str, Any] | None, headers: Iterable[tuple[str, str]] = ()
) -> Response:
    """A JSON answer that nobody may store (row T12); an empty one when ``body`` is ``None``.

    A header given in ``headers`` replaces the default of the same name.
    """
    response = Response(
        b"" if body is None else orjson.dumps(body),
        status=status,
        content_type=JSON_TYPE,
        headers=[NO_STORE, ("Pragma", "no-cache"), ("X-Content-Type-Options", "nosniff")],
    )
    for name, value in headers:
        response.headers[name] = value
    if body is None:
        response.headers.pop("Content-Type", None)
    return response


def see_other(location: str) -> Response:
    """A redirect that turns every method into GET, so a form is never sent on (row R7)."""
    return Response(b"", status=303, headers=[("Location", location), NO_STORE], content_type="text/plain")
