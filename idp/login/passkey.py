"""Sign in with a passkey: alone, or as a step of a sign-in on its way."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from idp.audit import Actor, Audit, AuditEvent, Source
from idp.authenticators import Passkeys, PasskeyUse, UnknownPasskey
from idp.crypto import token_digest
from idp.errors import Invalid, Refused
from idp.login.assurance import Achieved, Factor
from idp.login.attempt import LoginAttempt
from idp.login.complete import Completion
from idp.login.enrolled import Enrolments
from idp.login.session import SignedIn
from idp.ratelimit import Limit, RateLimiter
from idp.sessions import BrowserSession
from idp.storage import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyServices:
    """What signing in with a passkey stands on, put together once by the container."""

    database: Database
    passkeys: Passkeys
    enrolments: Enrolments
    completion: Completion
    ratelimiter: RateLimiter
    audit: Audit


class _Arrival(NamedTuple):
    """Who comes with a passkey, and how."""

    browser: str
    present: BrowserSession | None
    only: str | None
    park_present: bool
    device_cookie: str | None
    source: Source
    now: datetime


class PasskeyFlow:
    """Signs people in with a passkey.

    ======================================  ==============================================
    step                                    why there
    ======================================  ==============================================
    limits of the source                    cheap; protects everything behind it (L2, L4)
    claim the challenge                     first, so that a refusal has used it up (M9)
    credential, signature, flags, counter   the account comes from the credential (M10, M11)
    gate, session, audit                    in the same transaction (X12)
    ======================================  ==============================================

    There is no counter of failures per account: a signature cannot be guessed, and a stranger must not
    lock anybody out (row L3).
    """

    def __init__(self, services: PasskeyServices) -> None:
        self._services = services

    @property
    def available(self) -> bool:
        """Whether browsers do WebAuthn at the issuer's address."""
        return self._services.passkeys.available

    def options(self, *, browser: str, source: Source, now: datetime) -> dict[str, Any]:
        """Options for a sign-in in which nobody is named; the same for everybody (row L6).

        Args:
            browser: value of the browser cookie; the challenge is bound to it.
            source: who asks; each question is kept for a while, so their number is limited.
            now: aware UTC time.

        Raises:
            Refused: too many.
        """
        services = self._services
        services.ratelimiter.hit(Limit.REQUESTS_PER_SOURCE, source.address, now)
        with services.database.transaction():
            return services.passkeys.request_options(binding=_of_browser(browser), now=now)

    def options_for(self, attempt: LoginAttempt, *, source: Source, now: datetime) -> dict[str, Any]:
        """Options for a step of a sign-in whose person has proved something else already.

        Raises:
            Refused: too many.
        """
        services = self._services
        services.ratelimiter.hit(Limit.REQUESTS_PER_SOURCE, source.address, now)
        services.passkeys.prepare()  # for the answer, which is judged inside the transaction of the step
        with services.database.transaction():
            return services.passkeys.request_options(
                binding=attempt.id, account_id=attempt.account_id, now=now
            )

    def sign_in(
        self,
        *,
        credential: str,
        browser: str,
        present: BrowserSession | None,
        only: str | None = None,
        park_present: bool = False,
        device_cookie: str | None,
        source: Source,
        now: datetime,
    ) -> SignedIn:
        """Sign in whoever holds the passkey.

        A passkey that verifies its person is the highest level there is, so nothing is left to ask for.

        Args:
            credential: JSON of the browser's answer, as received.
            browser: value of the browser cookie, which the challenge was bound to.
            present: the session this browser had.
            only: the one account that may sign in here, where somebody is to prove again who they are.
            park_present: whether another person's session goes on beside the new one.
            device_cookie: what the browser sent.
            source: where the browser is.
            now: aware UTC time.

        Raises:
            Invalid: the answer is malformed.
            UnknownPasskey: nobody has this passkey.
            Refused: it is not accepted, the account may not be used, or too many attempts.
        """
        arrival = _Arrival(browser, present, only, park_present, device_cookie, source, now)
        self._services.ratelimiter.hit(
            Limit.LOGIN_PER_SOURCE, source.address, now, unless_exhausted=Limit.LOGIN_SPRAY
        )
        self._services.passkeys.prepare()
        with self._services.database.transaction():
            # A refusal is not raised through the transaction: the challenge is used up, whatever came of it.
            outcome = self._accept_or_refuse(credential, arrival)
        if isinstance(outcome, SignedIn):
            return outcome
        self._count_failure(source, now)
        raise outcome

    def _accept_or_refuse(self, credential: str, arrival: _Arrival) -> SignedIn | Refused | Invalid:
        try:
            return self._accept(credential, arrival)
        except (Refused, Invalid) as error:
            self._record_failure(error, None, arrival.source, arrival.now)
            return error

    def _accept(self, credential: str, arrival: _Arrival) -> SignedIn:
        services, now = self._services, arrival.now
        use = services.passkeys.use(credential, binding=_of_browser(arrival.browser), now=now)
        account_id = use.passkey.account_id
        self._believe(use, beside_another=False)
        if arrival.only is not None and account_id != arrival.only:
            raise Refused(
                "This passkey belongs to another account. Please choose another one.",
                detail="reauthentication with a passkey of another account",
            )
        purpose = "login" if arrival.only is None else "reauthentication"
        self._record_use(use, purpose, arrival.source, now)
        return services.completion.complete(
            account_id=account_id,
            achieved=(self._proof(use, now),),
            attempt=None,
            present=arrival.present,
            park_present=arrival.park_present,
            device_cookie=arrival.device_cookie,
            source=arrival.source,
            now=now,
        )

    def prove(self, credential: str, *, attempt: LoginAttempt, source: Source, now: datetime) -> Achieved:
        """Take a passkey as a step of a sign-in, in the caller's transaction.

        A key that only noticed somebody counts as something they have, and no more.

        The caller has asked the limits, as for every other step, and commits a refusal, too: the challenge is
        used up, and the failure is recorded.

        Raises:
            Invalid: the answer is malformed.
            Refused: it is not accepted.
        """
        services = self._services
        if attempt.account_id is None:
            raise Refused("Please sign in first.", detail="no account is proved")
        try:
            use = services.passkeys.use(
                credential, binding=attempt.id, account_id=attempt.account_id, now=now
            )
        except (Refused, Invalid) as error:
            self._record_failure(error, attempt.account_id, source, now)
            raise
        self._believe(use, beside_another=True)
        self._record_use(use, "second_factor", source, now)
        return self._proof(use, now)

    def _believe(self, use: PasskeyUse, *, beside_another: bool) -> None:
        """Judge a verification of the person that the passkey's registration did not show.

        Security: whoever finds the device unlocked may set up what verifies them, so where a second
        step is asked for, it has to be taken once (WebAuthn Level 3 §7.2 step 25).
        """
        if not use.is_first_verification:
            return
        services = self._services
        if not beside_another and services.enrolments.of(use.passkey.account_id).has_second_factor:
            raise Refused(
                "Please sign in with your password this once; after that, this passkey is enough.",
                detail="first verification without another proof",
            )
        services.passkeys.trust_verification(use)

    @staticmethod
    def _proof(use: PasskeyUse, now: datetime) -> Achieved:
        factor = Factor.PASSKEY if use.user_verified else Factor.SECURITY_KEY
        return Achieved(factor, now, synced=use.passkey.is_synced)

    def _record_use(self, use: PasskeyUse, purpose: str, source: Source, now: datetime) -> None:
        account_id = use.passkey.account_id
        self._services.audit.record(
            AuditEvent.PASSKEY_VERIFIED,
            actor=Actor.account(account_id, source),
            account=account_id,
            detail={
                "passkey": use.passkey.id,
                "purpose": purpose,
                "user_verified": use.user_verified,
                "counter_behind": use.counter_behind,
            },
            now=now,
        )

    def _record_failure(
        self, error: Refused | Invalid, account_id: str | None, source: Source, now: datetime
    ) -> None:
        self._services.audit.record(
            AuditEvent.PASSKEY_FAILED,
            actor=Actor.anonymous(source),
            account=account_id,
            detail={"reason": "unknown_passkey" if isinstance(error, UnknownPasskey) else error.detail},
            now=now,
        )

    def _count_failure(self, source: Source, now: datetime) -> None:
        """Count a failure of this source; the refusal, if it is one too many, meets the next attempt."""
        try:
            self._services.ratelimiter.hit(Limit.LOGIN_SPRAY, source.address, now)
        except Refused:
            return


def _of_browser(browser: str) -> str:
    """What a challenge is bound to before anybody is known. A digest: the cookie is a secret."""
    return token_digest("passkey-browser", browser).hex()
