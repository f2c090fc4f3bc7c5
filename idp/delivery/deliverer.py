"""Sending what waits in the outbox: taken, sent, noted, each in its own step."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from jinja2 import TemplateError

from idp.crypto import Unsealable
from idp.delivery.errors import Undeliverable
from idp.delivery.mail import MailSender, OpenMailSession
from idp.delivery.message import Channel, Message, MessageCodec
from idp.delivery.sms import SmsSender
from idp.errors import Unavailable
from idp.settings import SettingsError
from idp.storage import OutboxRow, Repositories

AT_ONCE: Final = 10
"""Messages that one deliverer takes at a time."""
LEASE: Final = timedelta(minutes=15)
"""How long they are its own; longer than they can take, and how long they wait if it is killed."""
LONGEST: Final = timedelta(days=1)
"""How long to go on trying."""
_FIRST_PAUSE: Final = timedelta(seconds=5)
_LONGEST_PAUSE: Final = timedelta(hours=1)
_MOST_DOUBLINGS: Final = 20
_CHANNELS: Final = (Channel.MAIL.value, Channel.SMS.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a message."""

    id: str
    channel: str
    template: str
    account_id: str | None
    attempts: int
    state: Literal["sent", "postponed", "given_up"]
    error: str = ""
    """In an operator's words, without addresses or content."""
    due_at: datetime | None = None
    """When it is tried again."""


class Deliverer:
    """Sends messages of the outbox.

    Several work at once, in several workers. ``take`` and ``note`` work in the caller's transaction,
    ``send`` outside of any: a deliverer that is killed between the two sends again after `LEASE`.

    Args:
        repos: repositories on the caller's session.
        codec: opens what was sealed.
        mail: sends mails.
        sms: sends SMS.
    """

    def __init__(self, repos: Repositories, codec: MessageCodec, mail: MailSender, sms: SmsSender) -> None:
        self._rows = repos.outbox
        self._codec = codec
        self._mail = mail
        self._sms = sms

    def has_due(self, now: datetime) -> bool:
        """Whether there is anything to do."""
        return self._rows.has_due(now, _CHANNELS)

    def take(self, now: datetime) -> list[OutboxRow]:
        """Take some messages that are due."""
        return self._rows.take_due(now, now + LEASE, AT_ONCE, _CHANNELS)

    def send(self, rows: Sequence[OutboxRow], now: Callable[[], datetime]) -> Iterator[Outcome]:
        """Send what was taken, one after the other, the mails over one connection.

        Args:
            rows: what :meth:`take` gave.
            now: asked before each message, because each takes its time.
        """
        with ExitStack() as stack:
            line = _Line(self._mail, stack)
            for row, message in self._opened(rows):
                yield self._send_one(row, message, line, now())

    def note(self, outcome: Outcome, now: datetime) -> None:
        """Write down what became of a message."""
        if outcome.state == "sent":
            self._rows.sent(outcome.id, now)
        elif outcome.state == "postponed" and outcome.due_at is not None:
            self._rows.postpone(outcome.id, outcome.due_at, outcome.error)
        else:
            self._rows.give_up(outcome.id, now, outcome.error)

    def _opened(self, rows: Sequence[OutboxRow]) -> list[tuple[OutboxRow, Message | None]]:
        opened: list[tuple[OutboxRow, Message | None]] = []
        for row in rows:
            try:
                opened.append((row, self._codec.open(row)))
            except Unsealable:
                opened.append((row, None))
        return sorted(opened, key=lambda pair: (pair[0].created_at, pair[1].order if pair[1] else 0))

    def _send_one(self, row: OutboxRow, message: Message | None, line: "_Line", now: datetime) -> Outcome:
        if message is None:
            return _given_up(row, None, "it was sealed with another root key, or changed")
        if now >= message.useless_at:
            return _given_up(row, message, row.error or "it was not sent before it lost its use")
        try:
            if message.channel is Channel.MAIL:
                line.mails().send(message, now)
            else:
                self._sms.deliver(message)
        except Undeliverable as error:
            return _given_up(row, message, error.detail)
        except (TemplateError, ValueError) as error:
            return _given_up(row, message, f"it cannot be put into words: {type(error).__name__}")
        except (Unavailable, SettingsError) as error:
            return _later(row, message, _words(error), now)
        except Exception as error:  # noqa: BLE001 - what nobody foresaw must not hold up the other messages
            return _later(row, message, f"unexpected: {type(error).__name__}", now)
        return _outcome(row, message, "sent")


class _Line:
    """One connection for all mails of a round, made for the first of them; so is the failure to make it."""

    def __init__(self, mail: MailSender, stack: ExitStack) -> None:
        self._mail = mail
        self._stack = stack
        self._session: OpenMailSession | None = None
        self._failure: Exception | None = None

    def mails(self) -> OpenMailSession:
        if self._failure is not None:
            raise self._failure
        if self._session is None:
            try:
                self._session = self._stack.enter_context(self._mail.session())
            except (Unavailable, SettingsError) as error:
                self._failure = error
                raise
        return self._session


def pause_after(attempts: int) -> timedelta:
    """How long to wait after that many tries: doubled each time, up to an hour, give or take a half.

    The jitter keeps the messages of an outage from coming all at once.
    """
    doublings = min(attempts - 1, _MOST_DOUBLINGS)
    pause = min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE)
    return pause * random.uniform(0.5, 1.5)  # noqa: S311 - no secret


def _later(row: OutboxRow, message: Message, error: str, now: datetime) -> Outcome:
    due_at = now + pause_after(row.attempts)
    if due_at >= min(message.useless_at, row.created_at + LONGEST):
        return _given_up(row, message, error)
    return _outcome(row, message, "postponed", error=error, due_at=due_at)


def _given_up(row: OutboxRow, message: Message | None, error: str) -> Outcome:
    return _outcome(row, message, "given_up", error=error)


def _outcome(
    row: OutboxRow,
    message: Message | None,
    state: Literal["sent", "postponed", "given_up"],
    *,
    error: str = "",
    due_at: datetime | None = None,
) -> Outcome:
    return Outcome(
        id=row.id,
        channel=row.channel,
        template="" if message is None else message.template,
        account_id=row.account_id,
        attempts=row.attempts,
        state=state,
        error=error,
        due_at=due_at,
    )


def _words(error: Unavailable | SettingsError) -> str:
    return (error.detail or error.description) if isinstance(error, Unavailable) else str(error)
