"""Sign in with a name and a password. The order of the steps is the security of it."""

from dataclasses import dataclass
from datetime import datetime

from idp.accounts import Account, Accounts, assert_may_authenticate, canonical_identifier
from idp.audit import Actor, Audit, AuditEvent, Source
from idp.authenticators import KnownDevices, PasswordCheck, Passwords, PasswordThrottle, blocked_for
from idp.crypto import Secret
from idp.errors import Invalid, Refused
from idp.login.assurance import Factor, assurance_of
from idp.login.session import SessionDesk
from idp.ratelimit import Limit, RateLimiter
from idp.sessions import BrowserSession, Sessions
from idp.storage import Database, Repositories

_NOBODY = "acc_nobody"
_WRONG = "The username or the password is not right."


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A person who has proved who they are, and what their browser must keep."""

    account: Account
    session: BrowserSession
    session_cookie: Secret[str]
    device_cookie: Secret[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginServices:
    """What signing in stands on, put together once by the container."""

    database: Database
    repos: Repositories
    accounts: Accounts
    passwords: Passwords
    throttle: PasswordThrottle
    devices: KnownDevices
    sessions: Sessions
    ratelimiter: RateLimiter
    audit: Audit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """Who is meant by what was typed, before any proof."""

    account: Account | None
    phc: str | None
    keys: tuple[bytes, ...]
    """Failure counters this attempt runs under."""
    known_device: bool
    present: BrowserSession | None
    device_cookie: str | None
    source: Source
    now: datetime

    @property
    def purpose(self) -> str:
        """Why the password is asked for, for the audit record."""
        again = self.present is not None and self.account is not None
        same = again and self.present.account_id == self.account.id  # type: ignore[union-attr] # both are checked in `again`
        return "reauthentication" if same else "login"

    @property
    def actor(self) -> Actor:
        """Somebody at a browser, until the password has proved more."""
        return Actor.anonymous(self.source)


class LoginFlow:
    """Signs people in with a password.

    ======================================  ==============================================
    step                                    why there
    ======================================  ==============================================
    room to wait for a hash                 costs nothing; a flood is refused here (L8)
    limits of the source                    cheap; protects everything behind it (L2)
    find account, device, counters          one short read; unknown names count alike (L6)
    counters                                before any hashing (L1, L4)
    hash                                    outside every transaction, equal work (L7, L8)
    counters again, gate, session, audit    one transaction decides (X12)
    ======================================  ==============================================
    """

    def __init__(self, services: LoginServices) -> None:
        self._services = services
        self._desk = SessionDesk(repos=services.repos, sessions=services.sessions, audit=services.audit)

    def sign_in_with_password(
        self,
        *,
        identifier: str,
        password: str,
        present_session: BrowserSession | None,
        device_cookie: str | None,
        source: Source,
        now: datetime,
    ) -> SignedIn:
        """Check name and password, and start or renew the browser session.

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
        services.ratelimiter.test(Limit.LOGIN_SPRAY, source.address, now)
        services.ratelimiter.hit(Limit.LOGIN_PER_SOURCE, source.address, now)
        with services.database.transaction(write=False):
            attempt = self._identify(identifier, present_session, device_cookie, source, now)
            services.throttle.before(attempt.keys, now)
        check = services.passwords.verify(password, attempt.phc)
        with services.database.transaction():
            signed_in = self._accept(attempt, check)
            failures = self._reject(attempt, check) if signed_in is None else 0
        if signed_in is not None:
            return signed_in
        # After the transaction, which has to commit the failure.
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
        """Same reads for known and unknown names (row L6)."""
        services = self._services
        account = services.accounts.find_by_identifier(identifier)
        account_id = _NOBODY if account is None else account.id
        device = services.devices.find(device_cookie, account_id, now)
        if account is None:
            key = services.throttle.name_key(_name(identifier))
        elif device is None:
            key = services.throttle.account_key(account_id)
        else:
            # Security: a stranger who exhausts the account's attempts does not lock its owner out (row L3).
            key = services.throttle.device_key(device.digest)
        return _Attempt(
            account=account,
            phc=services.passwords.stored_hash(account_id),
            keys=(key,),
            known_device=device is not None,
            present=present,
            device_cookie=device_cookie,
            source=source,
            now=now,
        )

    def _accept(self, attempt: _Attempt, check: PasswordCheck) -> SignedIn | None:
        """Sign the person in, if everything still holds inside the deciding transaction."""
        services, now = self._services, attempt.now
        if attempt.account is None or not check.correct:
            return None
        if self._is_paused(attempt):
            return None
        account = services.accounts.get(attempt.account.id)
        if account.is_disabled or services.passwords.stored_hash(account.id) != attempt.phc:
            return None
        assert_may_authenticate(account, now)
        services.throttle.succeeded(attempt.keys)
        if check.phc_to_store is not None:
            services.passwords.store(account.id, check.phc_to_store, now)
        services.audit.record(
            AuditEvent.PASSWORD_VERIFIED,
            actor=Actor.account(account.id, attempt.source),
            account=account.id,
            detail={
                "purpose": attempt.purpose,
                "known_device": attempt.known_device,
                "rehashed": check.phc_to_store is not None,
            },
            now=now,
        )
        session, cookie = self._desk.admit(
            account_id=account.id,
            present=attempt.present,
            assurance=assurance_of((Factor.PASSWORD,)),
            known_device=attempt.known_device,
            source=attempt.source,
            now=now,
        )
        return SignedIn(
            account=account,
            session=session,
            session_cookie=cookie,
            device_cookie=services.devices.remember(attempt.device_cookie, account.id, now),
        )

    def _is_paused(self, attempt: _Attempt) -> bool:
        """Whether guesses that ran in parallel have used up the attempts by now.

        Security: the right password is then counted and answered as a wrong one. Were it told to
        wait, while the others of its burst hear that they are wrong, it would be found out.
        """
        try:
            self._services.throttle.before(attempt.keys, attempt.now)
        except Refused:
            return True
        return False

    def _reject(self, attempt: _Attempt, check: PasswordCheck) -> int:
        """Count and record the failure; how many there were in a row."""
        services, account = self._services, attempt.account
        account_id = None if account is None else account.id
        paused = check.correct and self._is_paused(attempt)
        failures = services.throttle.failed(attempt.keys, attempt.now)
        refused = "paused" if paused else "account_disabled"
        reason = refused if check.correct else "wrong_password"
        services.audit.record(
            AuditEvent.PASSWORD_FAILED,
            actor=attempt.actor,
            account=account_id,
            detail={
                "reason": "unknown_account" if account is None else reason,
                "purpose": attempt.purpose,
                "failures": failures,
            },
            now=attempt.now,
        )
        if pause := blocked_for(failures):
            services.audit.record(
                AuditEvent.PASSWORD_THROTTLED,
                actor=attempt.actor,
                account=account_id,
                detail={"failures": failures, "blocked_until": attempt.now + pause},
                now=attempt.now,
            )
        return failures

    def _count_spraying(self, source: Source, now: datetime) -> None:
        """Count a failure of this source; the refusal, if it is one too many, meets the next attempt."""
        try:
            self._services.ratelimiter.hit(Limit.LOGIN_SPRAY, source.address, now)
        except Refused:
            return


def _name(identifier: str) -> str:
    """What names nobody, in the form it is counted under."""
    try:
        return canonical_identifier(identifier)
    except Invalid:
        return identifier
