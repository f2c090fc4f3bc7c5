"""Sign in with a name and a password. The order of the steps is the security of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from idp.accounts import canonical_identifier
from idp.audit import Actor, Audit, AuditEvent, Source
from idp.authenticators import (
    DEVICE_LIFETIME,
    MEMORY,
    PAUSES,
    KnownDevices,
    PasswordCheck,
    Passwords,
    PasswordThrottle,
    blocked_for,
)
from idp.crypto import Secret
from idp.errors import Invalid, Refused
from idp.languages import marked
from idp.login.assurance import Achieved, Assurance, Factor
from idp.login.goal import Goal, Visitor
from idp.login.pending import PasswordGiven, PendingSignIns, Unfinished
from idp.login.policy import password_suffices
from idp.login.session import SessionDesk, SignedIn
from idp.ratelimit import Limit, RateLimiter
from idp.sessions import ACR_SINGLE_FACTOR, BrowserSession, Sessions
from idp.storage import AuditEntry
from idp.storage.hot import Failure, LoginQuestion, LoginState, LoginStore, PresentSession, SignIn

_WRONG: Final = marked("The username or the password is not right.")
_PASSWORD: Final = Assurance(acr=ACR_SINGLE_FACTOR, amr=("pwd",))
_ANYWHERE: Final = Goal()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginServices:
    """What signing in stands on, put together once by the container."""

    store: LoginStore
    passwords: Passwords
    throttle: PasswordThrottle
    devices: KnownDevices
    sessions: Sessions
    ratelimiter: RateLimiter
    audit: Audit
    pending: PendingSignIns


class _Attempt(NamedTuple):
    """Who is meant by what was typed, before any proof."""

    state: LoginState
    counter: bytes
    """The failure counter that this attempt runs under."""
    device_cookie: str | None
    device_digest: bytes | None
    present: BrowserSession | None
    source: Source
    now: datetime
    goal: Goal

    @property
    def purpose(self) -> str:
        """Why the password is asked for, for the audit record."""
        return self.visitor.purpose(self.state.account_id)

    @property
    def visitor(self) -> Visitor:
        """Who stands at the door."""
        return Visitor(
            present=self.present, device_cookie=self.device_cookie, source=self.source, now=self.now
        )


class LoginFlow:
    """Signs people in with a password.

    ======================================  ==============================================
    step                                    why there
    ======================================  ==============================================
    room to wait for a hash                 costs nothing; a flood is refused here (L8)
    limits of the source                    cheap; protects everything behind it (L2)
    find account, device, counter           one read; unknown names count alike (L6)
    counter                                 before any hashing (L1)
    hash                                    outside every transaction, equal work (L7, L8)
    what is enough                          nothing, if no second step is due (M5)
    counter again, gate, session, audit     one statement decides (X12); or the attempt is
                                            kept, and the second step asked for
    ======================================  ==============================================
    """

    def __init__(self, services: LoginServices) -> None:
        self._services = services
        self._desk = SessionDesk(sessions=services.sessions, audit=services.audit)

    def sign_in_with_password(
        self,
        *,
        identifier: str,
        password: str,
        present_session: BrowserSession | None,
        device_cookie: str | None,
        source: Source,
        now: datetime,
        goal: Goal = _ANYWHERE,
    ) -> SignedIn | Unfinished:
        """Check name and password, and start or renew the browser session, if no more is asked for.

        The same person in a live session keeps its ``sid`` and gets a new cookie value; another
        person ends the session that was there (row S2).

        Raises:
            Refused: wrong name, wrong password or disabled account, all in the same words (row
                L6); or too many attempts. ``retry_after`` says when to try again.
            Invalid: a password that is too long or no valid text (row P4).
            Busy: too much hashing right now (row L8).
            Unavailable: no database.
        """
        services = self._services
        services.passwords.assert_room()
        services.ratelimiter.hit(
            Limit.LOGIN_PER_SOURCE, source.address, now, unless_exhausted=Limit.LOGIN_SPRAY
        )
        attempt = self._identify(identifier, present_session, device_cookie, source, now)
        attempt = attempt._replace(goal=goal)
        services.throttle.assert_open(attempt.state.blocked_until, now)
        check = services.passwords.verify(password, attempt.state.phc)
        outcome = self._accept(attempt, check)
        if outcome is not None:
            return outcome
        failures = self._reject(attempt, check)
        self._count_spraying(source, now)
        raise Refused(_WRONG, detail="password refused", retry_after=blocked_for(failures) or None)

    def _identify(
        self,
        identifier: str,
        present: BrowserSession | None,
        device_cookie: str | None,
        source: Source,
        now: datetime,
    ) -> _Attempt:
        """The same work for known and unknown names (row L6)."""
        services, throttle = self._services, self._services.throttle
        canonical = _canonical(identifier)
        name_counter = throttle.name_key(identifier if canonical is None else canonical)
        device_digest = services.devices.digest(device_cookie)
        device_counter = None if device_digest is None else throttle.device_key(device_digest)
        state = services.store.find(
            LoginQuestion(canonical, name_counter, device_digest, device_counter, now)
        )
        if state.account_id is None:
            counter = name_counter
        elif state.known_device and device_counter is not None:
            # Security: a stranger who exhausts the account's attempts does not lock its owner out (row L3).
            counter = device_counter
        else:
            counter = throttle.account_key(state.account_id)
        return _Attempt(state, counter, device_cookie, device_digest, present, source, now, _ANYWHERE)

    def _accept(self, attempt: _Attempt, check: PasswordCheck) -> SignedIn | Unfinished | None:
        """Go on with the right password: at once where it is enough, else to the second step."""
        state, goal = attempt.state, attempt.goal
        if state.account_id is None or state.phc is None or not check.correct:
            return None
        enough = password_suffices(
            has_second_step=state.has_second_step,
            required=goal.required,
            trusted_device=state.trusted_device and not goal.again,
        )
        tells = state.is_told and not state.known_device and self._services.pending.can_tell
        # Which clients hear of the end of another person's session is written with it, too.
        ends = attempt.present is not None and attempt.present.account_id != state.account_id
        if enough and not (tells or ends):
            return self._admit(attempt, state.account_id, state.phc, check)
        return self._services.pending.go_on(
            PasswordGiven(
                account_id=state.account_id,
                phc=state.phc,
                new_phc=check.phc_to_store,
                counter=attempt.counter,
                proof=Achieved(Factor.PASSWORD, attempt.now),
                verified=self._verified(attempt, state.account_id, check),
            ),
            goal,
            attempt.visitor,
        )

    def _admit(self, attempt: _Attempt, account_id: str, phc: str, check: PasswordCheck) -> SignedIn | None:
        """Sign the person in, if everything still holds in the statement that decides.

        Security: it asks for the counter again, which guesses that ran in parallel may have
        exhausted by now. The right password is then counted and answered as a wrong one. Were it
        told to wait, while the others of its burst hear that they are wrong, it would be found out.
        """
        services, now, present = self._services, attempt.now, attempt.present
        known_device = attempt.state.known_device
        if attempt.goal.park_present and present is not None and present.account_id != account_id:
            present = None
        seat = self._desk.prepare(
            account_id=account_id,
            present=present,
            assurance=_PASSWORD,
            known_device=known_device,
            source=attempt.source,
            now=now,
        )
        new_device, new_device_digest = services.devices.new()
        done = services.store.admit(
            SignIn(
                account_id=account_id,
                phc=phc,
                new_phc=check.phc_to_store,
                counter=attempt.counter,
                session=seat.draft,
                present=None
                if present is None
                else PresentSession(present.id, present.account_id, present.logins),
                device_digest=attempt.device_digest,
                new_device_digest=new_device_digest,
                device_expires_at=now + DEVICE_LIFETIME,
                now=now,
                verified=self._verified(attempt, account_id, check),
                started=seat.started,
                renewed=seat.renewed,
                ended=seat.ended,
            )
        )
        if done is None:
            return None
        kept = attempt.device_cookie if done.known_device else None
        return SignedIn(
            session=self._desk.taken(seat, renewed=done.renewed),
            session_cookie=seat.cookie,
            device_cookie=new_device if kept is None else Secret(kept),
        )

    def _verified(self, attempt: _Attempt, account_id: str, check: PasswordCheck) -> AuditEntry:
        return self._services.audit.entry(
            AuditEvent.PASSWORD_VERIFIED,
            actor=Actor.account(account_id, attempt.source),
            account=account_id,
            detail={
                "purpose": attempt.purpose,
                "known_device": attempt.state.known_device,
                "rehashed": check.phc_to_store is not None,
            },
            now=attempt.now,
        )

    def _reject(self, attempt: _Attempt, check: PasswordCheck) -> int:
        """Count and record the failure; how many there were in a row."""
        services, account_id, now = self._services, attempt.state.account_id, attempt.now
        actor = Actor.anonymous(attempt.source)  # the password has proved nothing
        reason = "account_disabled" if check.correct else "wrong_password"
        return services.store.refuse(
            Failure(
                counter=attempt.counter,
                pauses=PAUSES,
                now=now,
                expires_at=now + MEMORY,
                failed=services.audit.entry(
                    AuditEvent.PASSWORD_FAILED,
                    actor=actor,
                    account=account_id,
                    detail={
                        "reason": "unknown_account" if account_id is None else reason,
                        "purpose": attempt.purpose,
                    },
                    now=now,
                ),
                reason_while_paused="paused" if check.correct else None,
                throttled=services.audit.entry(
                    AuditEvent.PASSWORD_THROTTLED, actor=actor, account=account_id, now=now
                ),
            )
        )

    def _count_spraying(self, source: Source, now: datetime) -> None:
        """Count a failure of this source; the refusal, if it is one too many, meets the next attempt."""
        try:
            self._services.ratelimiter.hit(Limit.LOGIN_SPRAY, source.address, now)
        except Refused:
            return


def _canonical(identifier: str) -> str | None:
    """The form in which names are compared; ``None`` for what names nobody."""
    try:
        return canonical_identifier(identifier)
    except Invalid:
        return None
