"""The audit record, and the counters of what is too frequent to be recorded one by one."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.base import Base, table_args


class AuditEventRow(Base, kw_only=True):
    """One event. No foreign keys: the record outlives what it speaks of."""

    __tablename__ = "audit_event"
    __table_args__ = table_args(Index(None, "account_id", "id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    """``evt_…``; sorts by time, so the primary key is also the order of the record."""
    occurred_at: Mapped[datetime]
    event: Mapped[str]
    actor: Mapped[str]
    account_id: Mapped[str | None] = mapped_column(default=None)
    client_id: Mapped[str | None] = mapped_column(default=None)
    session_id: Mapped[str | None] = mapped_column(default=None)
    address: Mapped[str | None] = mapped_column(default=None)
    user_agent: Mapped[str | None] = mapped_column(default=None)
    request_id: Mapped[str | None] = mapped_column(default=None)
    detail: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)


class IssueCountRow(Base, kw_only=True):
    """How many client_credentials tokens a client got in one minute."""

    __tablename__ = "issue_count"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]
