"""Which request a log line belongs to."""

import os
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request being answered; empty outside of requests. Set by the entrances."""


def new_request_id() -> str:
    """A fresh id of 24 hexadecimal characters; shown to people so that they can quote it."""
    return os.urandom(12).hex()
