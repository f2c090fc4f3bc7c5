"""After the right password: the second step, or a sign-in that somebody is told of."""

from dataclasses import dataclass, field

from idp.audit import Actor, Audit, AuditEvent
from idp.authenticators import KnownDevices
from idp.crypto import Secret
from idp.delivery import Outbox
from idp.login.assurance import Achieved, Factor
from idp.login.attempt import LoginAttempts
from idp.login.complete import Completion
from idp.login.enrolled import Enrolments
from idp.login.goal import Goal, Visitor
from idp.login.policy import NextStep, Stage
from idp.login.session import SignedIn
from idp.storage import AuditEntry, Database, Repositories


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A sign-in that goes on with another step."""

    step: NextStep
    attempt_cookie: Secret[str]
    """Leads the browser to its attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordGiven:
    """A right password, and what must still hold when it is taken for a proof."""

    account_id: str
    phc: str = field(repr=False)
    new_phc: str | None = field(repr=False)
    counter: bytes
    proof: Achieved
    verified: AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingServices:
    """What the way on stands on, put together once by the container."""

    database: Database
    repos: Repositories
    enrolments: Enrolments
    attempts: LoginAttempts
    devices: KnownDevices
    completion: Completion
    outbox: Outbox
    audit: Audit


class PendingSignIns:
    """Keeps sign-ins whose password was right and that are not over with it."""

    def __init__(self, services: PendingServices) -> None:
        self._services = services

    @property
    def can_tell(self) -> bool:
        """Whether people are told of sign-ins from devices that are not known, with the same commit."""
        return self._services.outbox.can_mail

    def go_on(self, given: PasswordGiven, goal: Goal, visitor: Visitor) -> SignedIn | Unfinished | None:
        """Take the password for a proof, in one transaction; what comes next is decided in it.

        Returns:
            None if the password counts no more: the account was disabled, the password changed, or guesses
            that ran in parallel have paused its counter. Then nothing has happened.

        Raises:
            Unavailable: no database.
        """
        services, now = self._services, visitor.now
        with services.database.transaction():
            if not services.repos.enrolments.is_admitted(
                given.account_id, phc=given.phc, counter=given.counter, now=now
            ):
                return None
            if given.new_phc is not None:
                services.repos.accounts.rehash(
                    given.account_id, phc=given.phc, new_phc=given.new_phc, now=now
                )
            services.repos.audit.add(given.verified)
            device = services.devices.find(visitor.device_cookie, given.account_id, now)
            step = goal.next_step(
                enrolled=services.enrolments.of(given.account_id),
                achieved={given.proof.factor},
                trusted_device=device is not None and device.is_trusted,
                is_present=visitor.is_signed_in_as(given.account_id),
            )
            if step.stage is not Stage.DONE:
                return self._keep(given, step, goal, visitor)
            return services.completion.complete(
                account_id=given.account_id,
                achieved=(given.proof,),
                attempt=None,
                present=visitor.present,
                park_present=goal.park_present,
                device_cookie=visitor.device_cookie,
                source=visitor.source,
                now=now,
            )

    def step_up(self, goal: Goal, visitor: Visitor, proofs: tuple[Achieved, ...]) -> Unfinished | None:
        """Begin with the proofs that a live session stands on.

        ``None`` if no step is left to take, or if the proofs count no more: the person has changed their
        password in this session, and gives the new one.
        """
        services, present = self._services, visitor.present
        if present is None or not proofs:
            return None
        with services.database.transaction():
            has = services.enrolments.after(present.account_id, proofs)
            if has is None:
                return None
            step = goal.next_step(
                enrolled=has,
                achieved={proof.factor for proof in proofs},
                trusted_device=False,
                is_present=True,
            )
            if step.stage is Stage.DONE:
                return None
            _, cookie = services.attempts.begin(
                account_id=present.account_id,
                achieved=proofs,
                detail=goal.detail,
                stands_on=present.id,
                now=visitor.now,
            )
        return Unfinished(step=step, attempt_cookie=cookie)

    def _keep(self, given: PasswordGiven, step: NextStep, goal: Goal, visitor: Visitor) -> Unfinished:
        """Keep the proof in an attempt. The failure counter stays until the sign-in is complete."""
        services = self._services
        _, cookie = services.attempts.begin(
            account_id=given.account_id, achieved=(given.proof,), detail=goal.detail, now=visitor.now
        )
        for method, can_send in (
            (Factor.SMS, services.outbox.can_sms),
            (Factor.EMAIL, services.outbox.can_mail),
        ):
            if method in step.methods and not can_send:
                services.audit.record(
                    AuditEvent.FACTOR_UNAVAILABLE,
                    actor=Actor.account(given.account_id, visitor.source),
                    account=given.account_id,
                    detail={"method": method.value, "reason": "not_configured"},
                    now=visitor.now,
                )
        return Unfinished(step=step, attempt_cookie=cookie)
