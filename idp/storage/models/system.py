"""What the nodes of one deployment tell each other through the database."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.base import Base


class ChangeCounterRow(Base, kw_only=True):
    """Bumped with every change under its topic; workers that see a new version reload what they cached."""

    __tablename__ = "change_counter"

    topic: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    changed_at: Mapped[datetime]


class DeploymentRow(Base, kw_only=True):
    """The one row about the whole deployment."""

    __tablename__ = "deployment"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    not_before: Mapped[datetime | None] = mapped_column(default=None)
    """Revocation epoch of everything, for example after a restored backup."""


class EphemeralRow(Base, kw_only=True):
    """A short-lived record of the ephemeral store."""

    __tablename__ = "ephemeral"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[bytes | None] = mapped_column(default=None)
    counter: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime] = mapped_column(index=True)
