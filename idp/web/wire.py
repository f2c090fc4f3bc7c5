"""A request and an answer as the WSGI server knows them.

The protocol endpoints speak this and not Flask's request and response: building those costs
several times what the endpoint itself does (docs/performance.md).
"""

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

Environ = dict[str, Any]
"""The environment of one request. Source: PEP 3333."""
Headers = tuple[tuple[str, str], ...]

JSON_TYPE = "application/json"
NO_STORE = ("Cache-Control", "no-store")
JSON_HEADERS: Headers = (
    ("Content-Type", JSON_TYPE),
    NO_STORE,
    ("Pragma", "no-cache"),
    ("X-Content-Type-Options", "nosniff"),
)
"""Of every JSON answer that nobody may store (row T12)."""

STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Answer(NamedTuple):
    """What goes back; the server adds ``Content-Length`` and the request id."""

    status: int
    headers: Headers
    body: bytes


Endpoint = Callable[[Environ], Answer]
"""Answers a request at one address. Never raises what a client could have caused."""


def json_answer(status: int, body: Mapping[str, Any], headers: Headers = JSON_HEADERS) -> Answer:
    """A JSON answer; ``headers`` are all it has."""
    return Answer(status, headers, orjson.dumps(body))


def json_headers(extra: Iterable[tuple[str, str]]) -> Headers:
    """``JSON_HEADERS`` with more; one of the same name takes the place of the default."""
    added = dict(extra)
    replaced = {name.lower() for name in added}
    return (
        *((name, value) for name, value in JSON_HEADERS if name.lower() not in replaced),
        *added.items(),
    )
