"""Strict reading of ``application/x-www-form-urlencoded`` text.

One parser for form bodies and query strings. It keeps the pairs as they came: whether a name
may repeat is the business of the endpoint (row R9).
"""

import re
import string

from werkzeug.exceptions import BadRequest, LengthRequired, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.sansio.utils import get_content_length

from idp.web.wire import Environ

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 100
"""More name-value pairs than this in one request are refused (row X3)."""

_LONGEST_LENGTH = 16  # digits; what is longer or no number is Werkzeug's to judge

Pairs = tuple[tuple[str, str], ...]

_HEXADECIMAL = string.hexdigits
_OCTETS = {(a + b).encode(): bytes([int(a + b, 16)]) for a in _HEXADECIMAL for b in _HEXADECIMAL}
_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTENT_TYPE = re.compile(
    r'application/x-www-form-urlencoded\s*(?:;\s*charset="?utf-8"?\s*)?;?\s*', re.IGNORECASE
)


def parse_pairs(text: bytes) -> Pairs:
    """The name-value pairs of a form body or query string, in order, repetitions kept.

    Reads what ``urllib.parse.parse_qsl`` reads. That one decodes every name and value, which is
    most of its time; hardly any of them needs it.

    Raises:
        BadRequest: not UTF-8, a percent sign without two hexadecimal digits, a NUL, or more
            than ``MAX_FIELDS`` pairs (rows X3, X5).

    Source: URL standard, application/x-www-form-urlencoded parsing.
    """
    if not text:
        return ()
    if b"%" in text and _BROKEN_PERCENT.search(text):
        raise BadRequest("The parameters hold a percent sign that is not followed by two hexadecimal digits.")
    try:
        fields = text.decode("utf-8").split("&")
        if len(fields) > MAX_FIELDS:
            raise BadRequest(f"The request has more than {MAX_FIELDS} parameters.")
        pairs = []
        for field in fields:
            name, equals, value = field.partition("=")
            if "%" in field or "+" in field:
                name, value = _decoded(name), _decoded(value)
            if name or equals:
                pairs.append((name, value))
    except UnicodeDecodeError as error:
        raise BadRequest("The parameters are not valid UTF-8.") from error
    if (b"\x00" in text or b"%00" in text) and any(
        "\x00" in name or "\x00" in value for name, value in pairs
    ):
        raise BadRequest("The parameters hold a NUL character.")
    return tuple(pairs)


def _decoded(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    # All percent signs have their two digits by now; ``unquote_to_bytes`` has to look, at twice the cost.
    start, *escaped = text.encode().split(b"%")
    return b"".join([start, *[_OCTETS[part[:2]] + part[2:] for part in escaped]]).decode()


def read_form(environ: Environ, *, limit: int) -> Pairs:
    """The pairs of the request's form body; empty without a body.

    Arguments and errors are those of :func:`read_body` and :func:`parse_pairs`.
    """
    return parse_pairs(read_body(environ, limit=limit))


def read_body(environ: Environ, *, limit: int) -> bytes:
    """The request's form body as it was sent; empty without a body.

    Args:
        environ: of the request; its body is used up.
        limit: ``settings.server.max_body_bytes``.

    Raises:
        UnsupportedMediaType: any other content type (row X4).
        RequestEntityTooLarge: longer than ``limit`` (row X3).
        LengthRequired: a body in chunks (row X6).
        BadRequest: a body that broke off (row X6).
    """
    if "HTTP_TRANSFER_ENCODING" in environ:
        # Security: WSGI servers hand on a chunked body that broke off, or is in a coding they do
        # not know, as if it were whole; half a request must not be carried out.
        raise LengthRequired("The request needs a Content-Length.")
    announced = environ.get("CONTENT_LENGTH") or "0"
    is_plain = len(announced) < _LONGEST_LENGTH and announced.isascii() and announced.isdigit()
    length = int(announced) if is_plain else get_content_length(announced) or 0
    if length > limit:
        raise RequestEntityTooLarge("The request body is too large.")
    content_type = environ.get("CONTENT_TYPE", "")
    if content_type and content_type != FORM_TYPE and not _CONTENT_TYPE.fullmatch(content_type):
        raise UnsupportedMediaType(f"The request body must be {FORM_TYPE}.")
    body = environ["wsgi.input"].read(length) if length else b""
    if len(body) != length:
        raise BadRequest("The request body is not complete.")
    if body and not content_type:
        raise UnsupportedMediaType(f"The request body must be {FORM_TYPE}.")
    return body


def first(pairs: Pairs, name: str) -> str:
    """The value of ``name``, or an empty text.

    Raises:
        BadRequest: the name is there more than once.
    """
    values = [value for key, value in pairs if key == name]
    if len(values) > 1:
        raise BadRequest(f"The field {name} is there more than once.")
    return values[0] if values else ""
