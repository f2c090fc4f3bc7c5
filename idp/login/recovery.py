"""The way back in: a link to a new password."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp.accounts import (
    Account,
    AccountLinks,
    Accounts,
    LinkKind,
    Notice,
    Notices,
    canonical_identifier,
    is_still_good,
)
from idp.audit import Actor, Audit, AuditEvent, Source
from idp.authenticators import NewPasswords, Passwords
from idp.delivery import Channel, Outbox
from idp.errors import Invalid, NotFound
from idp.languages import marked
from idp.login.assurance import Factor
from idp.login.ending import EverythingOfAccount
from idp.login.recovery_proof import SecondProof, SecondProofs
from idp.onetime import Claimed
from idp.ratelimit import Limit, RateLimiter
from idp.storage import Database

_DEAD: Final = marked("This link was used already, or is too old.")
_NOT_ENOUGH: Final = marked(
    "Your account is protected by a second step, and a link to the same telephone is not enough to get past"
    " it. Ask whoever runs this service."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryServices:
    """What recovery stands on, put together once by the container."""

    database: Database
    accounts: Accounts
    links: AccountLinks
    outbox: Outbox
    notices: Notices
    passwords: Passwords
    new_passwords: NewPasswords
    second_proofs: SecondProofs
    everything: EverythingOfAccount
    ratelimiter: RateLimiter
    audit: Audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a link to a new password asks for."""

    account_id: str
    username: str
    """For password managers; whoever holds the link may know it."""
    channel: Channel
    """How the link travelled."""
    methods: tuple[Factor, ...]
    """One of these second proofs is asked for too, if there are any (row V5)."""
    context: tuple[str, ...]
    """What a password must not be made of."""


class RecoveryFlow:
    """Gives people who lost their password a new one, and signs nobody in (row V3)."""

    def __init__(self, services: RecoveryServices) -> None:
        self._services = services

    @property
    def is_possible(self) -> bool:
        """Whether anything can be sent at all."""
        return self._services.outbox.can_mail or self._services.outbox.can_sms

    def request(self, identifier: str, *, locale: str, source: Source, now: datetime) -> None:
        """Send a link to whoever has this name, if anybody does; the same work and no word for all (row L6).

        Args:
            identifier: a username, address or telephone number.
            locale: language of the page.
            source: where the browser is.
            now: aware UTC time.

        Raises:
            Refused: too many steps from this source.
            NotFound: nothing can be sent.
            Invalid: nothing was typed.
        """
        services = self._services
        if not self.is_possible:
            raise NotFound("Passwords cannot be reset here. Ask whoever runs this service.")
        if not identifier.strip():
            raise Invalid("Enter your username or e-mail address.", field="username")
        services.ratelimiter.hit(Limit.ACCOUNT_REQUESTS, source.address, now)
        with services.database.transaction():
            account = services.accounts.find_by_identifier(identifier)
            channel, to = self._address(account, identifier)
            recipient = (
                account if to is not None and account is not None and not account.is_disabled else None
            )
            sent = services.links.send_reset(
                recipient,
                to=to or _told(identifier),
                channel=channel,
                locale=locale,
                source=source.address,
                now=now,
            )
            services.audit.record(
                AuditEvent.RECOVERY_REQUESTED,
                actor=Actor.anonymous(source),
                account=None if account is None else account.id,
                detail={"channel": channel.value, "sent": sent},
                now=now,
            )

    def look(self, token: str, now: datetime) -> Recovery:
        """What a link asks for; does not use it up, because mail programs open links too (row S9).

        Raises:
            NotFound: the link is used, expired or none, or the password was replaced meanwhile; or the
                account has a second factor that nothing beside the link could prove.
        """
        with self._services.database.transaction(write=False):
            return self._look(self._services.links.peek(LinkKind.RESET, token, now))

    def send_code(self, token: str, *, locale: str, source: Source, now: datetime) -> bool:
        """Send the second proof's code by SMS; whether it will leave.

        Raises:
            NotFound: as :meth:`look`.
            Refused: too many steps from this source.
        """
        services = self._services
        services.ratelimiter.hit(Limit.ACCOUNT_REQUESTS, source.address, now)
        with services.database.transaction():
            recovery = self._look(services.links.peek(LinkKind.RESET, token, now))
            if Factor.SMS not in recovery.methods:
                return False
            return services.second_proofs.send(
                recovery.account_id, token, locale=locale, source=source, now=now
            )

    def reset(
        self,
        token: str,
        *,
        password: str,
        proof: SecondProof | None,
        device_cookie: str | None,
        source: Source,
        now: datetime,
    ) -> None:
        """Replace the password, and end everything that was signed in.

        ========================================  ==============================================
        step                                      why there
        ========================================  ==============================================
        limits of the source                      cheap (L2)
        look at the link                          a dead one costs no hash
        rules and hash                            outside every transaction (L8)
        second proof, link, effect                one transaction: each of them counts once (V3)
        ========================================  ==============================================

        Raises:
            NotFound: as :meth:`look`; of parallel uses one succeeds.
            PasswordRefused: the password must not be set.
            Refused: the second proof is missing or wrong; the link stays good. Or too many tries.
            Busy: too much hashing right now.
        """
        services = self._services
        services.ratelimiter.hit(Limit.ACCOUNT_REQUESTS, source.address, now)
        recovery = self.look(token, now)
        phc = services.new_passwords.hash(password, recovery.context)
        with services.database.transaction():
            # Security: asked anew, because a second step may have been set up a moment ago (row M8).
            recovery = self._look(services.links.peek(LinkKind.RESET, token, now))
            refused = services.second_proofs.check(
                recovery.account_id,
                recovery.methods,
                proof,
                link=token,
                device_cookie=device_cookie,
                source=source,
                now=now,
            )
            if refused is None:
                self._replace(token, phc, proof, source, now)
        # Outside of the transaction, so that the wrong try stays counted (row L4).
        if refused is not None:
            raise refused

    def _replace(
        self, token: str, phc: str, proof: SecondProof | None, source: Source, now: datetime
    ) -> None:
        services = self._services
        claimed = services.links.claim(LinkKind.RESET, token, now)
        recovery = self._look(claimed)
        if claimed is not None and claimed.target is not None and recovery.channel is Channel.MAIL:
            services.accounts.confirm_email(recovery.account_id, claimed.target, now)
        services.passwords.store(recovery.account_id, phc, now)
        ended = services.everything.end(recovery.account_id, "password_reset", now)
        services.audit.record(
            AuditEvent.PASSWORD_RESET,
            actor=Actor.account(recovery.account_id, source),
            account=recovery.account_id,
            detail={
                "channel": recovery.channel.value,
                "factor": proof.factor.value if proof is not None and recovery.methods else None,
                "sessions": ended.sessions,
                "families": ended.families,
            },
            now=now,
        )
        services.notices.tell(recovery.account_id, Notice.PASSWORD_RESET, source=source, now=now)

    def _look(self, claimed: Claimed | None) -> Recovery:
        if claimed is None or claimed.account_id is None:
            raise NotFound(_DEAD)
        account = self._services.accounts.find(claimed.account_id)
        if account is None or account.is_disabled or not is_still_good(claimed, account):
            raise NotFound(_DEAD)
        channel = Channel(claimed.payload["channel"])
        if self._services.second_proofs.is_out_of_reach(account.id, channel):
            raise NotFound(_NOT_ENOUGH, detail="no second proof beside the link")
        return Recovery(
            account_id=account.id,
            username=account.username,
            channel=channel,
            methods=self._services.second_proofs.methods(account.id, channel),
            context=(account.username, account.email or "", str(account.claims.get("name", ""))),
        )

    def _address(self, account: Account | None, typed: str) -> tuple[Channel, str | None]:
        """Where a link goes: by mail if it can, else by SMS; what was typed decides for nobody."""
        can_mail, can_sms = self._services.outbox.can_mail, self._services.outbox.can_sms
        if account is None:
            return (Channel.MAIL if can_mail and not typed.strip().startswith("+") else Channel.SMS), None
        if can_mail and account.email is not None:
            return Channel.MAIL, account.email
        if can_sms and account.phone is not None:
            return Channel.SMS, account.phone
        return Channel.MAIL, None


def _told(identifier: str) -> str:
    """What limits are counted under for a name that nobody has, or that nothing can be sent to."""
    try:
        return canonical_identifier(identifier)
    except Invalid:
        return identifier[:254]
