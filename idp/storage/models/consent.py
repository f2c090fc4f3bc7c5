"""What a person allowed a client to do."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.base import Base


class ConsentRow(Base, kw_only=True):
    """One person's standing answer to one client, per resource server."""

    __tablename__ = "consent"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    resource: Mapped[str] = mapped_column(primary_key=True, default="")
    """The resource server's identifier, or empty for scopes that belong to none."""
    scopes: Mapped[list[str]]
    claims: Mapped[list[str]] = mapped_column(default_factory=list)
    """Names of claims allowed one by one through the ``claims`` parameter."""
    granted_at: Mapped[datetime]
    updated_at: Mapped[datetime]
