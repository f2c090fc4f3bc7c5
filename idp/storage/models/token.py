"""Token families, and the few access tokens that were revoked one by one."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.base import Base, table_args


class TokenFamilyRow(Base, kw_only=True):
    """All tokens that descend from one code exchange: one row, whatever the number of refreshes.

    No index covers a column that a refresh changes, and pages keep some room: PostgreSQL then updates the
    row in its page and leaves the indexes alone.
    """

    __tablename__ = "token_family"
    __table_args__ = table_args(fillfactor=80)

    id: Mapped[str] = mapped_column(primary_key=True)
    """base64url of 16 random bytes."""
    client_id: Mapped[str] = mapped_column(index=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    session_id: Mapped[str | None] = mapped_column(default=None, index=True)
    grant_data: Mapped[dict[str, Any]]
    """The authorized grant as JSON."""
    offline: Mapped[bool] = mapped_column(default=False)
    """Whether the family survives the end of its browser session (``offline_access``)."""
    generation: Mapped[int] = mapped_column(default=0)
    """The only generation of the refresh token that is valid now."""
    rotated_at: Mapped[datetime | None] = mapped_column(default=None)
    last_used_at: Mapped[datetime]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    idle_expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
    revoked_reason: Mapped[str | None] = mapped_column(default=None)


class RevokedAccessTokenRow(Base, kw_only=True):
    """An access token revoked early (RFC 7009); the row may go when the token would have expired."""

    __tablename__ = "revoked_access_token"

    jti: Mapped[str] = mapped_column(primary_key=True)
    revoked_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
