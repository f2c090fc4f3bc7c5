"""Signing keys, sealed."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.base import Base


class SigningKeyRow(Base, kw_only=True):
    """One signing key on its way next → active → retired, or revoked."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    alg: Mapped[str]
    state: Mapped[str]
    """``next``, ``active``, ``retired`` or ``revoked``."""
    public_jwk: Mapped[dict[str, Any]]
    sealed_private: Mapped[bytes]
    """The private key, sealed under the root key with ``kid`` as associated data."""
    created_at: Mapped[datetime]
    published_at: Mapped[datetime]
    activates_at: Mapped[datetime | None] = mapped_column(default=None)
    activated_at: Mapped[datetime | None] = mapped_column(default=None)
    retired_at: Mapped[datetime | None] = mapped_column(default=None)
    unpublish_at: Mapped[datetime | None] = mapped_column(default=None)
    """When nothing signed by it can be alive any more."""
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
