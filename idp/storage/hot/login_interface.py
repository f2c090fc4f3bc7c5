"""What signing in asks of the database; both implementations pass one test suite."""

from datetime import datetime
from typing import Final, NamedTuple, Protocol

from idp.storage.records import AuditEntry

ACCOUNT_COUNTER: Final = "account:"
"""Before the account's id: the key of its failure counter.

Plain, unlike those of names and devices, so that the statement that finds the account finds its counter
too. The audit record says as openly whose password was tried.
"""


class LoginQuestion(NamedTuple):
    """Who somebody says they are, and the browser they say it in."""

    canonical: str | None
    """A username or an address in canonical form; ``None`` for text that can be neither."""
    name_counter: bytes
    """The failure counter if nobody has this name."""
    device_digest: bytes | None
    """Of the device cookie, if there is one."""
    device_counter: bytes | None
    """The failure counter if the device is known for the account."""
    now: datetime


class LoginState(NamedTuple):
    """What is known of an attempt before its password is checked."""

    account_id: str | None
    phc: str | None
    known_device: bool
    blocked_until: datetime | None
    """The end of the pause of the counter that the attempt runs under; may be over."""
    trusted_device: bool
    """Whether the person asked for no second step on this device."""
    has_second_step: bool
    """Whether the account's password alone is not enough; what else it has is asked for when it is right."""
    is_told: bool
    """Whether there is an owner to be told of a sign-in from a device that is not known."""


class NewSession(NamedTuple):
    """A browser session to begin, or what one that is renewed becomes."""

    id: str
    """Not used by one that is renewed."""
    token_digest: bytes
    acr: str
    amr: tuple[str, ...]
    idle_expires_at: datetime
    expires_at: datetime
    user_agent: str
    address: str


class PresentSession(NamedTuple):
    """The session that the browser had."""

    id: str
    account_id: str
    logins: int


class SignIn(NamedTuple):
    """The right password was given: what is to happen if everything still stands."""

    account_id: str
    phc: str
    """What the password was checked against."""
    new_phc: str | None
    """Stored in its place (row P6)."""
    counter: bytes
    session: NewSession
    present: PresentSession | None
    device_digest: bytes | None
    new_device_digest: bytes
    """Remembered unless ``device_digest`` is known for the account (row S2)."""
    device_expires_at: datetime
    now: datetime
    verified: AuditEntry
    started: AuditEntry
    """Written if a session begins."""
    renewed: AuditEntry | None
    """Written if the present one is renewed."""
    ended: AuditEntry | None
    """Written if the present one is another person's and ends; the store adds ``families`` to its detail."""


class SignedIn(NamedTuple):
    """It happened."""

    renewed: bool
    """Whether the present session goes on; otherwise a new one began."""
    known_device: bool
    """Whether the browser keeps its device cookie."""


class Failure(NamedTuple):
    """A sign-in that is refused."""

    counter: bytes
    pauses: str
    """JSON: seconds of pause by failures in a row, from the first; the last holds from there on."""
    now: datetime
    expires_at: datetime
    """When the counter may be forgotten."""
    failed: AuditEntry
    """The store adds ``failures`` to its detail."""
    reason_while_paused: str | None
    """In the place of the event's ``reason``, if the counter was paused already."""
    throttled: AuditEntry
    """Written if sign-ins pause from now on; the store adds ``failures`` and ``blocked_until``."""


class LoginStore(Protocol):
    """The storage of sign-ins. Every method raises ``Unavailable`` when the database is.

    Each is a transaction of its own on a connection of its own; see ``BrowserStore``.
    """

    def find(self, question: LoginQuestion) -> LoginState:
        """What must be known before the password is checked, in one read that is the same for all names.

        Source: rows L1, L3, L6.
        """
        ...

    def admit(self, sign_in: SignIn) -> SignedIn | None:
        """Begin or renew the session, and all that goes with it, or nothing.

        Nothing happens unless, in the same statement or transaction, the account may be used, the
        hash is still its password, guesses that ran in parallel have not paused the counter, and the
        account has no second step, or the device is let off it.
        Then the counter is forgotten, the device remembered and the events are written. The present
        session is renewed if it is the same person's, unended, and has seen no other sign-in since;
        another person's ends, with the token families that end with it.

        Source: rows L1, M5, M8, P6, S2, S5, T16, X12.
        """
        ...

    def refuse(self, failure: Failure) -> int:
        """Count and record a failure; how many there were in a row. Parallel ones are all counted.

        Source: rows L1, L2, X12.
        """
        ...
