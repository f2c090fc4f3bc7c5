"""The first schema: accounts, clients, consents, codes, token families, sessions, keys and the audit record.

What the previous release sees: nothing, there is none. This migration only creates.
"""

from typing import Any

from alembic import op
from sqlalchemy import Column, ForeignKey

from idp.storage.types import Bytes, Count, Flag, Instant, Json, Text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table. Names of keys and indexes follow the naming convention in `idp.storage.base`."""
    _create_people()
    _create_clients()
    _create_tokens()
    _create_sessions()
    _create_operation()


def _create_people() -> None:
    """People: accounts, the names they are found by, passwords and what protects those."""
    _table(
        "account",
        _required("id", Text, primary_key=True),
        _required("username", Text),
        _optional("email", Text),
        _required("email_verified", Flag),
        _required("claims", Json),
        _optional("disabled_at", Instant),
        _optional("not_before", Instant),
        _required("created_at", Instant),
        _required("updated_at", Instant),
    )
    _table(
        "account_identifier",
        _required("canonical", Text, primary_key=True),
        _required("account_id", Text, _belongs_to("account.id"), index=True),
        _required("kind", Text),
    )
    _table(
        "password_credential",
        _required("account_id", Text, _belongs_to("account.id"), primary_key=True),
        _required("phc", Text),
        _required("created_at", Instant),
        _required("updated_at", Instant),
    )
    _table(
        "password_throttle",
        _required("key", Bytes, primary_key=True),
        _required("failures", Count),
        _required("last_failure_at", Instant),
        _optional("blocked_until", Instant),
        _required("expires_at", Instant, index=True),
    )
    _table(
        "known_device",
        _required("token_digest", Bytes, primary_key=True),
        _required("account_id", Text, _belongs_to("account.id"), index=True),
        _required("created_at", Instant),
        _required("last_seen_at", Instant),
        _required("expires_at", Instant, index=True),
    )


def _create_clients() -> None:
    """Applications, the resource servers they call, and what people allowed them."""
    _table(
        "client",
        _required("client_id", Text, primary_key=True),
        _required("metadata", Json),
        _optional("disabled_at", Instant),
        _optional("not_before", Instant),
        _required("created_at", Instant),
        _required("updated_at", Instant),
    )
    _table(
        "client_secret",
        _required("id", Text, primary_key=True),
        _required("client_id", Text, _belongs_to("client.client_id"), index=True),
        _required("digest", Bytes),
        _required("created_at", Instant),
        _optional("expires_at", Instant),
    )
    _table(
        "client_logo",
        _required("client_id", Text, _belongs_to("client.client_id"), primary_key=True),
        _required("uri", Text),
        _required("content_type", Text),
        _required("body", Bytes),
        _required("fetched_at", Instant),
    )
    _table(
        "resource_server",
        _required("identifier", Text, primary_key=True),
        _required("name", Text),
        _required("scopes", Json),
        _optional("access_token_format", Text),
        _required("created_at", Instant),
        _required("updated_at", Instant),
    )
    _table(
        "consent",
        _required("account_id", Text, primary_key=True),
        _required("client_id", Text, primary_key=True, index=True),
        _required("resource", Text, primary_key=True),
        _required("scopes", Json),
        _required("claims", Json),
        _required("granted_at", Instant),
        _required("updated_at", Instant),
    )


def _create_tokens() -> None:
    """What may be used once, token families, access tokens revoked one by one."""
    _table(
        "one_time",
        _required("digest", Bytes, primary_key=True),
        _required("kind", Text),
        _required("binding", Text),
        _optional("proof", Text),
        _optional("target", Text),
        _optional("account_id", Text),
        _optional("session_id", Text),
        _required("payload", Json),
        _required("attempts", Count),
        _required("created_at", Instant),
        _required("expires_at", Instant, index=True),
        _optional("consumed_at", Instant),
        _optional("outcome", Text),
    )
    _table(
        "token_family",
        _required("id", Text, primary_key=True),
        _required("client_id", Text, index=True),
        _required("account_id", Text, _belongs_to("account.id"), index=True),
        _optional("session_id", Text, index=True),
        _required("grant_data", Json),
        _required("offline", Flag),
        _required("generation", Count),
        _optional("rotated_at", Instant),
        _required("last_used_at", Instant),
        _required("created_at", Instant),
        _required("expires_at", Instant, index=True),
        _required("idle_expires_at", Instant),
        _optional("revoked_at", Instant),
        _optional("revoked_reason", Text),
    )
    _table(
        "revoked_access_token",
        _required("jti", Text, primary_key=True),
        _required("revoked_at", Instant),
        _required("expires_at", Instant, index=True),
    )


def _create_sessions() -> None:
    """Browser sessions and half-finished authorization requests."""
    _table(
        "browser_session",
        _required("id", Text, primary_key=True),
        _required("token_digest", Bytes, unique=True),
        _required("account_id", Text, _belongs_to("account.id"), index=True),
        _required("logins", Count),
        _required("created_at", Instant),
        _required("auth_time", Instant),
        _required("last_seen_at", Instant),
        _required("idle_expires_at", Instant),
        _required("expires_at", Instant, index=True),
        _required("acr", Text),
        _required("amr", Json),
        _required("user_agent", Text),
        _required("address", Text),
        _optional("ended_at", Instant),
        _optional("end_reason", Text),
    )
    _table(
        "interaction",
        _required("uid", Text, primary_key=True),
        _required("browser_digest", Bytes),
        _required("client_id", Text),
        _required("request", Json),
        _required("progress", Json),
        _required("created_at", Instant),
        _required("expires_at", Instant, index=True),
        _optional("finished_at", Instant),
    )


def _create_operation() -> None:
    """Signing keys, the audit record, and what the nodes tell each other."""
    _table(
        "signing_key",
        _required("kid", Text, primary_key=True),
        _required("alg", Text),
        _required("state", Text),
        _required("public_jwk", Json),
        _required("sealed_private", Bytes),
        _required("created_at", Instant),
        _required("published_at", Instant),
        _optional("activates_at", Instant),
        _optional("activated_at", Instant),
        _optional("retired_at", Instant),
        _optional("unpublish_at", Instant),
        _optional("revoked_at", Instant),
    )
    _table(
        "audit_event",
        _required("id", Text, primary_key=True),
        _required("occurred_at", Instant),
        _required("event", Text),
        _required("actor", Text),
        _optional("account_id", Text),
        _optional("client_id", Text),
        _optional("session_id", Text),
        _optional("address", Text),
        _optional("user_agent", Text),
        _optional("request_id", Text),
        _required("detail", Json),
    )
    op.create_index(None, "audit_event", ["account_id", "id"])
    _table(
        "issue_count",
        _required("client_id", Text, primary_key=True),
        _required("minute", Instant, primary_key=True),
        _required("count", Count),
    )
    _table(
        "change_counter",
        _required("topic", Text, primary_key=True),
        _required("version", Count),
        _required("changed_at", Instant),
    )
    _table(
        "deployment",
        _required("id", Count, primary_key=True, autoincrement=False),
        _optional("not_before", Instant),
    )
    _table(
        "ephemeral",
        _required("key", Text, primary_key=True),
        _optional("value", Bytes),
        _required("counter", Count),
        _required("expires_at", Instant, index=True),
    )


def _table(name: str, *columns: Column[Any]) -> None:
    op.create_table(name, *columns, sqlite_strict=True)


def _required(name: str, kind: Any, *constraints: ForeignKey, **options: Any) -> Column[Any]:
    return Column(name, kind, *constraints, nullable=False, **options)


def _optional(name: str, kind: Any, *constraints: ForeignKey, **options: Any) -> Column[Any]:
    return Column(name, kind, *constraints, nullable=True, **options)


def _belongs_to(column: str) -> ForeignKey:
    return ForeignKey(column, ondelete="CASCADE")
