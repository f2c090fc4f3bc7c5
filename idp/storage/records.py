"""Values that the repositories and the hot store share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class AuditEntry(NamedTuple):
    """One line of the audit record, as it is stored. The vocabulary of ``event`` lives in ``audit/``."""

    id: str
    """``evt_…``; sorts by time."""
    occurred_at: datetime
    event: str
    actor: str
    """Who did it: ``<kind>:<id>``, or the kind alone."""
    account_id: str | None
    client_id: str | None
    session_id: str | None
    address: str | None
    user_agent: str | None
    request_id: str | None
    detail: Mapping[str, Any]
    """What else is worth keeping; never a secret, a token or a code."""


class ClearedRows(NamedTuple):
    """How many rows of a client were removed."""

    families: int
    consents: int
