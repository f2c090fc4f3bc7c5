"""Which request a log line belongs to."""

from contextvars import ContextVar

from idp.ids import fresh_bytes

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request being answered; empty outside of requests. Set by the entrances."""

_BYTES = 12


def new_request_id() -> str:
    """A fresh id of 24 hexadecimal characters; shown to people so that they can quote it."""
    return fresh_bytes()[:_BYTES].hex()
