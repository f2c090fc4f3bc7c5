"""Mail and SMS, as operators look after them."""

from datetime import timedelta
from typing import Any

from idp.accounts import normalized_email
from idp.admin.context import AdminContext, moment
from idp.audit import AuditEvent
from idp.delivery import MailSender, Outbox, Waiting
from idp.errors import NotFound

_TEST = "test"


class MessageAdmin:
    """Tests the way of mails, shows what did not leave, and has it tried again."""

    def __init__(self, context: AdminContext, outbox: Outbox, mail: MailSender) -> None:
        self._context = context
        self._outbox = outbox
        self._mail = mail

    def test_mail(self, address: str) -> dict[str, Any]:
        """Send a mail at once, past the outbox, through the configured transport.

        Raises:
            Invalid: this is no mail address.
            Undeliverable: the mail server refuses the mail for good.
            Unavailable: no transport, or it cannot be reached; the detail says what failed.
            SettingsError: the transport is configured in a way that cannot work.
        """
        to, now = normalized_email(address), self._context.clock.now()
        message = self._outbox.unwritten(_TEST, to=to, now=now, expires_at=now + timedelta(minutes=1))
        with self._mail.session() as session:
            session.send(message, now)
        return {"to": to, "message_id": message.id, "sent_at": moment(now)}

    def list_(self, *, limit: int = 100, after: str | None = None) -> list[dict[str, Any]]:
        """What waits or was given up, oldest first, the next ``limit`` after the id ``after``."""
        with self._context.database.transaction(write=False):
            return [_shown(waiting) for waiting in self._outbox.list_unsent(limit=limit, after=after)]

    def retry(self, message_id: str | None = None) -> dict[str, Any]:
        """Try one message again at once, or with None all that were given up.

        Raises:
            NotFound: it was sent, is not there, or too old to be kept.
        """
        with self._context.change() as now:
            count = self._outbox.retry(now, message_id)
            if message_id is not None and not count:
                raise NotFound("There is no such message that could be sent.")
            if count:
                self._context.record(AuditEvent.MESSAGE_RETRIED, now, detail={"messages": count})
        return {"messages": count}


def _shown(waiting: Waiting) -> dict[str, Any]:
    return {
        "id": waiting.id,
        "channel": waiting.channel,
        "template": waiting.template,
        "account": waiting.account_id,
        "attempts": waiting.attempts,
        "created_at": moment(waiting.created_at),
        "next_try_at": moment(waiting.due_at),
        "given_up_at": moment(waiting.failed_at),
        "error": waiting.error,
    }
