"""Run by Alembic for `idp migrate`; the connection and its locks come from `idp.storage.migrations`."""

from typing import Any

from alembic import context

from idp.storage import Base

_attributes = context.config.attributes


def _note(*, step: Any, **_: Any) -> None:
    _attributes["applied"].append(step.up_revision_id)


context.configure(
    connection=_attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite runs inside one transaction that is open already; PostgreSQL commits each migration by itself.
    transaction_per_migration=True,
    on_version_apply=_note,
)
with context.begin_transaction():
    context.run_migrations()
