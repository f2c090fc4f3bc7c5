"""Browser sessions, and authorization requests that wait for the person."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.base import Base, table_args


class BrowserSessionRow(Base, kw_only=True):
    """A person signed in at one browser. ``id`` is the ``sid`` of ID tokens, not the cookie."""

    __tablename__ = "browser_session"
    __table_args__ = table_args(fillfactor=80)

    id: Mapped[str] = mapped_column(primary_key=True)
    """``ses_…``"""
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    logins: Mapped[int] = mapped_column(default=1)
    """How often the person has proved who they are in this session."""
    created_at: Mapped[datetime]
    auth_time: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    idle_expires_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    acr: Mapped[str]
    amr: Mapped[list[str]]
    user_agent: Mapped[str]
    address: Mapped[str]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    end_reason: Mapped[str | None] = mapped_column(default=None)


class InteractionRow(Base, kw_only=True):
    """A half-finished authorization request, one per browser tab, bound to the browser that began it."""

    __tablename__ = "interaction"
    __table_args__ = table_args(fillfactor=80)

    uid: Mapped[str] = mapped_column(primary_key=True)
    browser_digest: Mapped[bytes]
    client_id: Mapped[str]
    request: Mapped[dict[str, Any]]
    progress: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
