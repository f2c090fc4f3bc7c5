"""Deleting what has expired, a little at a time."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, inspect, select

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
        return {model.__tablename__: self._purge(model, now, limit) for model in _EXPIRING}

    def _purge(self, model: type[Any], now: datetime, limit: int) -> int:
        (key,) = inspect(model).primary_key
        expired = (
            select(key)
            .where(model.expires_at <= now)
            .order_by(model.expires_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = delete(model).where(key.in_(expired)).returning(key)
        return len(self._session.scalars(statement, execution_options={"synchronize_session": False}).all())
