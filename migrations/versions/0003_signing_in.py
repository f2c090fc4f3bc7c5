"""What signing in in several steps needs: authenticators, attempts, messages on their way out.

What the previous release sees: new tables it does not read, and new columns that it leaves empty. It does
not ask for second factors: update every node before people add some.
"""

from typing import Any

from alembic import op
from sqlalchemy import Column, ForeignKey, text

from idp.storage.types import Bytes, Count, Flag, Instant, Json, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables, and add the columns."""
    _add_columns()
    _create_authenticators()
    _create_attempts()
    _create_outbox()


def _add_columns() -> None:
    for column in (
        _optional("passkey_declined_at", Instant),
        _optional("terms_version", Text),
        _optional("terms_accepted_at", Instant),
    ):
        op.add_column("account", column)
    op.add_column("known_device", _optional("trusted_until", Instant))
    # Short: codes of the token path are not in it, and nothing else lives longer than a minute yet.
    links = text("kind LIKE 'link:%'")
    op.create_index(None, "one_time", ["account_id"], postgresql_where=links, sqlite_where=links)


def _create_authenticators() -> None:
    _table(
        "account_deletion",
        _required("account_id", Text, primary_key=True),
        _required("requested_at", Instant),
        _required("delete_after", Instant, index=True),
        _optional("begun_at", Instant),
    )
    _table(
        "passkey",
        _required("id", Text, primary_key=True),
        _required("account_id", Text, _belongs_to("account.id"), index=True),
        _required("credential_id", Bytes, unique=True),
        _required("public_key", Bytes),
        _required("sign_count", Count),
        _required("aaguid", Text),
        _required("transports", Json),
        _required("name", Text),
        _required("backup_eligible", Flag),
        _required("backed_up", Flag),
        _required("user_verified", Flag),
        _required("attestation", Text),
        _required("created_at", Instant),
        _optional("last_used_at", Instant),
    )
    _table(
        "totp",
        _required("account_id", Text, _belongs_to("account.id"), primary_key=True),
        _required("sealed_secret", Bytes),
        _required("last_step", Count),
        _required("created_at", Instant),
        _optional("last_used_at", Instant),
    )
    _table(
        "recovery_code",
        _required("digest", Bytes, primary_key=True),
        _required("account_id", Text, _belongs_to("account.id"), index=True),
        _required("created_at", Instant),
        _optional("consumed_at", Instant),
    )
    _table(
        "code_factor",
        _required("account_id", Text, _belongs_to("account.id"), primary_key=True),
        _required("channel", Text, primary_key=True),
        _required("address", Text),
        _required("created_at", Instant),
        _optional("last_used_at", Instant),
    )


def _create_attempts() -> None:
    _table(
        "login_attempt",
        _required("token_digest", Bytes, primary_key=True),
        _required("id", Text, unique=True),
        _optional("account_id", Text, _belongs_to("account.id"), index=True),
        _required("achieved", Json),
        _required("detail", Json),
        _required("version", Count),
        _required("created_at", Instant),
        _required("expires_at", Instant, index=True),
        _optional("finished_at", Instant),
        postgresql_with={"fillfactor": 80},
    )


def _create_outbox() -> None:
    _table(
        "outbox",
        _required("id", Text, primary_key=True),
        _required("channel", Text),
        _required("sealed_body", Bytes),
        _optional("account_id", Text, index=True),
        _optional("recipient", Bytes, index=True),
        _optional("source", Bytes, index=True),
        _required("attempts", Count),
        _optional("due_at", Instant, index=True),
        _required("created_at", Instant),
        _optional("sent_at", Instant),
        _optional("failed_at", Instant),
        _optional("error", Text),
        _required("expires_at", Instant, index=True),
    )
    op.create_index(None, "outbox", ["channel", "created_at"])


def _table(name: str, *columns: Column[Any], **options: Any) -> None:
    op.create_table(name, *columns, sqlite_strict=True, **options)


def _required(name: str, kind: Any, *constraints: ForeignKey, **options: Any) -> Column[Any]:
    return Column(name, kind, *constraints, nullable=False, **options)


def _optional(name: str, kind: Any, *constraints: ForeignKey, **options: Any) -> Column[Any]:
    return Column(name, kind, *constraints, nullable=True, **options)


def _belongs_to(column: str) -> ForeignKey:
    return ForeignKey(column, ondelete="CASCADE")
