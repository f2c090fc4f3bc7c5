"""Delivery: mail and SMS, written with the change they speak of and sent afterwards.

Owns the messages, the outbox, their limits and the transports. Does not decide who is told what
(accounts/, login/, selfservice/) and has no thread (jobs/).
Called by accounts, login, selfservice, admin and jobs.
Reading order: errors, message, limits, outbox, rendering, transports, mail, sms, deliverer.
"""

from idp.delivery.deliverer import Deliverer, Outcome
from idp.delivery.errors import Undeliverable
from idp.delivery.limits import MessageLimits
from idp.delivery.mail import MailSender
from idp.delivery.message import Channel, Message, MessageCodec
from idp.delivery.outbox import Outbox, Waiting
from idp.delivery.rendering import Rendered, Renderer
from idp.delivery.sms import SmsSender

__all__ = [
    "Channel",
    "Deliverer",
    "MailSender",
    "Message",
    "MessageCodec",
    "MessageLimits",
    "Outbox",
    "Outcome",
    "Rendered",
    "Renderer",
    "SmsSender",
    "Undeliverable",
    "Waiting",
]
