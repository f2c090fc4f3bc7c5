"""What a sign-in is for, and who stands at the door."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from idp.audit import Source
from idp.login.assurance import Factor
from idp.login.attempt import LoginAttempt
from idp.login.policy import Enrolled, NextStep, Required, Stage, next_step
from idp.sessions import ACR_TWO_FACTORS, BrowserSession, level_of

_PLACE = "place"
_RETURN_TO = "return_to"
_AGAIN = "again"
_BESIDE = "beside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a sign-in is for. What it requires is asked anew at every step; the attempt keeps the rest."""

    required: Required = field(default_factory=Required)
    entrance: Required = field(default_factory=Required)
    """What the operator asks of everybody; a client may ask for more."""
    place: str = ""
    """The interaction it belongs to; empty for none. Proofs given at one place count at no other."""
    return_to: str | None = None
    """Where to go afterwards, outside of interactions: a path of ours."""
    again: bool = False
    """Somebody who is signed in proves again who they are: with all they have, on trusted devices too."""
    park_present: bool = False
    """Whether another person's session goes on beside the new one."""

    @property
    def detail(self) -> dict[str, Any]:
        """What an attempt keeps of it."""
        return {
            _PLACE: self.place,
            _RETURN_TO: self.return_to,
            _AGAIN: self.again,
            _BESIDE: self.park_present,
        }

    def kept_by(self, attempt: LoginAttempt) -> "Goal":
        """This goal with what the attempt has kept of it."""
        detail = attempt.detail
        return replace(
            self,
            return_to=detail.get(_RETURN_TO),
            again=bool(detail.get(_AGAIN)),
            park_present=bool(detail.get(_BESIDE)),
        )

    def next_step(
        self,
        *,
        enrolled: Enrolled,
        achieved: Collection[Factor],
        trusted_device: bool,
        is_present: bool,
    ) -> NextStep:
        """The first unmet step.

        Args:
            enrolled: what the account has.
            achieved: what has been proved.
            trusted_device: whether the person marked this browser.
            is_present: whether they have a session here. Only in a session can a passkey be set up: who has
                to, signs in as far as they can, and is asked for it then.
        """
        step = next_step(
            enrolled=enrolled,
            achieved=achieved,
            required=self.required,
            trusted_device=trusted_device and not self.again,
        )
        if step.stage is Stage.ENROL and self._asks_for_passkey and not is_present:
            return next_step(
                enrolled=enrolled,
                achieved=achieved,
                required=self.entrance,
                trusted_device=trusted_device and not self.again,
            )
        return step

    def adds_passkey(self, *, is_present: bool) -> bool:
        """Whether what has to be set up is a passkey: nothing less will do, and there is a session for it."""
        return self._asks_for_passkey and is_present

    @property
    def _asks_for_passkey(self) -> bool:
        minimum = self.required.level if self.required.minimum is None else self.required.minimum
        return self.required.enrol and minimum > level_of(ACR_TWO_FACTORS)

    def is_of(self, attempt: LoginAttempt) -> bool:
        """Whether the attempt began at this place.

        Security: what was proved for one request must not answer another, which may have asked for a new
        proof (row M5).
        """
        return bool(attempt.detail.get(_PLACE, "") == self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """A browser at one moment."""

    present: BrowserSession | None
    """The live session."""
    attempt_cookie: str | None = None
    device_cookie: str | None
    source: Source
    now: datetime

    def is_signed_in_as(self, account_id: str | None) -> bool:
        """Whether this account has the session here."""
        return self.present is not None and self.present.account_id == account_id

    def purpose(self, account_id: str | None) -> str:
        """Why this account's proofs are asked for, for the audit record."""
        return "reauthentication" if self.is_signed_in_as(account_id) else "login"
