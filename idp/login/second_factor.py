"""The second step of a sign-in: a code from a generator, a list, a telephone or a mailbox; or a passkey."""

import contextlib
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from idp.accounts import Accounts, Notice, Notices
from idp.audit import Actor, Audit, AuditEvent
from idp.authenticators import (
    FREE_FAILURES,
    Channel,
    CodeFactors,
    FactorThrottle,
    RecoveryCodes,
    Totp,
    TotpEnrolment,
)
from idp.crypto import Secret
from idp.errors import Invalid, Refused
from idp.languages import marked
from idp.login.assurance import Achieved, Factor
from idp.login.attempt import LoginAttempts
from idp.login.complete import Completion
from idp.login.enrolled import Enrolments
from idp.login.goal import Goal, Visitor
from idp.login.passkey import PasskeyFlow
from idp.login.policy import Stage
from idp.login.session import SignedIn
from idp.login.standing import Standing, Standings
from idp.onetime import OneTimeCodes
from idp.ratelimit import Limit, RateLimiter
from idp.storage import Database

_WRONG: Final = marked("That code is not right.")
_WRONG_STEP: Final = marked(
    "That code is not right. Check that your device's clock is, and enter the code it shows now."
)
_EMPTY: Final = marked("Enter the code.")
_LONGEST: Final = 100
"""Characters that are looked at; no code has more."""

SENT: Final = {Factor.SMS: Channel.SMS, Factor.EMAIL: Channel.EMAIL}
"""Methods whose codes travel, and how."""


class Finished(NamedTuple):
    """A sign-in that took its last step."""

    signed_in: SignedIn
    goal: Goal


Outcome = Finished | Standing
"""Signed in; or where the sign-in stands now: it needs another step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorSetup:
    """What an app needs to become somebody's generator."""

    secret: Secret[str]
    uri: Secret[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorServices:
    """What the second step stands on, put together once by the container."""

    database: Database
    accounts: Accounts
    standings: Standings
    attempts: LoginAttempts
    enrolments: Enrolments
    completion: Completion
    throttle: FactorThrottle
    totp: Totp
    totp_enrolment: TotpEnrolment
    recovery_codes: RecoveryCodes
    code_factors: CodeFactors
    codes: OneTimeCodes
    passkeys: PasskeyFlow
    notices: Notices
    ratelimiter: RateLimiter
    audit: Audit


class SecondFactorFlow:
    """Takes second steps. Each of them is one transaction.

    ======================================  ==============================================
    step                                    why there
    ======================================  ==============================================
    the attempt, and what it lacks          the server alone knows the way (M5)
    count the try                           before any look, others wait: no burst (L1, L4)
    the code, used up                       exactly once, on every node (M1, M2, M3)
    attempt used up, gate, session, audit   in the same transaction (X12)
    ======================================  ==============================================
    """

    def __init__(self, services: SecondFactorServices) -> None:
        self._services = services

    def look(self, goal: Goal, visitor: Visitor) -> Standing:
        """Where the sign-in of this browser stands; reads only.

        Raises:
            NoAttempt: there is none here.
        """
        with self._services.database.transaction(write=False):
            return self._services.standings.get(goal, visitor)

    def prove(
        self, goal: Goal, visitor: Visitor, method: Factor, answer: str, *, trust_device: bool = False
    ) -> Outcome:
        """Take an answer to the question that is asked.

        Args:
            goal: what the sign-in is for.
            visitor: the browser.
            method: how the person answers.
            answer: as typed; of a passkey, what the browser made.
            trust_device: whether they asked not to be asked here again.

        Returns:
            the end of the sign-in, or what comes next; also when the answer is to another question than the
            one that is asked.

        Raises:
            NoAttempt: there is no sign-in on its way here.
            Invalid: nothing was typed, or what a browser never makes.
            Refused: the answer is wrong, ``retry_after`` says when to try again; or too many were.
        """
        self._limit(visitor)
        with self._services.database.transaction():
            standing = self._services.standings.get(goal, visitor)
            if standing.step.stage is not Stage.ASK or method not in standing.step.methods:
                return standing
            proof = self._examine(standing, visitor, method, answer)
            if isinstance(proof, Achieved):
                return self._advance(standing, visitor, proof, trust_device=trust_device)
        # Raised outside of the transaction: what was wrong is counted, whatever comes of it.
        self._count_spraying(visitor)
        raise proof

    def cancel(self, goal: Goal, visitor: Visitor) -> None:
        """The person gives up; what they proved is worth nothing any more."""
        with self._services.database.transaction():
            standing = self._services.standings.get(goal, visitor)
            self._services.attempts.finish(standing.attempt, visitor.now)

    def generator_setup(self, goal: Goal, visitor: Visitor) -> GeneratorSetup | Standing | None:
        """The secret of a generator that has to be set up, made on the first call; or what comes before it.

        None if it is a passkey that has to be set up.

        Raises:
            NoAttempt: there is no sign-in on its way here.
        """
        services, now = self._services, visitor.now
        with services.database.transaction():
            standing = services.standings.get(goal, visitor)
            if standing.step.stage is not Stage.ENROL:
                return standing
            if _adds_passkey(standing, visitor):
                return None
            whose, binding = standing.account_id, standing.attempt.id
            secret = services.totp_enrolment.waiting(whose, binding=binding, now=now)
            if secret is None:
                secret = services.totp_enrolment.begin(whose, binding=binding, now=now)
            account_name = services.accounts.get(whose).username
        return GeneratorSetup(secret=secret, uri=Secret(services.totp.uri(secret, account_name)))

    def confirm_generator(self, goal: Goal, visitor: Visitor, code: str) -> Outcome:
        """Take the code that shows that an app has the secret; it is the second step, too.

        Raises:
            NoAttempt: there is no sign-in on its way here.
            Invalid: nothing was typed, or a code of no such generator.
            Refused: too many wrong ones.
        """
        services, now = self._services, visitor.now
        typed = _typed(code)
        with services.database.transaction():
            standing = services.standings.get(goal, visitor)
            if standing.step.stage is not Stage.ENROL or _adds_passkey(standing, visitor):
                return standing
            account_id = standing.account_id
            if not services.totp_enrolment.confirm(
                account_id, binding=standing.attempt.id, code=typed, now=now
            ):
                raise Invalid(_WRONG_STEP, field="code")
            services.audit.record(
                AuditEvent.TOTP_ADDED,
                actor=Actor.account(account_id, visitor.source),
                account=account_id,
                detail={"replaced": standing.enrolled.totp},
                now=now,
            )
            services.notices.tell(account_id, Notice.TOTP_ADDED, source=visitor.source, now=now)
            return self._advance(standing, visitor, Achieved(Factor.TOTP, now), trust_device=False)

    def _examine(
        self, standing: Standing, visitor: Visitor, method: Factor, answer: str
    ) -> Achieved | Refused | Invalid:
        """The proof, or the refusal to raise after the commit. What is raised here undoes everything."""
        services, now, account_id = self._services, visitor.now, standing.account_id
        if method is Factor.PASSKEY:
            try:
                return services.passkeys.prove(
                    answer, attempt=standing.attempt, source=visitor.source, now=now
                )
            except (Refused, Invalid) as error:
                return error
        typed = _typed(answer)
        counter = services.throttle.counter(account_id, standing.device, method.value)
        tries = services.throttle.count(counter, now)
        if not self._use_up(standing, visitor, method, typed):
            return self._fail(standing, visitor, method, counter, tries)
        services.audit.record(
            AuditEvent.FACTOR_VERIFIED,
            actor=Actor.account(account_id, visitor.source),
            account=account_id,
            detail={
                "method": method.value,
                "purpose": visitor.purpose(account_id),
                "reason": standing.reason,
            },
            now=now,
        )
        return Achieved(method, now)

    def _use_up(self, standing: Standing, visitor: Visitor, method: Factor, typed: str) -> bool:
        """Whether the code is right; then nobody can use it again (rows M1, M2, M3)."""
        services, now, account_id = self._services, visitor.now, standing.account_id
        match method:
            case Factor.TOTP:
                return services.totp.verify(account_id, typed, now)
            case Factor.RECOVERY_CODE:
                if not services.recovery_codes.claim(account_id, typed, now):
                    return False
                services.notices.tell(account_id, Notice.RECOVERY_CODE_USED, source=visitor.source, now=now)
                return True
            case Factor.SMS | Factor.EMAIL:
                binding = standing.attempt.id
                if services.codes.claim(code_kind(method), binding=binding, code=typed, now=now) is None:
                    return False
                services.code_factors.note_use(account_id, SENT[method], now)
                return True
            case _:
                return False

    def _fail(
        self, standing: Standing, visitor: Visitor, method: Factor, counter: bytes, tries: int
    ) -> Refused:
        """Count and record a wrong code; the refusal."""
        services, now, account_id = self._services, visitor.now, standing.account_id
        until = services.throttle.fail(counter, tries, now)
        actor = Actor.account(account_id, visitor.source)  # the first step is proved
        detail = {"method": method.value, "failures": tries}
        services.audit.record(
            AuditEvent.FACTOR_FAILED,
            actor=actor,
            account=account_id,
            detail={**detail, "purpose": visitor.purpose(account_id), "reason": standing.reason},
            now=now,
        )
        if until is not None:
            self._warn(account_id, visitor, tries)
            services.audit.record(
                AuditEvent.FACTOR_THROTTLED,
                actor=actor,
                account=account_id,
                detail={**detail, "blocked_until": until},
                now=now,
            )
        return Refused(
            _WRONG_STEP if method is Factor.TOTP else _WRONG,
            detail=f"wrong code by {method.value}",
            retry_after=None if until is None else until - now,
        )

    def _warn(self, account_id: str, visitor: Visitor, tries: int) -> None:
        """Tell the owner, once for each row of failures, that somebody may know their password (row M13)."""
        if tries == FREE_FAILURES + 1:
            self._services.notices.tell(
                account_id, Notice.SECOND_STEP_FAILED, source=visitor.source, now=visitor.now
            )

    def _advance(
        self, standing: Standing, visitor: Visitor, proof: Achieved, *, trust_device: bool
    ) -> Outcome:
        """Keep the proof; sign the person in if it was the last one."""
        services, now, account_id = self._services, visitor.now, standing.account_id
        goal, attempt = standing.goal, standing.attempt.having(proof, account_id)
        now_standing = services.standings.judge(attempt, services.enrolments.of(account_id), goal, visitor)
        if now_standing.step.stage is not Stage.DONE:
            return replace(now_standing, attempt=services.attempts.save(attempt, now))
        signed_in = services.completion.complete(
            account_id=account_id,
            achieved=attempt.achieved,
            attempt=attempt,
            present=visitor.present,
            park_present=goal.park_present,
            device_cookie=visitor.device_cookie,
            trust_device=trust_device,
            only_renews=attempt.stands_on is not None,
            source=visitor.source,
            now=now,
        )
        return Finished(signed_in, goal)

    def _limit(self, visitor: Visitor) -> None:
        """Outside of transactions: the limits have statements of their own."""
        self._services.ratelimiter.hit(
            Limit.LOGIN_PER_SOURCE, visitor.source.address, visitor.now, unless_exhausted=Limit.LOGIN_SPRAY
        )

    def _count_spraying(self, visitor: Visitor) -> None:
        """Count a failure of this source; the refusal, if it is one too many, meets the next attempt."""
        with contextlib.suppress(Refused):
            self._services.ratelimiter.hit(Limit.LOGIN_SPRAY, visitor.source.address, visitor.now)


def code_kind(method: Factor) -> str:
    """The kind of the one-time codes of a method."""
    return f"sign-in-{method.value}"


def _adds_passkey(standing: Standing, visitor: Visitor) -> bool:
    return standing.goal.adds_passkey(is_present=visitor.is_signed_in_as(standing.account_id))


def _typed(code: str) -> str:
    typed = code.strip()[:_LONGEST]
    if not typed:
        raise Invalid(_EMPTY, field="code")
    return typed
