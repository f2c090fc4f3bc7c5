"""Log records as text: one line each, whatever they hold (row X11)."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from idp.observability.context import request_id
from idp.observability.redaction import redact, redact_fields

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN_WORD = re.compile(r"[^\s\"=]+")

# Below these levels libraries print tokens, statements with their parameters, or whole requests.
MINIMUM_LEVELS = {
    "alembic": logging.WARNING,
    "authlib": logging.INFO,
    "urllib3": logging.INFO,
    "httpx": logging.INFO,
    "httpcore": logging.INFO,
    "granian": logging.INFO,
    "_granian": logging.INFO,
    "werkzeug": logging.INFO,
    "redis": logging.INFO,
    "psycopg": logging.INFO,
    "psycopg.pool": logging.WARNING,  # tells of every connection it lends
    "sqlalchemy": logging.WARNING,
}

_TRACEBACKS = logging.Formatter()


class RedactingFilter(logging.Filter):
    """Rewrites every record so that handlers see no secret: message, fields, exception, stack.

    It hangs on handlers, not on loggers, because a logger's filter does not see the records
    of its children. It never raises: the logging module would print the raw record.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact in place; False drops what a chatty library says below its minimum level."""
        if record.levelno < MINIMUM_LEVELS.get(record.name.partition(".")[0], logging.NOTSET):
            return False
        if not hasattr(record, "request_id"):
            record.request_id = request_id.get()
        try:
            record.msg = redact(_message(record))
            record.fields = redact_fields(_fields(record))
            if record.exc_info:
                record.exc_text = record.exc_text or _TRACEBACKS.formatException(record.exc_info)
            record.exc_text = redact(record.exc_text) if record.exc_text else None
            record.stack_info = redact(record.stack_info) if record.stack_info else None
        except Exception as error:  # noqa: BLE001 - an object that cannot be shown must not take the request with it
            record.msg = f"a log record could not be formatted ({type(error).__name__})"
            record.fields = {}
            record.exc_text = record.stack_info = None
        # From here on only the redacted texts exist.
        record.args = None
        record.exc_info = None
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, request_id, fields, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON in ASCII, so that no character can end or forge a line."""
        entry: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        optional = {
            "request_id": getattr(record, "request_id", ""),
            "fields": _fields(record),
            "exception": record.exc_text,
            "stack": record.stack_info,
        }
        entry.update({name: value for name, value in optional.items() if value})
        return json.dumps(entry, default=str)


class TextFormatter(logging.Formatter):
    """For reading at a terminal; tracebacks are indented so that they cannot pass for records."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, plus indented lines of a traceback."""
        request = getattr(record, "request_id", "")
        words = [_time(record), f"{record.levelname:<7}", record.name, _one_line(_message(record))]
        words += [f"{_one_line(str(name))}={_word(value)}" for name, value in _fields(record).items()]
        words += [f"request_id={request}"] if request else []
        lines = [" ".join(words)]
        for block in (record.exc_text, record.stack_info):
            lines += [f"    | {_one_line(line)}" for line in (block or "").split("\n") if line]
        return "\n".join(lines)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} (its arguments do not fit)"


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = getattr(record, "fields", None)
    return dict(fields) if isinstance(fields, dict) else {}


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _one_line(text: str) -> str:
    return _CONTROL.sub(
        lambda match: match[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text
    )


def _word(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = _one_line(text)
    return text if _PLAIN_WORD.fullmatch(text) else json.dumps(text, ensure_ascii=False)
