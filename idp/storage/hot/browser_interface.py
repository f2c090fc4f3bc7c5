"""What the pages ask of the database with every request; both implementations pass one test suite."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from idp.storage.records import AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState:
    """A browser session as it stands, with everything that can have made it worthless."""

    id: str
    account_id: str
    logins: int
    auth_time: datetime
    acr: str
    amr: tuple[str, ...]
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    idle_expires_at: datetime
    user_agent: str
    address: str
    ended: bool
    account_disabled: bool
    account_not_before: datetime | None
    deployment_not_before: datetime | None
    account_locale: str | None = None
    """The language the person chose, as the claim ``locale``."""
    account_deletes_at: datetime | None = None
    """When the account is to be deleted, if the person asked for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoweredSession:
    """What is left of a session whose level has run out."""

    id: str
    logins: int
    """Another sign-in since makes it another session, which stays as it is."""
    acr: str
    amr: tuple[str, ...]
    last_seen_at: datetime
    idle_expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionState:
    """A half-finished authorization request in whatever state."""

    uid: str
    browser_digest: bytes
    request: Mapping[str, Any]
    progress: Mapping[str, Any]
    expires_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInteraction:
    """An authorization request that waits for the person."""

    uid: str
    browser_digest: bytes
    client_id: str
    request: Mapping[str, Any]
    progress: Mapping[str, Any]
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededConsent:
    """What a standing consent has to cover, at one resource server or, with an empty name, at none."""

    resource: str
    scopes: tuple[str, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeIssue:
    """One attempt to answer a client at once."""

    digest: bytes
    client_id: str
    proof: str | None
    target: str
    payload: Mapping[str, Any]
    session_id: str
    logins: int
    """Of the session that the payload speaks of: a later sign-in makes it another one."""
    needed: tuple[NeededConsent, ...]
    """Empty: nothing has to be allowed."""
    uid: str | None
    """The stored interaction that the answer uses up; ``None`` when nothing was stored."""
    progress: Mapping[str, Any]
    """As it was read with the interaction; with another one the answer may be another."""
    now: datetime
    expires_at: datetime
    audit: AuditEntry
    """Written with the code; its account and session are those of the session found."""


class BrowserStore(Protocol):
    """The storage of pages. Every method raises ``Unavailable`` when the database is.

    Each of them is a transaction of its own on a connection of its own, so none may be called
    inside ``Database.transaction``: it would not see what is not committed, and on SQLite a
    change would wait for the very transaction it is called from.
    """

    def find_session(self, digest: bytes) -> SessionState | None:
        """The session whose present cookie has this digest, in whatever state, or ``None``."""
        ...

    def touch_session(self, session_id: str, *, last_seen_at: datetime, idle_expires_at: datetime) -> None:
        """Note that the session is in use; the times never go back, and an ended session stays as it is."""
        ...

    def lower_session(self, lowered: LoweredSession) -> None:
        """Note that the session is in use, and that its level has run out; an ended one stays as it is."""
        ...

    def find_interaction(self, uid: str) -> InteractionState | None:
        """The interaction in whatever state, or ``None``."""
        ...

    def add_interaction(self, interaction: NewInteraction) -> None:
        """Write a new interaction."""
        ...

    def issue_code(self, issue: CodeIssue) -> bool:
        """Write an authorization code and its audit event, and use the interaction up, all or nothing.

        Nothing happens unless, in the same statement or transaction, the session is live and has
        seen no other sign-in, its account may be used and has not been called back since, every
        needed consent stands, and the interaction is unfinished and as it was read.

        Returns:
            whether it happened; ``False`` says only that it did not, the long way looks closer.

        Raises:
            Invalid: the payload holds text that cannot be stored.

        Source: decision D2; rows C4, K1, S5, S6, T16.
        """
        ...
