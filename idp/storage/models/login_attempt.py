"""Sign-ins that are not finished yet."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.base import Base, table_args


class LoginAttemptRow(Base, kw_only=True):
    """Who a browser claims to be, and what has been proved of it. Only the server writes it (row M5)."""

    __tablename__ = "login_attempt"
    __table_args__ = table_args(fillfactor=80)

    token_digest: Mapped[bytes] = mapped_column(primary_key=True)
    """Of the value in the browser's attempt cookie."""
    id: Mapped[str] = mapped_column(unique=True)
    """``lat_…``; what one-time codes and challenges are bound to, and no secret."""
    account_id: Mapped[str | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), default=None, index=True
    )
    achieved: Mapped[list[Any]]
    """Proofs given so far: ``{"factor", "at", "detail"}``."""
    detail: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    """What the steps remember, for example whether the device is known."""
    version: Mapped[int] = mapped_column(default=0)
    """Counts changes: of two parallel steps one is told to look again."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
