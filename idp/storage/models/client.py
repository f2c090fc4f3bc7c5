"""Applications, their secrets and logos, and the resource servers they call."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp.storage.base import Base


class ClientRow(Base, kw_only=True):
    """A registered client. Its metadata is one validated document under RFC 7591's names and ours."""

    __tablename__ = "client"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)
    not_before: Mapped[datetime | None] = mapped_column(default=None)
    """Revocation epoch: nothing issued to this client earlier counts."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ClientSecretRow(Base, kw_only=True):
    """One of a client's live secrets; two live side by side during rotation."""

    __tablename__ = "client_secret"

    id: Mapped[str] = mapped_column(primary_key=True)
    """``sec_…``"""
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id", ondelete="CASCADE"), index=True)
    digest: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None] = mapped_column(default=None)


class ClientLogoRow(Base, kw_only=True):
    """Our copy of a client's logo, so that pages load nothing from third parties."""

    __tablename__ = "client_logo"

    client_id: Mapped[str] = mapped_column(
        ForeignKey("client.client_id", ondelete="CASCADE"), primary_key=True
    )
    uri: Mapped[str]
    """Where it was fetched; a changed ``logo_uri`` makes the copy stale."""
    content_type: Mapped[str]
    body: Mapped[bytes]
    fetched_at: Mapped[datetime]


class ResourceServerRow(Base, kw_only=True):
    """An API that access tokens are for (RFC 8707)."""

    __tablename__ = "resource_server"

    identifier: Mapped[str] = mapped_column(primary_key=True)
    """The absolute URI in ``resource`` and ``aud``."""
    name: Mapped[str]
    scopes: Mapped[list[list[str]]]
    """Pairs ``[name, description]`` in the order to show them."""
    access_token_format: Mapped[str | None] = mapped_column(default=None)
    """``jwt`` or ``opaque``; None leaves it to the client or the settings."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
