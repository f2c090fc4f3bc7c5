"""The way of a message without a web server: outbox, deliverer and transports on a database of a test."""

from pathlib import Path
from typing import Any

from idp.clock import FixedClock
from idp.crypto import Sealer, Secret
from idp.delivery import (
    Deliverer,
    MailSender,
    MessageCodec,
    MessageLimits,
    Outbox,
    Outcome,
    Renderer,
    SmsSender,
)
from idp.http import HttpClient
from idp.settings import HttpSettings, MailSettings, RatelimitSettings, SmsSettings
from idp.storage import Database, Repositories
from tests.messages import Mail, read_mails

ISSUER = "https://idp.example"
LINK = f"{ISSUER}/recover/idp_ol_secretsecretsecret"


class Post:
    """Writes and delivers."""

    def __init__(
        self,
        folder: Path,
        database: Database,
        repos: Repositories,
        clock: FixedClock,
        *,
        mail: dict[str, Any] | None = None,
        sms: dict[str, Any] | None = None,
        limits: dict[str, Any] | None = None,
        http: HttpClient | None = None,
    ) -> None:
        self.folder = folder / "mail"
        self.database, self.repos, self.clock = database, repos, clock
        chosen = MailSettings(**(mail or {"transport": "folder", "folder": self.folder}))
        for_sms = SmsSettings(**(sms or {"transport": "folder", "folder": folder / "sms"}))
        codec = MessageCodec(Sealer(b"k" * 32))
        rates = RatelimitSettings(**(limits or {"enabled": False}))
        self.outbox = Outbox(
            repos, codec, MessageLimits(repos, rates, Secret(b"l" * 32)), mail=chosen, sms=for_sms
        )
        renderer = Renderer(issuer=ISSUER, brand_name="Example & Co", default_locale="en")
        self.mail_sender = MailSender(chosen, renderer, ISSUER)
        self.sms_sender = SmsSender(for_sms, renderer, http or HttpClient(HttpSettings()), clock)
        self.deliverer = Deliverer(repos, codec, self.mail_sender, self.sms_sender)

    def write(self, to: str = "ada@example.org", template: str = "reset_password", **given: Any) -> bool:
        """A mail with a link, asked for by somebody."""
        with self.database.transaction():
            return self.outbox.mail(
                template,
                to=to,
                locale=given.pop("locale", "en"),
                values=given.pop("values", {"link": LINK, "minutes": 30}),
                account_id=None,
                now=self.clock.now(),
                **given,
            )

    def round(self) -> list[Outcome]:
        """One round of a deliverer."""
        with self.database.transaction():
            taken = self.deliverer.take(self.clock.now())
        outcomes = []
        for outcome in self.deliverer.send(taken, self.clock.now):
            with self.database.transaction():
                self.deliverer.note(outcome, self.clock.now())
            outcomes.append(outcome)
        return outcomes

    def mails(self) -> list[Mail]:
        """What the transport `folder` wrote."""
        return read_mails(self.folder)
