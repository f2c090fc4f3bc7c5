"""Writing messages, in the transaction of the change they speak of (decision D8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from idp.crypto import Unsealable
from idp.delivery.limits import LONGEST_WINDOW, Counted, MessageLimits
from idp.delivery.message import Channel, Message, MessageCodec
from idp.languages import SOURCE_LANGUAGE
from idp.observability import get_logger
from idp.settings import MailSettings, SmsSettings
from idp.storage import OutboxRow, Repositories

_log = get_logger(__name__)

_PATIENCE = timedelta(days=1)
"""How long to try for whoever names no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that has not left, as operators may see it: neither address nor content."""

    id: str
    channel: str
    template: str
    account_id: str | None
    attempts: int
    created_at: datetime
    due_at: datetime | None
    failed_at: datetime | None
    error: str | None


class Outbox:
    """Messages to people. Nothing is sent before the caller's transaction is committed.

    Args:
        repos: repositories on the caller's session.
        codec: seals what is written.
        limits: of what people ask for.
        mail: whether mail can be sent.
        sms: whether SMS can be sent.
    """

    def __init__(
        self,
        repos: Repositories,
        codec: MessageCodec,
        limits: MessageLimits,
        *,
        mail: MailSettings,
        sms: SmsSettings,
    ) -> None:
        self._rows = repos.outbox
        self._codec = codec
        self._limits = limits
        self.can_mail = mail.transport != "none"
        """Whether a mail transport is configured."""
        self.can_sms = sms.transport != "none"
        """Whether an SMS transport is configured."""

    def mail(
        self,
        template: str,
        *,
        to: str,
        locale: str,
        values: Mapping[str, Any],
        account_id: str | None,
        now: datetime,
        expires_at: datetime | None = None,
        source: str | None = None,
    ) -> bool:
        """Write a mail that somebody asked for.

        Args:
            template: its name below ``templates/mail/``.
            to: the address, checked.
            locale: language to write it in; an unknown one gives English.
            values: what the template shows; JSON. Links in it begin with the issuer (row V2).
            account_id: whom it concerns, if that is known.
            now: aware UTC time.
            expires_at: when it is of no use any more; a day from now by default.
            source: network address of whoever asked for it.

        Returns:
            whether it was written. False if there is no transport, or too many were asked for: a page
            that anybody can reach must then look as if it was sent (row L6).
        """
        useless_at = expires_at or now + _PATIENCE
        message = self._codec.new(
            Channel.MAIL, template, to=to, locale=locale, values=values, now=now, useless_at=useless_at
        )
        return self.can_mail and self._write(message, account_id, self._limits.names(to, source))

    def notice(
        self,
        template: str,
        *,
        to: str,
        locale: str,
        values: Mapping[str, Any],
        account_id: str | None,
        now: datetime,
        expires_at: datetime | None = None,
    ) -> bool:
        """Write a mail that the server sends by itself; arguments and answer as of :meth:`mail`.

        It is neither limited nor counted: nobody may suppress the news of what they did to an account by
        asking for other mails first.
        """
        useless_at = expires_at or now + _PATIENCE
        message = self._codec.new(
            Channel.MAIL, template, to=to, locale=locale, values=values, now=now, useless_at=useless_at
        )
        return self.can_mail and self._write(message, account_id, None)

    def decoy(
        self,
        channel: Channel,
        template: str,
        *,
        to: str,
        locale: str,
        values: Mapping[str, Any],
        now: datetime,
        source: str | None = None,
    ) -> None:
        """Do what writing a message does, and count it, for an account that does not exist (row L6).

        Arguments as of :meth:`mail`. Nothing is ever sent, and what it would say is not kept.
        """
        if self.can_mail if channel is Channel.MAIL else self.can_sms:
            message = self._codec.new(
                channel, template, to=to, locale=locale, values=values, now=now, useless_at=now + _PATIENCE
            )
            self._write(message, None, self._limits.names(to, source), is_sent=True)

    def sms(
        self,
        template: str,
        *,
        to: str,
        locale: str,
        values: Mapping[str, Any],
        account_id: str | None,
        now: datetime,
        expires_at: datetime | None = None,
        source: str | None = None,
    ) -> bool:
        """Write an SMS that somebody asked for; arguments and answer as of :meth:`mail`.

        ``to`` is a number in E.164, and the template lies below ``templates/sms/``.
        """
        useless_at = expires_at or now + _PATIENCE
        message = self._codec.new(
            Channel.SMS, template, to=to, locale=locale, values=values, now=now, useless_at=useless_at
        )
        return self.can_sms and self._write(message, account_id, self._limits.names(to, source))

    def admit_sms(self, to: str, *, account_id: str | None, now: datetime, source: str | None = None) -> bool:
        """Count an SMS that the caller sends itself, at once, through :class:`idp.delivery.SmsSender`.

        Returns:
            whether it may be sent.
        """
        message = self._codec.new(
            Channel.SMS, "", to=to, locale="", values={}, now=now, useless_at=now + _PATIENCE
        )
        return self._write(message, account_id, self._limits.names(to, source), is_sent=True)

    def backchannel_logout(
        self, *, values: Mapping[str, Any], account_id: str, now: datetime, expires_at: datetime
    ) -> None:
        """Write down that a client has to be told of the end of a session; kept, and not sent yet."""
        message = self._codec.new(
            Channel.BACKCHANNEL_LOGOUT, "", to="", locale="", values=values, now=now, useless_at=expires_at
        )
        self._write(message, account_id, None)

    def unwritten(self, template: str, *, to: str, now: datetime, expires_at: datetime) -> Message:
        """A mail that the caller sends itself."""
        return self._codec.new(
            Channel.MAIL, template, to=to, locale=SOURCE_LANGUAGE, values={}, now=now, useless_at=expires_at
        )

    def list_unsent(self, *, limit: int, after: str | None = None) -> list[Waiting]:
        """What waits or was given up, oldest first, the next ``limit`` after the id ``after``."""
        return [
            Waiting(
                id=row.id,
                channel=row.channel,
                template=self._template(row),
                account_id=row.account_id,
                attempts=row.attempts,
                created_at=row.created_at,
                due_at=row.due_at,
                failed_at=row.failed_at,
                error=row.error,
            )
            for row in self._rows.list_unsent(limit=limit, after=after)
        ]

    def retry(self, now: datetime, message_id: str | None = None) -> int:
        """Make one message due again, or all that were given up; how many there were."""
        return self._rows.retry(now, message_id)

    def _template(self, row: OutboxRow) -> str:
        try:
            return self._codec.open(row).template
        except Unsealable:
            return ""

    def _write(
        self, message: Message, account_id: str | None, counted: Counted | None, *, is_sent: bool = False
    ) -> bool:
        if counted is not None:
            exceeded = self._limits.exceeded(message.channel, counted, message.created_at)
            if exceeded is not None:
                fields = {"channel": message.channel.value, "limit": exceeded, "template": message.template}
                _log.warning("message.limited", extra={"fields": fields})
                return False
        now = message.created_at
        sealed = self._codec.seal(message)  # a decoy takes the same time
        self._rows.add(
            OutboxRow(
                id=message.id,
                channel=message.channel.value,
                sealed_body=b"" if is_sent else sealed,
                account_id=account_id,
                recipient=None if counted is None else counted.recipient,
                source=None if counted is None else counted.source,
                due_at=None if is_sent else now,
                created_at=now,
                sent_at=now if is_sent else None,
                expires_at=max(message.useless_at, now + LONGEST_WINDOW),
            )
        )
        return True
