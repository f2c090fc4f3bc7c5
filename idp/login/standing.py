"""Where a sign-in on its way stands: read at every step from what the server keeps (row M5)."""

from dataclasses import dataclass

from idp.accounts import Accounts, assert_may_authenticate
from idp.authenticators import KnownDevice, KnownDevices
from idp.errors import Conflict, Refused
from idp.login.attempt import LoginAttempt, LoginAttempts
from idp.login.enrolled import enrolled, still_count
from idp.login.goal import Goal, Visitor
from idp.login.policy import Enrolled, NextStep
from idp.storage import Repositories


class NoAttempt(Conflict):
    """There is no sign-in on its way here: it is over, was begun elsewhere, or never was."""

    def __init__(self, *, detail: str) -> None:
        super().__init__("Please sign in from the beginning.", detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A sign-in on its way, and what comes next."""

    goal: Goal
    """What the sign-in is for, with what its attempt has kept of that."""
    attempt: LoginAttempt
    account_id: str
    enrolled: Enrolled
    device: KnownDevice | None
    step: NextStep

    @property
    def reason(self) -> str:
        """Why one proof is not enough, for the record that the person reads: the first that applies."""
        if self.goal.again:
            return "again"
        if self.enrolled.has_second_factor and not (self.device is not None and self.device.is_trusted):
            return "enrolled"
        return "application" if self.goal.place else "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingServices:
    """What it is read from, put together once by the container."""

    repos: Repositories
    accounts: Accounts
    attempts: LoginAttempts
    devices: KnownDevices


class Standings:
    """Says where attempts stand. In the caller's transaction."""

    def __init__(self, services: StandingServices) -> None:
        self._services = services

    def get(self, goal: Goal, visitor: Visitor) -> Standing:
        """The attempt of this browser at this place.

        Raises:
            NoAttempt: none, or what it was made of counts no more: the password was changed since, the
                account was disabled or called back, or the session it goes on from has ended.
        """
        services, now = self._services, visitor.now
        attempt = services.attempts.find(visitor.attempt_cookie, now)
        if attempt is None or attempt.account_id is None or not goal.is_of(attempt):
            raise NoAttempt(detail="no attempt at this place")
        if attempt.stands_on is not None and (
            visitor.present is None or visitor.present.id != attempt.stands_on
        ):
            raise NoAttempt(detail="the session that it stands on is over")
        account = services.accounts.find(attempt.account_id)
        if account is None:
            raise NoAttempt(detail="the account is gone")
        try:
            assert_may_authenticate(account, now, auth_time=min(proof.at for proof in attempt.achieved))
        except Refused as error:
            raise NoAttempt(detail=error.detail) from error
        found = services.repos.enrolments.of(attempt.account_id)
        if not still_count(found, attempt.achieved):
            raise NoAttempt(detail="the password was changed")
        return self.judge(attempt, enrolled(found), goal.kept_by(attempt), visitor)

    def judge(self, attempt: LoginAttempt, has: Enrolled, goal: Goal, visitor: Visitor) -> Standing:
        """What comes next after the proofs of this attempt.

        Raises:
            NoAttempt: nothing is proved.
        """
        if attempt.account_id is None:
            raise NoAttempt(detail="nothing is proved")
        device = self._services.devices.find(visitor.device_cookie, attempt.account_id, visitor.now)
        step = goal.next_step(
            enrolled=has,
            achieved=attempt.factors,
            trusted_device=device is not None and device.is_trusted,
            is_present=visitor.is_signed_in_as(attempt.account_id),
        )
        return Standing(
            goal=goal,
            attempt=attempt,
            account_id=attempt.account_id,
            enrolled=has,
            device=device,
            step=step,
        )
