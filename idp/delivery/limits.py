"""How many messages people may ask for (row L9).

Counted in the outbox itself, in the caller's transaction: a restart or an emptied Redis forgets
nothing. Parallel requests may overshoot by as many as there are at that moment.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.crypto import Secret, keyed_digest
from idp.delivery.message import Channel
from idp.settings import Rate, RatelimitSettings, parse_rate
from idp.storage import Repositories

LONGEST_WINDOW = timedelta(days=1)
"""Rows stay at least so long; a window that is set longer sees no further back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rates:
    recipient: Rate
    source: Rate
    total: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Under which names a message is counted."""

    recipient: bytes
    source: bytes | None


class MessageLimits:
    """Whether one more message may be asked for.

    Args:
        repos: repositories on the caller's session.
        settings: the rates, and whether to limit at all.
        key: of the digests, so that the table does not say who was written to.
    """

    def __init__(self, repos: Repositories, settings: RatelimitSettings, key: Secret[bytes]) -> None:
        self._outbox = repos.outbox
        self._enabled = settings.enabled
        self._key = key
        self._rates = {
            Channel.MAIL: _Rates(
                recipient=parse_rate(settings.mail_per_recipient),
                source=parse_rate(settings.mail_per_source),
                total=parse_rate(settings.mail_total),
            ),
            Channel.SMS: _Rates(
                recipient=parse_rate(settings.sms_per_recipient),
                source=parse_rate(settings.sms_per_source),
                total=parse_rate(settings.sms_total),
            ),
        }

    def names(self, to: str, source: str | None) -> Counted:
        """The names for a recipient, in canonical spelling, and a network address."""
        return Counted(
            recipient=self._digest("recipient", to),
            source=None if source is None else self._digest("source", source),
        )

    def exceeded(self, channel: Channel, counted: Counted, now: datetime) -> str | None:
        """Which limit is used up: ``recipient``, ``source`` or ``total``; None if there is room."""
        if not self._enabled:
            return None
        rates = self._rates[channel]
        seen = self._outbox.count(
            channel.value,
            now,
            recipient=(counted.recipient, _window(rates.recipient)),
            source=(counted.source, _window(rates.source)),
            total=_window(rates.total),
        )
        named = zip(
            ("recipient", "source", "total"), seen, (rates.recipient, rates.source, rates.total), strict=True
        )
        return next((name for name, count, rate in named if count >= rate.count), None)

    def _digest(self, kind: str, value: str) -> bytes:
        return keyed_digest(self._key.reveal(), f"message-{kind}", value)


def _window(rate: Rate) -> timedelta:
    return min(rate.window, LONGEST_WINDOW)
