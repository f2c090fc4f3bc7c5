"""Deleting what has expired, a little at a time."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import or_, select

from idp.storage.models import (
    BrowserSessionRow,
    EphemeralRow,
    InteractionRow,
    KnownDeviceRow,
    LoginAttemptRow,
    OneTimeRow,
    OutboxRow,
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
    LoginAttemptRow,
    OutboxRow,
    EphemeralRow,
)

_LATEST_TOKEN: Final = timedelta(days=1)
"""The longest life of an access token: it may outlive the idle end of its family, and then needs its row."""


class PurgeRepository(Repository):
    """Removes expired rows and dead token families; nothing that still decides anything."""

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

    def purge_dead_families(self, now: datetime, start: str, limit: int) -> int:
        """Of the ``limit`` token families whose ids follow ``start``, delete those dead before their time.

        Those are families that lay idle for too long, and revoked ones. No index finds them, because it
        would make every refresh dearer; the caller looks at a piece of the table now and then.
        """
        family = TokenFamilyRow
        piece = select(family.id).where(family.id > start).order_by(family.id).limit(limit)
        past = now - _LATEST_TOKEN
        is_dead = or_(family.idle_expires_at <= past, family.revoked_at <= past)
        return self._delete_some(family, family.id.in_(piece), is_dead, limit=limit, skip_locked=True)
