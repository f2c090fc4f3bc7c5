"""Everything that may be used once: one table, one primitive."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.base import Base, table_args

IS_LINK = text("kind LIKE 'link:%'")
"""The rows that are looked for by their account: few, and none of them a code of the token path.

Said word for word the same by the index and by who uses it, or the planners do not see that it fits.
"""


class OneTimeRow(Base, kw_only=True):
    """Something that may be used once. The consumed row stays until it expires: a replay is recognised.

    For an authorization code: ``kind`` is ``authorization_code``, ``binding`` the client id, ``proof``
    the code challenge, ``target`` the redirect URI, ``payload`` the grant, ``outcome`` the token family
    it opened.
    """

    __tablename__ = "one_time"
    __table_args__ = table_args(
        Index(None, "account_id", postgresql_where=IS_LINK, sqlite_where=IS_LINK), fillfactor=80
    )

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    kind: Mapped[str]
    binding: Mapped[str]
    """Who alone may use it."""
    proof: Mapped[str | None] = mapped_column(default=None)
    """What the user must prove to hold; None if nothing was sent, and then nothing may be shown."""
    target: Mapped[str | None] = mapped_column(default=None)
    account_id: Mapped[str | None] = mapped_column(default=None)
    session_id: Mapped[str | None] = mapped_column(default=None)
    payload: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    attempts: Mapped[int] = mapped_column(default=0)
    """Wrong tries against something short enough to guess."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    consumed_at: Mapped[datetime | None] = mapped_column(default=None)
    outcome: Mapped[str | None] = mapped_column(default=None)
    """What using it led to, so that a replay can undo that."""
