"""Sending the codes of a second step by SMS and mail, with another way at once when one fails."""

from dataclasses import dataclass, replace
from typing import Final

from idp.audit import Actor, Audit, AuditEvent
from idp.authenticators import CodeFactor, CodeFactors
from idp.delivery import Outbox, SmsSender, Undeliverable
from idp.errors import Refused, Unavailable
from idp.languages import marked
from idp.login.assurance import Factor
from idp.login.attempt import LoginAttempts
from idp.login.goal import Goal, Visitor
from idp.login.policy import Stage
from idp.login.second_factor import SENT, code_kind
from idp.login.standing import Standing, Standings
from idp.onetime import OneTimeCodes
from idp.settings import LoginSettings
from idp.storage import Database

_TEMPLATE: Final = "sign_in_code"
_SENT: Final = "sent"
_FAILED: Final = "failed"
_TOO_MANY: Final = marked(
    "Too many codes were asked for. Please wait before you ask for another, or choose another way."
)
_MINUTE: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCodeServices:
    """What sending stands on, put together once by the container."""

    database: Database
    standings: Standings
    attempts: LoginAttempts
    code_factors: CodeFactors
    codes: OneTimeCodes
    outbox: Outbox
    sms_sender: SmsSender
    audit: Audit
    settings: LoginSettings


class SentCodes:
    """Makes and sends codes, bound to the attempt that asks for them (row M3)."""

    def __init__(self, services: SentCodeServices) -> None:
        self._services = services

    def works(self, method: Factor, standing: Standing) -> bool:
        """Whether codes of this method can be sent, as far as this sign-in has found out."""
        outbox = self._services.outbox
        can_send = outbox.can_sms if method is Factor.SMS else outbox.can_mail
        return can_send and method.value not in standing.attempt.detail.get(_FAILED, ())

    def was_sent(self, method: Factor, standing: Standing) -> bool:
        """Whether a code of this method was sent in this sign-in."""
        return method.value in standing.attempt.detail.get(_SENT, ())

    def address(self, method: Factor, standing: Standing) -> str | None:
        """Where its codes go, as far as it may be shown to somebody who has taken the first step only."""
        with self._services.database.transaction(write=False):
            factor = self._services.code_factors.find(standing.account_id, SENT[method])
        return None if factor is None else masked(factor.address)

    def send(self, goal: Goal, visitor: Visitor, method: Factor, *, locale: str) -> Standing:
        """Send a code in the place of the one before.

        Returns:
            where the sign-in stands. If the code could not be sent, :meth:`works` says so from now on, and
            another method is to be offered.

        Raises:
            NoAttempt: there is no sign-in on its way here.
            Refused: too many (row L9).
        """
        services, now = self._services, visitor.now
        with services.database.transaction():
            standing = services.standings.get(goal, visitor)
            if standing.step.stage is not Stage.ASK or method not in standing.step.methods:
                return standing
            factor = services.code_factors.find(standing.account_id, SENT[method])
            if factor is None or not self.works(method, standing):
                return self._note_failure(standing, visitor, method, "not_configured")
            code = services.codes.issue(
                code_kind(method),
                binding=standing.attempt.id,
                account_id=standing.account_id,
                target=factor.address,
                lifetime=services.settings.one_time_code_lifetime,
                now=now,
            )
            self._admit(standing, visitor, factor, code, locale)
            if method is Factor.EMAIL:
                return self._note(standing, visitor, method)
        return self._send_sms(goal, visitor, factor, code, locale)

    def _admit(
        self, standing: Standing, visitor: Visitor, factor: CodeFactor, code: str, locale: str
    ) -> None:
        """Write the mail, or count the SMS, which is sent at once because somebody waits for it."""
        services, now, lifetime = self._services, visitor.now, self._services.settings.one_time_code_lifetime
        to, account_id, source = factor.address, standing.account_id, visitor.source.address
        if factor.channel == SENT[Factor.SMS]:
            admitted = services.outbox.admit_sms(to, account_id=account_id, now=now, source=source)
        else:
            admitted = services.outbox.mail(
                _TEMPLATE,
                to=to,
                locale=locale,
                values={"code": code, "minutes": int(lifetime.total_seconds()) // _MINUTE},
                account_id=account_id,
                now=now,
                expires_at=now + lifetime,
                source=source,
            )
        if not admitted:
            raise Refused(_TOO_MANY, detail="message limit")

    def _send_sms(self, goal: Goal, visitor: Visitor, factor: CodeFactor, code: str, locale: str) -> Standing:
        """Outside of the transaction, which must not wait for a gateway."""
        services, sender = self._services, self._services.sms_sender
        try:
            sender.send(factor.address, sender.text(_TEMPLATE, locale, {"code": code}))
            failed = False
        except (Unavailable, Undeliverable):
            failed = True
        with services.database.transaction():
            standing = services.standings.get(goal, visitor)
            if failed:
                return self._note_failure(standing, visitor, Factor.SMS, "transport_failed")
            return self._note(standing, visitor, Factor.SMS)

    def _note(self, standing: Standing, visitor: Visitor, method: Factor) -> Standing:
        self._record(AuditEvent.FACTOR_CODE_SENT, standing, visitor, {"method": method.value})
        return self._remember(standing, visitor, _SENT, method)

    def _note_failure(self, standing: Standing, visitor: Visitor, method: Factor, reason: str) -> Standing:
        detail = {"method": method.value, "reason": reason}
        self._record(AuditEvent.FACTOR_UNAVAILABLE, standing, visitor, detail)
        return self._remember(standing, visitor, _FAILED, method)

    def _remember(self, standing: Standing, visitor: Visitor, what: str, method: Factor) -> Standing:
        known = [*standing.attempt.detail.get(what, ())]
        if method.value not in known:
            known.append(method.value)
        saved = self._services.attempts.save(standing.attempt.remembering(**{what: known}), visitor.now)
        return replace(standing, attempt=saved)

    def _record(
        self, event: AuditEvent, standing: Standing, visitor: Visitor, detail: dict[str, str]
    ) -> None:
        self._services.audit.record(
            event,
            actor=Actor.account(standing.account_id, visitor.source),
            account=standing.account_id,
            detail=detail,
            now=visitor.now,
        )


def masked(address: str) -> str:
    """Enough of an address or a number for its owner to know it by."""
    name, at, domain = address.partition("@")
    if at:
        return f"{name[:1]}\N{HORIZONTAL ELLIPSIS}@{domain}"
    return f"\N{HORIZONTAL ELLIPSIS}{address[-3:]}"
