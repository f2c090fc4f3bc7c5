"""Other providers that people sign in with, and the identities there that are linked to accounts.

What the previous release sees: new tables it does not read. It does not offer the providers, and accounts
with no other way in cannot use it: update every node before a provider is added.
"""

from typing import Any

from alembic import op
from sqlalchemy import Column, ForeignKey, UniqueConstraint

from idp.storage.types import Bytes, Instant, Json, Text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables."""
    _table(
        "identity_provider",
        _required("id", Text, primary_key=True),
        _required("config", Json),
        _optional("sealed_secret", Bytes),
        _optional("disabled_at", Instant),
        _required("created_at", Instant),
        _required("updated_at", Instant),
    )
    _table(
        "external_identity",
        _required("id", Text, primary_key=True),
        _required("provider_id", Text, _belongs_to("identity_provider.id")),
        _required("issuer", Text),
        _required("subject", Text),
        _required("account_id", Text, _belongs_to("account.id"), index=True),
        _required("label", Text),
        _required("profile", Json),
        _required("created_at", Instant),
        _optional("last_used_at", Instant),
        UniqueConstraint("provider_id", "issuer", "subject"),
    )
    _table(
        "federated_session",
        _required("session_id", Text, _belongs_to("browser_session.id"), primary_key=True),
        _required("provider_id", Text, _belongs_to("identity_provider.id")),
        _required("issuer", Text),
        _required("subject", Text),
        _optional("upstream_sid", Text),
        _optional("sealed_id_token", Bytes),
        _required("created_at", Instant),
    )
    op.create_index(None, "federated_session", ["provider_id", "issuer", "subject"])
    op.create_index(None, "federated_session", ["provider_id", "upstream_sid"])
    _table(
        "upstream_token",
        _required("identity_id", Text, _belongs_to("external_identity.id"), primary_key=True),
        _required("sealed_tokens", Bytes),
        _optional("expires_at", Instant),
        _required("scope", Text),
        _required("updated_at", Instant),
    )


def _table(name: str, *parts: Column[Any] | UniqueConstraint) -> None:
    op.create_table(name, *parts, sqlite_strict=True)


def _required(name: str, kind: Any, *constraints: ForeignKey, **options: Any) -> Column[Any]:
    return Column(name, kind, *constraints, nullable=False, **options)


def _optional(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=True)


def _belongs_to(column: str) -> ForeignKey:
    return ForeignKey(column, ondelete="CASCADE")
