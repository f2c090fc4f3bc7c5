"""What a protocol endpoint answers; ``web/`` turns it into an HTTP response."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class ProtocolResponse(NamedTuple):
    """Status, JSON body and headers.

    ``headers`` holds neither ``Content-Type`` nor what forbids storing (row T12, RFC 6749 §5.1):
    the entrance adds both to every answer.
    """

    status: int
    body: Mapping[str, Any]
    headers: tuple[tuple[str, str], ...] = ()
