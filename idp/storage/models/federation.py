"""Other providers, the identities there that are linked to accounts here, and what came with them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.base import Base, table_args


class IdentityProviderRow(Base, kw_only=True):
    """Somebody else who says who a person is. The configuration is one validated document."""

    __tablename__ = "identity_provider"

    id: Mapped[str] = mapped_column(primary_key=True)
    """Part of the redirect address."""
    config: Mapped[dict[str, Any]]
    sealed_secret: Mapped[bytes | None] = mapped_column(default=None)
    """Client secret or private key, sealed with the provider's id as context."""
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ExternalIdentityRow(Base, kw_only=True):
    """That somebody there is an account here. One identity belongs to one account (row V9)."""

    __tablename__ = "external_identity"
    __table_args__ = table_args(UniqueConstraint("provider_id", "issuer", "subject"))

    id: Mapped[str] = mapped_column(primary_key=True)
    """``xid_…``"""
    provider_id: Mapped[str] = mapped_column(ForeignKey("identity_provider.id", ondelete="CASCADE"))
    issuer: Mapped[str]
    subject: Mapped[str]
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    label: Mapped[str]
    """E-mail address or name there, shown to the person."""
    profile: Mapped[dict[str, Any]]
    """The claims of the last sign-in, by our names."""
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)


class FederatedSessionRow(Base, kw_only=True):
    """Where a browser session came from, so that the end of either can be the end of both."""

    __tablename__ = "federated_session"
    __table_args__ = table_args(
        Index(None, "provider_id", "issuer", "subject"), Index(None, "provider_id", "upstream_sid")
    )

    session_id: Mapped[str] = mapped_column(
        ForeignKey("browser_session.id", ondelete="CASCADE"), primary_key=True
    )
    provider_id: Mapped[str] = mapped_column(ForeignKey("identity_provider.id", ondelete="CASCADE"))
    issuer: Mapped[str]
    subject: Mapped[str]
    upstream_sid: Mapped[str | None] = mapped_column(default=None)
    sealed_id_token: Mapped[bytes | None] = mapped_column(default=None)
    """Sealed with the session's id as context; the hint for its logout."""
    created_at: Mapped[datetime]


class UpstreamTokenRow(Base, kw_only=True):
    """Tokens that a provider gave us for a person; only where the operator asked for it."""

    __tablename__ = "upstream_token"

    identity_id: Mapped[str] = mapped_column(
        ForeignKey("external_identity.id", ondelete="CASCADE"), primary_key=True
    )
    sealed_tokens: Mapped[bytes]
    """Sealed with the identity's id as context."""
    expires_at: Mapped[datetime | None] = mapped_column(default=None)
    """End of the access token; a refresh token may live on."""
    scope: Mapped[str]
    updated_at: Mapped[datetime]
