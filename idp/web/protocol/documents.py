"""Prepared bytes that anybody may keep for a while: the metadata and the key set."""

from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from werkzeug.http import is_resource_modified

from idp.web.protocol.cors import ANY_ORIGIN
from idp.web.wire import JSON_TYPE, Answer, Environ, Headers


class Document(NamedTuple):
    """A document with all its headers, ready to be sent."""

    answer: Answer
    unchanged: Answer
    """For a caller that has it already. Source: RFC 9110 §15.4.5."""
    etag: str
    """Without quotes."""


def prepared(body: bytes, *, etag: str, max_age: int) -> Document:
    """The document of these bytes.

    Args:
        body: JSON.
        etag: changes with the body; without quotes.
        max_age: seconds that relying parties and proxies may keep it.
    """
    headers: Headers = (
        *ANY_ORIGIN,
        ("Cache-Control", f"public, max-age={max_age}"),
        ("X-Content-Type-Options", "nosniff"),
        ("ETag", f'"{etag}"'),
    )
    return Document(
        answer=Answer(HTTPStatus.OK, (("Content-Type", JSON_TYPE), *headers), body),
        unchanged=Answer(HTTPStatus.NOT_MODIFIED, headers, b""),
        etag=etag,
    )


class DocumentEndpoint:
    """Serves the newest document; to those who have it, that they have it (RFC 9110 §13).

    Args:
        current: gives the document from memory, so it goes on while the database is away.
    """

    def __init__(self, current: Callable[[], Document]) -> None:
        self._current = current

    def __call__(self, environ: Environ) -> Answer:
        """The document; 304 or 412 if the caller's conditions say so."""
        document = self._current()
        if "HTTP_IF_NONE_MATCH" not in environ and "HTTP_IF_MATCH" not in environ:
            return document.answer
        if is_resource_modified(environ, etag=document.etag):
            return document.answer
        if "HTTP_IF_MATCH" in environ:
            return document.unchanged._replace(status=HTTPStatus.PRECONDITION_FAILED)
        return document.unchanged
