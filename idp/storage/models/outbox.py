"""Messages on their way out."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.base import Base, table_args


class OutboxRow(Base, kw_only=True):
    """A message that was committed with the change it speaks of, and is sent afterwards (decision D8)."""

    __tablename__ = "outbox"
    __table_args__ = table_args(Index(None, "channel", "created_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    """``msg_…``"""
    channel: Mapped[str]
    """``mail``, ``sms`` or ``backchannel_logout``."""
    sealed_body: Mapped[bytes]
    """JSON, sealed with the id as context: it may hold a link or a code that works (row V1). Empty once
    it was sent."""
    account_id: Mapped[str | None] = mapped_column(default=None, index=True)
    recipient: Mapped[bytes | None] = mapped_column(default=None, index=True)
    """Keyed digest of the address, for counting what people asked for (row L9); None for what the server
    says by itself."""
    source: Mapped[bytes | None] = mapped_column(default=None, index=True)
    """Keyed digest of the network address that asked for it."""
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None] = mapped_column(default=None, index=True)
    """When to try next; None when it was sent or given up."""
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    failed_at: Mapped[datetime | None] = mapped_column(default=None)
    """When it was given up."""
    error: Mapped[str | None] = mapped_column(default=None)
    """What the last try met, without addresses or content."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
    """When its row may go; not before a day, because rows are counted."""
