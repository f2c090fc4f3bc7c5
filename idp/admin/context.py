"""What every administrative function works with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from idp.accounts import AccountLinks, Accounts, Notices
from idp.audit import Actor, Audit, AuditEvent
from idp.authenticators import (
    CodeFactors,
    FactorThrottle,
    KnownDevices,
    Passwords,
    PasswordThrottle,
    RecoveryCodes,
    Totp,
)
from idp.clients import Clients, Logos
from idp.clock import Clock
from idp.federation import Identities
from idp.http import HttpClient
from idp.keys import KeyStore
from idp.resources import Resources
from idp.sessions import Sessions
from idp.storage import ChangeFeed, Database, Repositories


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminContext:
    """The collaborators, built once by the container.

    ``actor`` is whom the audit record names: somebody at the command line.
    """

    database: Database
    repos: Repositories
    feed: ChangeFeed
    audit: Audit
    clock: Clock
    actor: Actor
    accounts: Accounts
    notices: Notices
    links: AccountLinks
    passwords: Passwords
    throttle: PasswordThrottle
    factor_throttle: FactorThrottle
    devices: KnownDevices
    totp: Totp
    recovery_codes: RecoveryCodes
    code_factors: CodeFactors
    sessions: Sessions
    clients: Clients
    logos: Logos
    resources: Resources
    keystore: KeyStore
    identities: Identities
    http: HttpClient
    access_token_lifetime: timedelta

    @contextmanager
    def change(self, *topics: str) -> Iterator[datetime]:
        """One transaction; gives the time it happens at.

        ``topics`` name what workers keep copies of. Their versions rise in the same transaction, so no
        worker can miss the change; the notice after it only makes them look sooner.
        """
        with self.database.transaction():
            now = self.clock.now()
            yield now
            for topic in topics:
                self.repos.changes.bump(topic, now)
        for topic in topics:
            self.feed.notify(topic)

    def record(
        self,
        event: AuditEvent,
        now: datetime,
        *,
        account: str | None = None,
        client: str | None = None,
        detail: Mapping[str, Any] | None = None,
        actor: Actor | None = None,
    ) -> None:
        """Write an audit event in the running transaction; by default in the operator's name."""
        self.audit.record(
            event, actor=actor or self.actor, account=account, client=client, detail=detail, now=now
        )


def moment(value: datetime | None) -> str | None:
    """A time as JSON: ISO 8601, UTC."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")
