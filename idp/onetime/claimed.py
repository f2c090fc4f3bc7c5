"""What was kept with a code or a link."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from idp.storage import OneTimeRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What whoever issued it wrote down; it came to nobody's browser."""

    account_id: str | None
    target: str | None
    """The address it was sent to, if that was written down."""
    payload: Mapping[str, Any]

    @classmethod
    def of(cls, row: OneTimeRow) -> Self:
        """The value of a row."""
        return cls(account_id=row.account_id, target=row.target, payload=dict(row.payload))
