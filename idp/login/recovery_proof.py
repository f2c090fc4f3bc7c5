"""The second proof that an account with a second factor asks for before its password is replaced (row V5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from idp.accounts import Notice, Notices
from idp.audit import Actor, Audit, AuditEvent, Source
from idp.authenticators import Channel as CodeChannel
from idp.authenticators import CodeFactors, FactorThrottle, KnownDevices, RecoveryCodes, Totp
from idp.crypto import b64url_encode, token_digest
from idp.delivery import Channel, Outbox
from idp.errors import Refused
from idp.languages import marked
from idp.login.assurance import Factor
from idp.login.enrolled import Enrolments
from idp.onetime import OneTimeCodes

_KIND: Final = "recovery"
_WRONG: Final = marked("The code is not right.")


class SecondProof(NamedTuple):
    """What a person gave besides the link."""

    factor: Factor
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondProofs:
    """Asks for codes and checks them, with the counters of sign-ins (row L4).

    Callers hold the transaction.
    """

    enrolments: Enrolments
    totp: Totp
    recovery_codes: RecoveryCodes
    code_factors: CodeFactors
    codes: OneTimeCodes
    outbox: Outbox
    throttle: FactorThrottle
    devices: KnownDevices
    notices: Notices
    audit: Audit
    code_lifetime: timedelta

    def methods(self, account_id: str, link_came_by: Channel) -> tuple[Factor, ...]:
        """What is asked for besides a link, any one of these; empty if the account has no second factor.

        A code that would travel the same way as the link proves nothing more, so it is not among them
        (NIST SP 800-63B-4 §4.2.2.2).
        """
        enrolled = self.enrolments.of(account_id)
        if not enrolled.has_second_factor:
            return ()
        offered = {
            Factor.TOTP: enrolled.totp,
            Factor.SMS: enrolled.sms and link_came_by is not Channel.SMS,
            Factor.RECOVERY_CODE: enrolled.recovery_codes > 0,
        }
        return tuple(factor for factor, has in offered.items() if has)

    def is_out_of_reach(self, account_id: str, link_came_by: Channel) -> bool:
        """Whether the account has a second factor, and whoever holds the link could give no second proof.

        A step by e-mail alone makes no two factors (row M4), so it is none here either.
        """
        enrolled = self.enrolments.of(account_id)
        return (enrolled.totp or enrolled.sms) and not self.methods(account_id, link_came_by)

    def send(self, account_id: str, link: str, *, locale: str, source: Source, now: datetime) -> bool:
        """Send a code by SMS, bound to the link (row M3); whether it will leave."""
        number = self.code_factors.find(account_id, CodeChannel.SMS)
        if number is None:
            return False
        code = self.codes.issue(
            _KIND, binding=_binding(link), account_id=account_id, lifetime=self.code_lifetime, now=now
        )
        return self.outbox.sms(
            "reset_code",
            to=number.address,
            locale=locale,
            values={"code": code},
            account_id=account_id,
            now=now,
            expires_at=now + self.code_lifetime,
            source=source.address,
        )

    def check(
        self,
        account_id: str,
        methods: tuple[Factor, ...],
        proof: SecondProof | None,
        *,
        link: str,
        device_cookie: str | None,
        source: Source,
        now: datetime,
    ) -> Refused | None:
        """Use the proof up; ``None`` if it was right, or none is asked for.

        Returns:
            why it is refused. The caller commits, so that the try stays counted, and raises it.

        Raises:
            Refused: the counter is paused, or the proof is missing.
        """
        if not methods:
            return None
        if proof is None or proof.factor not in methods or not proof.code.strip():
            raise Refused("Enter a code of your second step too.", detail="second proof missing")
        device = self.devices.find(device_cookie, account_id, now)
        counter = self.throttle.counter(account_id, device, proof.factor.value)
        failures = self.throttle.count(counter, now)
        actor = Actor.account(account_id, source)
        if self._is_right(account_id, proof, link, now):
            self.throttle.forget(account_id, device, proof.factor.value)
            self.audit.record(
                AuditEvent.FACTOR_VERIFIED,
                actor=actor,
                account=account_id,
                detail={"method": proof.factor.value, "purpose": "recovery"},
                now=now,
            )
            if proof.factor is Factor.RECOVERY_CODE:
                self.notices.tell(account_id, Notice.RECOVERY_CODE_USED, source=source, now=now)
            return None
        until = self.throttle.fail(counter, failures, now)
        self.audit.record(
            AuditEvent.FACTOR_FAILED,
            actor=Actor.anonymous(source),
            account=account_id,
            detail={"method": proof.factor.value, "purpose": "recovery", "failures": failures},
            now=now,
        )
        return Refused(
            _WRONG, detail="second proof refused", retry_after=None if until is None else until - now
        )

    def _is_right(self, account_id: str, proof: SecondProof, link: str, now: datetime) -> bool:
        if proof.factor is Factor.TOTP:
            return self.totp.verify(account_id, proof.code, now)
        if proof.factor is Factor.RECOVERY_CODE:
            return self.recovery_codes.claim(account_id, proof.code, now)
        claimed = self.codes.claim(_KIND, binding=_binding(link), code=proof.code, now=now)
        return claimed is not None and claimed.account_id == account_id


def _binding(link: str) -> str:
    return b64url_encode(token_digest("recovery-link", link))
