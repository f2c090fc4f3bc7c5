"""Sections about where things are kept: database, Redis, the change feed, the audit trail."""

from typing import Literal

from pydantic import Field

from idp.settings.urls import DatabaseUrl, RedisUrl, SecretUrl
from idp.settings.values import SECOND, Duration, Section


class DatabaseSettings(Section):
    """The database, the only truth: SQLite on one machine, PostgreSQL for more."""

    url: DatabaseUrl = SecretUrl("sqlite:///var/idp.sqlite3")
    """`sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://user:password@host/name`
    (`postgres://` and `postgresql+psycopg://` mean the same). Missing folders of a SQLite file are made."""

    pool_size: int = Field(default=8, ge=1, le=200)
    """Connections each worker process may open (PostgreSQL). A request that waits for
    a password hash holds none; workers times this number must stay below the server's `max_connections`."""

    pool_timeout: Duration = Field(default=2 * SECOND, gt=0 * SECOND, le=30 * SECOND)
    """How long a request waits for a free or a new connection before it is answered with 503."""

    statement_timeout: Duration = Field(default=2 * SECOND, gt=0 * SECOND, le=60 * SECOND)
    """How long one statement may run (PostgreSQL)."""

    lock_timeout: Duration = Field(default=SECOND, gt=0 * SECOND, le=60 * SECOND)
    """How long one statement may wait for a row lock (PostgreSQL)."""

    auto_migrate: bool | None = None
    """Whether `idp serve` brings the schema up to date by itself. Unset: yes on SQLite, no on PostgreSQL,
    where several nodes share it and `idp migrate` is a step of the roll-out."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """Which of the two databases the URL names."""
        return "sqlite" if self.url.startswith("sqlite:") else "postgresql"

    @property
    def migrates_itself(self) -> bool:
        """``auto_migrate`` with its default resolved."""
        return self.dialect == "sqlite" if self.auto_migrate is None else self.auto_migrate


class RedisSettings(Section):
    """Redis, an accelerator that may be absent, stale or emptied at any moment; nothing is lost with it."""

    url: RedisUrl | None = None
    """`redis://[user:password@]host:port/db`, `rediss://…` for TLS or `unix:///path/to/socket`. Unset: no
    Redis; shared counters live in the database."""

    connect_timeout: Duration = Field(default=0.2 * SECOND, gt=0 * SECOND, le=5 * SECOND)
    """How long to wait for a connection before doing without Redis."""

    timeout: Duration = Field(default=0.5 * SECOND, gt=0 * SECOND, le=5 * SECOND)
    """How long to wait for an answer before doing without Redis."""


class ChangeSettings(Section):
    """How workers learn of changed clients, resources and keys."""

    poll_interval: Duration = Field(default=0.5 * SECOND, ge=0.1 * SECOND, le=30 * SECOND)
    """How often each worker asks the database what has changed: the longest time a change takes to reach
    every worker. With Redis the news usually comes at once. After two failed polls the worker answers 503."""


class AuditSettings(Section):
    """The audit trail. Events are written with the change they report; only mere counters are batched."""

    flush_interval: Duration = Field(default=5 * SECOND, ge=0.1 * SECOND, le=60 * SECOND)
    """How long the number of tokens issued by client_credentials may wait in memory. A worker that is killed
    loses the counts of at most this time; no event is ever lost."""
