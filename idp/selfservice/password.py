"""Changing one's own password, or setting the first one."""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp.accounts import Account, Notice
from idp.audit import Actor, AuditEvent, Source
from idp.authenticators import MEMORY, PAUSES, blocked_for
from idp.crypto import Secret
from idp.errors import Conflict, Invalid, Refused
from idp.languages import marked
from idp.ratelimit import Limit
from idp.selfservice.freshness import NotFresh, assert_fresh
from idp.selfservice.services import SelfServiceServices
from idp.selfservice.sessions import end_others, end_rest
from idp.sessions import BrowserSession, level_of
from idp.storage.hot import Failure

_CHANGED: Final = "password_changed"
_TWO_FACTORS: Final = 2
_WRONG: Final = marked("The present password is not right.")
_SAME: Final = marked("This is the password that you have already.")
_MEANWHILE: Final = marked("The password was changed meanwhile. Please try again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRules:
    """What the form has to ask for."""

    has_password: bool
    asks_present: bool
    """Whether the present password is the proof; else the person has proved more, just now."""
    least: int
    """Characters that a new one must have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """What the present password was checked against, and the counter its failures run under."""

    phc: str | None
    counter: bytes
    blocked_until: datetime | None


class OwnPassword:
    """Changes the password of a signed-in person.

    ======================================  ==============================================
    step                                    why there
    ======================================  ==============================================
    room to wait for a hash                 costs nothing; a flood is refused here (L8)
    what proves the person                  the present password, or more just now (M7)
    limits, counter, check                  as at a sign-in, with its counters (L1, L2, L4)
    rules, hash                             outside every transaction (P1 to P5)
    password, sessions, devices, audit      one transaction; only if the password that was
                                            checked is still the account's (L1)
    ======================================  ==============================================
    """

    def __init__(self, services: SelfServiceServices) -> None:
        self._services = services

    def rules(self, person: BrowserSession, now: datetime) -> PasswordRules:
        """What the form asks for.

        Raises:
            NotFresh: the present password would not be enough, or there is none: the person proves
                themself first (rows M7, M8).
        """
        services = self._services
        with services.database.transaction(write=False):
            has = services.repos.enrolments.of(person.account_id)
        second_step = bool(has.totp or has.sms or has.email)
        fresh_for = services.settings.login.fresh_for
        asks = has.password and not second_step
        try:
            assert_fresh(person, now, fresh_for, second_step=second_step)
            # ASVS 6.2.3: who changes a password gives it, unless something stronger was given just now.
            asks = asks and level_of(person.acr) < _TWO_FACTORS
        except NotFresh:
            if not asks:
                raise
        return PasswordRules(has_password=has.password, asks_present=asks, least=services.new_passwords.least)

    def change(
        self,
        person: BrowserSession,
        *,
        present: str,
        new: str,
        end_other_sessions: bool,
        session_cookie: str,
        device_cookie: str | None,
        source: Source,
        now: datetime,
    ) -> Secret[str]:
        """Set a new password. Trusted browsers are asked for the second step again.

        Returns:
            the new value of the session cookie; a copy of the former one that somebody took is dead (row S2).

        Args:
            person: whose password.
            present: the present one; not looked at where :meth:`rules` does not ask for it.
            new: the new one.
            end_other_sessions: end them all, and revoke every token that was not given in this session.
            session_cookie: the present value of it.
            device_cookie: a known browser has a counter of its own (row L3).
            source: where the browser is.
            now: aware UTC time.

        Raises:
            NotFresh: see :meth:`rules`.
            Refused: the present password is wrong, or too many were; ``retry_after`` says when to go on.
            Invalid: the new password must not be set (field ``password``), or is the present one.
            Conflict: the password was changed meanwhile.
            Busy: too much hashing right now.
        """
        services = self._services
        services.passwords.assert_room()
        rules = self.rules(person, now)
        proof = self._proof(person, device_cookie, now)
        if rules.asks_present:
            self._check(person, proof, present, source, now)
            if present == new:
                raise Invalid(_SAME, field="password")
        phc = services.new_passwords.hash(new, self._context(person.account_id))
        actor = Actor.account(person.account_id, source)
        ended = None
        with services.database.transaction():
            services.repos.accounts.lock(person.account_id)  # of two changes at once the second looks again
            if rules.asks_present and not self._still_holds(person.account_id, proof, now):
                raise Conflict(_MEANWHILE)
            cookie = services.sessions.rotate(person, session_cookie)
            if cookie is None:
                raise Conflict(_MEANWHILE)
            services.passwords.store(person.account_id, phc, now)
            services.throttle.forget(person.account_id)
            services.devices.distrust_all(person.account_id, now)
            services.audit.record(
                AuditEvent.PASSWORD_SET,
                actor=actor,
                account=person.account_id,
                session=person.id,
                now=now,
            )
            services.notices.tell(person.account_id, Notice.PASSWORD_CHANGED, source=source, now=now)
            if end_other_sessions:
                ended = end_others(
                    services,
                    person.account_id,
                    keep=person.id,
                    offline_too=True,
                    reason=_CHANGED,
                    actor=actor,
                    now=now,
                )
        if ended is not None:
            end_rest(
                services, person.account_id, ended, keep=person.id, reason=_CHANGED, actor=actor, now=now
            )
        return cookie

    def _proof(self, person: BrowserSession, device_cookie: str | None, now: datetime) -> _Proof:
        services, account_id = self._services, person.account_id
        with services.database.transaction(write=False):
            device = services.devices.find(device_cookie, account_id, now)
            counter = (
                services.throttle.account_key(account_id)
                if device is None
                else services.throttle.device_key(device.digest)
            )
            row = services.repos.throttles.get(counter)
            return _Proof(
                phc=services.passwords.stored_hash(account_id),
                counter=counter,
                blocked_until=None if row is None or row.expires_at <= now else row.blocked_until,
            )

    def _check(
        self, person: BrowserSession, proof: _Proof, present: str, source: Source, now: datetime
    ) -> None:
        """The present password, with the limits and counters of a sign-in (row L4)."""
        services = self._services
        if not present:
            raise Invalid(marked("Enter your present password."), field="present")
        services.ratelimiter.hit(
            Limit.LOGIN_PER_SOURCE, source.address, now, unless_exhausted=Limit.LOGIN_SPRAY
        )
        services.throttle.assert_open(proof.blocked_until, now)
        check = services.passwords.verify(present, proof.phc)
        if check.correct:
            with services.database.transaction(write=False):
                if self._still_holds(person.account_id, proof, now):
                    return
        failures = services.login_store.refuse(self._failure(person, proof, source, now, right=check.correct))
        with contextlib.suppress(Refused):  # one failure too many is felt by the next attempt
            services.ratelimiter.hit(Limit.LOGIN_SPRAY, source.address, now)
        raise Refused(_WRONG, detail="present password refused", retry_after=blocked_for(failures) or None)

    def _failure(
        self, person: BrowserSession, proof: _Proof, source: Source, now: datetime, *, right: bool
    ) -> Failure:
        audit, actor = self._services.audit, Actor.account(person.account_id, source)
        return Failure(
            counter=proof.counter,
            pauses=PAUSES,
            now=now,
            expires_at=now + MEMORY,
            failed=audit.entry(
                AuditEvent.PASSWORD_FAILED,
                actor=actor,
                account=person.account_id,
                session=person.id,
                detail={"reason": "wrong_password", "purpose": "password_change"},
                now=now,
            ),
            reason_while_paused="paused" if right else None,
            throttled=audit.entry(
                AuditEvent.PASSWORD_THROTTLED, actor=actor, account=person.account_id, now=now
            ),
        )

    def _still_holds(self, account_id: str, proof: _Proof, now: datetime) -> bool:
        """Whether the hash is still the account's, and guesses in parallel have not paused the counter."""
        return proof.phc is not None and self._services.repos.enrolments.is_admitted(
            account_id, phc=proof.phc, counter=proof.counter, now=now
        )

    def _context(self, account_id: str) -> tuple[str, ...]:
        with self._services.database.transaction(write=False):
            return words_of(self._services.accounts.get(account_id))


def words_of(account: Account) -> tuple[str, ...]:
    """What an attacker who knows the person would try."""
    names = ("name", "given_name", "family_name", "nickname", "birthdate")
    return (account.username, account.email or "", *(str(account.claims.get(name, "")) for name in names))
