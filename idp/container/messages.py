"""What writes and sends messages, and how it is built."""

from dataclasses import dataclass

from idp.accounts import Notices
from idp.clock import Clock
from idp.crypto import RootKey, Sealer, Secret
from idp.delivery import Deliverer, MailSender, MessageCodec, MessageLimits, Outbox, Renderer, SmsSender
from idp.http import HttpClient
from idp.onetime import OneTimeLinks
from idp.settings import Settings
from idp.storage import Repositories


@dataclass(frozen=True, kw_only=True)
class Messages:
    """The way of a message: written by a flow, taken and sent by a job."""

    outbox: Outbox
    notices: Notices
    mail_sender: MailSender
    sms_sender: SmsSender
    deliverer: Deliverer


def build_messages(
    settings: Settings,
    *,
    repos: Repositories,
    root: RootKey,
    links: OneTimeLinks,
    http: HttpClient,
    clock: Clock,
) -> Messages:
    """Put the way of a message together."""
    codec = MessageCodec(Sealer(root.derive("outbox")))
    limits = MessageLimits(repos, settings.ratelimit, Secret(root.derive("message-limits")))
    outbox = Outbox(repos, codec, limits, mail=settings.mail, sms=settings.sms)
    renderer = Renderer(
        issuer=settings.issuer,
        brand_name=settings.pages.brand_name,
        default_locale=settings.pages.default_locale,
    )
    mail_sender = MailSender(settings.mail, renderer, settings.issuer)
    sms_sender = SmsSender(settings.sms, renderer, http, clock)
    return Messages(
        outbox=outbox,
        notices=Notices(repos, outbox, links, settings.issuer),
        mail_sender=mail_sender,
        sms_sender=sms_sender,
        deliverer=Deliverer(repos, codec, mail_sender, sms_sender),
    )
