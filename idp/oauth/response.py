"""What a protocol endpoint answers; ``web/`` turns it into an HTTP response."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
"""On every answer of the token, introspection, revocation and userinfo endpoints (row T12, RFC 6749 §5.1)."""


@dataclass(frozen=True, slots=True)
class ProtocolResponse:
    """Status, JSON body and headers.

    ``headers`` holds no ``Content-Type``: the entrance sets ``application/json``.
    """

    status: int
    body: Mapping[str, Any]
    headers: tuple[tuple[str, str], ...] = NO_STORE
