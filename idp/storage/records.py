"""Values that the repositories and the hot store share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class AuditEntry(NamedTuple):
    """One line of the audit record, as it is stored. The vocabulary of ``event`` lives in ``audit/``."""

    id: str
    """``evt_…``; sorts by time."""
    occurred_at: datetime
    event: str
    actor: str
    """Who did it: ``<kind>:<id>``, or the kind alone."""
    account_id: str | None
    client_id: str | None
    session_id: str | None
    address: str | None
    user_agent: str | None
    request_id: str | None
    detail: Mapping[str, Any]
    """What else is worth keeping; never a secret, a token or a code."""


class Tries(NamedTuple):
    """What a counter of tries says."""

    failures: int
    """In a row, with the present one."""
    blocked_until: datetime | None
    """The end of the last pause; may be over."""


class Enrolment(NamedTuple):
    """What an account can prove who it is with."""

    password_set_at: datetime | None
    """When its password last became another one, or another hash; None if it has none."""
    passkeys: int
    totp: bool
    recovery_codes: int
    """How many can still be used."""
    sms: bool
    email: bool
    identities: int
    """How many linked identities of providers that can be used."""

    @property
    def password(self) -> bool:
        """Whether it has one."""
        return self.password_set_at is not None


class ClientUse(NamedTuple):
    """That a client holds tokens of a person."""

    client_id: str
    since: datetime
    last_used_at: datetime
    offline: bool
    """Whether some of them outlive the sign-in."""
    families: int
    grant: Mapping[str, Any]
    """The newest one, as JSON."""


class ClientToTell(NamedTuple):
    """A client that is to hear of the end of a session."""

    session_id: str
    account_id: str
    client_id: str


class ClearedRows(NamedTuple):
    """How many rows of a client were removed."""

    families: int
    consents: int


class ClearedLinks(NamedTuple):
    """How many rows of a provider were removed."""

    identities: int
    sessions: int
    """Notes of where sessions came from, not the sessions."""


class FederatedLogin(NamedTuple):
    """A live session that came from a provider."""

    session_id: str
    account_id: str


class Window(NamedTuple):
    """A limit in a sliding window: two counters, of which the older fades while the present one fills.

    It has room while ``previous * remaining + current * length < limit * length``. Whole microseconds,
    so that every store finds the same.
    """

    previous: str
    """Key of the counter of the window before."""
    current: str
    remaining: int
    """Microseconds until the present window ends."""
    length: int
    """Microseconds."""
    limit: int
    expires_at: datetime
    """Of the present counter: when its window has faded."""

    def has_room(self, previous: int, current: int) -> bool:
        """Whether one more is allowed after so many."""
        return previous * self.remaining + current * self.length < self.limit * self.length


class Tally(NamedTuple):
    """What was counted, and what was found."""

    other_previous: int
    other_current: int
    previous: int
    current: int
    """Before one was added."""
    total: int | None
    """``current`` after one was added; ``None`` if none was."""
