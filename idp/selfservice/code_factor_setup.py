"""Having codes sent to an address as a second step: a code shows first that they arrive."""

from datetime import datetime, timedelta
from typing import Final

from idp.accounts import Account, Notice, canonical_phone
from idp.audit import Actor, AuditEvent, Source
from idp.authenticators import Channel
from idp.errors import Invalid, NotFound, Refused, Unavailable
from idp.languages import marked
from idp.selfservice.authenticators import Authenticators
from idp.selfservice.services import SelfServiceServices
from idp.sessions import BrowserSession

_KIND: Final = "enrol_code_factor"
_TEMPLATE: Final = "confirm_code"
_MINUTE: Final = timedelta(minutes=1)
_WRONG: Final = marked("That code is not right, or it is too old. Check it, or ask for a new one.")
_TOO_MANY: Final = marked("Too many codes were sent. Please wait a while before you ask for another.")
_NO_EMAIL: Final = "Your account has no e-mail address yet."


class CodeFactorSetup:
    """Sends a code to an address, and enrols the address when the code comes back.

    The address waits on the server with the code, bound to the session, so that what is enrolled is what
    was written to (row M3).
    """

    def __init__(self, services: SelfServiceServices, authenticators: Authenticators) -> None:
        self._services = services
        self._authenticators = authenticators

    def can_offer(self, channel: Channel) -> bool:
        """Whether there is a transport for it."""
        outbox = self._services.outbox
        return outbox.can_mail if channel is Channel.EMAIL else outbox.can_sms

    def begin(
        self,
        session: BrowserSession,
        channel: Channel,
        address: str,
        *,
        locale: str,
        source: Source,
        now: datetime,
    ) -> None:
        """Send a code to the address.

        Args:
            session: the signed-in person's.
            channel: how the code travels.
            address: a telephone number; by e-mail codes go to the account's own address alone.
            locale: language of the message.
            source: where the browser is.
            now: aware UTC time.

        Raises:
            Invalid: not a number, or no address in the account (field ``address``).
            Refused: too many messages.
            Unavailable: there is no transport, or it failed.
            NotFresh: they have to prove themself first.
        """
        if not self.can_offer(channel):
            raise Unavailable(
                "Codes cannot be sent this way at the moment.", detail=f"no {channel} transport"
            )
        services = self._services
        lifetime = services.settings.login.one_time_code_lifetime
        with services.database.transaction():
            self._authenticators.assert_fresh(session, now)
            account = services.accounts.get(session.account_id)
            target = _target(account, channel, address)
            code = services.codes_once.issue(
                _KIND,
                binding=_binding(session, channel),
                account_id=account.id,
                target=target,
                lifetime=lifetime,
                now=now,
            )
            if channel is Channel.EMAIL:
                admitted = services.outbox.mail(
                    _TEMPLATE,
                    to=target,
                    locale=locale,
                    values={"code": code, "minutes": lifetime // _MINUTE},
                    account_id=account.id,
                    now=now,
                    expires_at=now + lifetime,
                    source=source.address,
                )
            else:
                admitted = services.outbox.admit_sms(
                    target, account_id=account.id, now=now, source=source.address
                )
            if not admitted:
                raise Refused(_TOO_MANY, detail=f"{channel} limited")
        if channel is Channel.SMS:  # outside of the transaction, which must not wait for a gateway
            services.sms_sender.send(target, services.sms_sender.text(_TEMPLATE, locale, {"code": code}))

    def waiting(self, session: BrowserSession, channel: Channel, now: datetime) -> str | None:
        """The address that a code was sent to and that waits for it; None if there is none."""
        with self._services.database.transaction(write=False):
            code = self._services.codes_once.waiting(_KIND, binding=_binding(session, channel), now=now)
            return None if code is None else code.target

    def confirm(
        self, session: BrowserSession, channel: Channel, code: str, source: Source, now: datetime
    ) -> None:
        """Send codes to the address from now on, if this one came from there.

        Raises:
            Invalid: the code is wrong (field ``code``); five wrong ones, and it counts no more.
            NotFound: nothing waits any more.
            NotFresh: they have to prove themself first.
        """
        services = self._services
        binding = _binding(session, channel)
        with services.database.transaction():
            self._authenticators.assert_fresh(session, now)
            if services.codes_once.waiting(_KIND, binding=binding, now=now) is None:
                raise NotFound(
                    marked("That code is too old. Please ask for a new one."), detail="no code waits"
                )
            claimed = services.codes_once.claim(_KIND, binding=binding, code=code, now=now)
            if claimed is not None and claimed.target is not None:
                self._enrol(session, channel, claimed.target, source, now)
                return
        # After the transaction, which keeps count of the wrong try.
        raise Invalid(_WRONG, field="code", detail="code refused")

    def _enrol(
        self, session: BrowserSession, channel: Channel, address: str, source: Source, now: datetime
    ) -> None:
        services, account_id = self._services, session.account_id
        services.code_factors.enrol(account_id, channel, address, now)
        services.audit.record(
            AuditEvent.CODE_FACTOR_ADDED,
            actor=Actor.account(account_id, source),
            account=account_id,
            session=session.id,
            detail={"channel": channel.value},
            now=now,
        )
        detail = {"channel": channel.value}
        services.notices.tell(account_id, Notice.CODE_FACTOR_ADDED, source=source, now=now, detail=detail)


def _target(account: Account, channel: Channel, address: str) -> str:
    """Where the code goes.

    Raises:
        Invalid: nowhere it could go (field ``address``).
    """
    if channel is Channel.SMS:
        return canonical_phone(address)
    if account.email is None:
        raise Invalid(_NO_EMAIL, field="address")
    return account.email


def _binding(session: BrowserSession, channel: Channel) -> str:
    return f"{session.id} {channel.value}"
