"""The values of a journey to a provider and back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from idp.crypto import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamWish:
    """What we want of the sign-in there: passed on, and verified on return as far as it can be."""

    prompt: str | None = None
    """``login`` (type the password again), ``select_account``, or nothing."""
    max_age: int | None = None
    """Seconds that the sign-in there may lie in the past."""
    login_hint: str | None = None
    ui_locales: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = ()

    @property
    def needs_auth_time(self) -> bool:
        """Whether the answer must say when the person signed in."""
        return self.prompt == "login" or self.max_age is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartureRecord:
    """What must be remembered until the person comes back. Holds secrets: it is stored sealed."""

    nonce: Secret[str]
    code_verifier: Secret[str]
    redirect_uri: str
    sent_at: datetime
    """Aware UTC."""
    wish: UpstreamWish = field(default_factory=UpstreamWish)

    def payload(self) -> dict[str, Any]:
        """The record as JSON types, its secrets in the clear; seal it before it is stored."""
        return {
            "nonce": self.nonce.reveal(),
            "code_verifier": self.code_verifier.reveal(),
            "redirect_uri": self.redirect_uri,
            "sent_at": self.sent_at.timestamp(),
            "prompt": self.wish.prompt,
            "max_age": self.wish.max_age,
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "DepartureRecord":
        """The inverse of :meth:`payload`; of the wish only what is verified on return comes back."""
        return cls(
            nonce=Secret(payload["nonce"]),
            code_verifier=Secret(payload["code_verifier"]),
            redirect_uri=payload["redirect_uri"],
            sent_at=datetime.fromtimestamp(payload["sent_at"], UTC),
            wish=UpstreamWish(prompt=payload["prompt"], max_age=payload["max_age"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A journey that may begin: where to send the browser, and what to remember."""

    url: str = field(repr=False)
    """Holds the state."""
    state: Secret[str]
    """Names the journey in the answer; whoever stores it stores its digest."""
    nonce: Secret[str]
    code_verifier: Secret[str]
    redirect_uri: str
    sent_at: datetime
    wish: UpstreamWish

    def record(self) -> DepartureRecord:
        """What :meth:`idp.federation.RelyingParty.finish` needs again."""
        return DepartureRecord(
            nonce=self.nonce,
            code_verifier=self.code_verifier,
            redirect_uri=self.redirect_uri,
            sent_at=self.sent_at,
            wish=self.wish,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamLogout:
    """A provider's word that a session, or every session of a person, has ended there."""

    issuer: str
    subject: str | None
    sid: str | None
    """At least one of ``subject`` and ``sid`` is there."""
    jti: str
    """To be accepted once until ``expires_at``."""
    expires_at: datetime
