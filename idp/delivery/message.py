"""A message as it waits in the outbox, and how it is sealed there."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from idp.crypto import Sealer
from idp.ids import new_id
from idp.storage import OutboxRow


class Channel(StrEnum):
    """How a message leaves."""

    MAIL = "mail"
    SMS = "sms"
    BACKCHANNEL_LOGOUT = "backchannel_logout"
    """A logout token for a client; kept until something delivers it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is to be said to whom. Rendered when it is sent, in the language of ``locale``."""

    id: str
    channel: Channel
    template: str
    to: str
    locale: str
    values: Mapping[str, Any]
    created_at: datetime
    useless_at: datetime
    """When nobody wants to read it any more: the code or the link in it is dead."""
    order: int = 0
    """Tells apart, on one machine, what was written in the same instant."""
    attempts: int = 0


class MessageCodec:
    """Between messages and rows; what a message says is sealed, with the row's id as context (row V1)."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def new(
        self,
        channel: Channel,
        template: str,
        *,
        to: str,
        locale: str,
        values: Mapping[str, Any],
        now: datetime,
        useless_at: datetime,
    ) -> Message:
        """A message that was never written anywhere."""
        return Message(
            id=new_id("msg", now),
            channel=channel,
            template=template,
            to=to,
            locale=locale,
            values=values,
            created_at=now,
            useless_at=useless_at,
            order=time.monotonic_ns(),
        )

    def seal(self, message: Message) -> bytes:
        """What the row keeps of it.

        Raises:
            TypeError: a value is not JSON.
        """
        body = {
            "template": message.template,
            "to": message.to,
            "locale": message.locale,
            "values": dict(message.values),
            "useless_at": message.useless_at.isoformat(),
            "order": message.order,
        }
        return self._sealer.seal(json.dumps(body).encode(), context=message.id.encode())

    def open(self, row: OutboxRow) -> Message:
        """The message of a row.

        Raises:
            Unsealable: sealed with another root key, or changed.
        """
        body = json.loads(self._sealer.open(row.sealed_body, context=row.id.encode()))
        return Message(
            id=row.id,
            channel=Channel(row.channel),
            template=body["template"],
            to=body["to"],
            locale=body["locale"],
            values=body["values"],
            created_at=row.created_at,
            useless_at=datetime.fromisoformat(body["useless_at"]),
            order=body["order"],
            attempts=row.attempts,
        )
