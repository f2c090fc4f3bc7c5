"""Deleting what has expired, a little at a time."""

from datetime import datetime
from typing import Any

from idp.storage.models import (
    BrowserSessionRow,
    EphemeralRow,
    InteractionRow,
    KnownDeviceRow,
    OneTimeRow,
    RevokedAccessTokenRow,
    ThrottleRow,
    TokenFamilyRow,
)
from idp.storage.repositories.base import Repository

_EXPIRING: tuple[type[Any], ...] = (
    OneTimeRow,
    TokenFamilyRow,
    RevokedAccessTokenRow,
    BrowserSessionRow,
    InteractionRow,
    ThrottleRow,
    KnownDeviceRow,
    EphemeralRow,
)


class PurgeRepository(Repository):
    """Removes rows whose ``expires_at`` has passed; nothing that still decides anything."""

    def purge(self, now: datetime, limit: int) -> dict[str, int]:
        """Delete at most ``limit`` expired rows of each table; how many, by table name.

        Rows that another transaction holds are left for the next time.
        """
        return {
            model.__tablename__: self._delete_some(
                model, model.expires_at <= now, limit=limit, oldest_by=model.expires_at, skip_locked=True
            )
            for model in _EXPIRING
        }
