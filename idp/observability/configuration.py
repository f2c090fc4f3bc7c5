"""Setting up the standard library's logging once per process."""

import logging
import sys
from typing import TextIO

from idp.observability.formatting import MINIMUM_LEVELS, JsonFormatter, RedactingFilter, TextFormatter

_FORMATTERS = {"json": JsonFormatter, "text": TextFormatter}


class _Handler(logging.StreamHandler[TextIO]):
    """Our handler; a class of its own so that a second configuration finds and replaces it."""


def configure_logging(level: str, fmt: str, stream: TextIO | None = None) -> None:
    """Write records of ``level`` and above to ``stream``; calling it again replaces the first call.

    Args:
        level: a level's name, as in ``settings.log.level``.
        fmt: ``json`` or ``text``.
        stream: where to; standard error by default.
    """
    handler = _Handler(stream if stream is not None else sys.stderr)
    handler.setFormatter(_FORMATTERS[fmt]())
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name, minimum in MINIMUM_LEVELS.items():
        logging.getLogger(name).setLevel(max(minimum, root.level))
    for existing in _all_handlers():
        if not any(isinstance(rule, RedactingFilter) for rule in existing.filters):
            existing.addFilter(RedactingFilter())


def get_logger(name: str) -> logging.Logger:
    """The logger of a module; ``name`` is its ``__name__``."""
    return logging.getLogger(name)


def _all_handlers() -> list[logging.Handler]:
    """Every handler there is: the server that runs us may have installed its own."""
    root = logging.getLogger()
    loggers = [root, *(item for item in root.manager.loggerDict.values() if isinstance(item, logging.Logger))]
    return [handler for logger in loggers for handler in logger.handlers]
