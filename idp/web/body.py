"""Strict reading of ``application/x-www-form-urlencoded`` text.

One parser for form bodies and query strings. It keeps the pairs as they came: whether a name
may repeat is the business of the endpoint (row R9).
"""

import re
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.exceptions import BadRequest, LengthRequired, RequestEntityTooLarge, UnsupportedMediaType

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 100
"""More name-value pairs than this in one request are refused (row X3)."""

Pairs = tuple[tuple[str, str], ...]

_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTENT_TYPE = re.compile(
    r'application/x-www-form-urlencoded\s*(?:;\s*charset="?utf-8"?\s*)?;?\s*', re.IGNORECASE
)


def parse_pairs(text: bytes) -> Pairs:
    """The name-value pairs of a form body or query string, in order, repetitions kept.

    Raises:
        BadRequest: not UTF-8, a percent sign without two hexadecimal digits, a NUL, or more
            than ``MAX_FIELDS`` pairs (rows X3, X5).
    """
    if not text:
        return ()
    if _BROKEN_PERCENT.search(text):
        raise BadRequest("The parameters hold a percent sign that is not followed by two hexadecimal digits.")
    try:
        decoded = text.decode("utf-8")
        if decoded.count("&") >= MAX_FIELDS:
            raise BadRequest(f"The request has more than {MAX_FIELDS} parameters.")
        pairs = parse_qsl(decoded, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("The parameters are not valid UTF-8.") from error
    if any("\x00" in name or "\x00" in value for name, value in pairs):
        raise BadRequest("The parameters hold a NUL character.")
    return tuple(pairs)


def read_form(request: Request) -> Pairs:
    """The pairs of the request's form body; empty without a body.

    Raises:
        UnsupportedMediaType: any other content type (row X4).
        RequestEntityTooLarge: longer than the application's ``MAX_CONTENT_LENGTH`` (row X3).
        LengthRequired: a body in chunks (row X6).
        BadRequest: a body that broke off (row X6); see also :func:`parse_pairs`.
    """
    if "HTTP_TRANSFER_ENCODING" in request.environ:
        # Security: WSGI servers hand on a chunked body that broke off, or is in a coding they do
        # not know, as if it were whole; half a request must not be carried out.
        raise LengthRequired("The request needs a Content-Length.")
    limit = request.max_content_length
    if limit is not None and (request.content_length or 0) > limit:
        raise RequestEntityTooLarge("The request body is too large.")
    content_type = request.environ.get("CONTENT_TYPE", "")
    if content_type and not _CONTENT_TYPE.fullmatch(content_type):
        raise UnsupportedMediaType(f"The request body must be {FORM_TYPE}.")
    body = request.get_data(cache=False)
    if len(body) != (request.content_length or 0):
        raise BadRequest("The request body is not complete.")
    if body and not content_type:
        raise UnsupportedMediaType(f"The request body must be {FORM_TYPE}.")
    return parse_pairs(body)


def first(pairs: Pairs, name: str) -> str:
    """The value of ``name``, or an empty text.

    Raises:
        BadRequest: the name is there more than once.
    """
    values = [value for key, value in pairs if key == name]
    if len(values) > 1:
        raise BadRequest(f"The field {name} is there more than once.")
    return values[0] if values else ""
