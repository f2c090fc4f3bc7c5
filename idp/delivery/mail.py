"""A message becomes a mail and leaves through the configured transport."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from importlib import import_module
from typing import Final
from urllib.parse import urlsplit

import idna

from idp.delivery.errors import Undeliverable
from idp.delivery.message import Message
from idp.delivery.rendering import Renderer
from idp.delivery.transports import ConsoleTransport, FolderTransport, MailSession, MailTransport
from idp.errors import Unavailable
from idp.settings import MailSettings

_SMTP: Final = "idp.delivery.smtp"

_LOCAL_PART: Final = re.compile(r"[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f]{1,64}")
_DOMAIN: Final = re.compile(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*")


class MailSender:
    """Sends mails, several over one connection.

    Args:
        settings: the section ``[mail]``.
        renderer: makes the words.
        issuer: its host names this server to others.
    """

    def __init__(self, settings: MailSettings, renderer: Renderer, issuer: str) -> None:
        self._settings = settings
        self._renderer = renderer
        self._host = urlsplit(issuer).hostname or "localhost"
        self._lock = threading.Lock()
        self._transport: MailTransport | None = None

    @contextmanager
    def session(self) -> Iterator["OpenMailSession"]:
        """A connection for some mails.

        Raises:
            Unavailable: there is no transport, or it does not answer.
            SettingsError: it is configured in a way that cannot work.
        """
        with self._lock:
            if self._transport is None:
                self._transport = self._new_transport()
            transport = self._transport
        with transport.session() as session:
            yield OpenMailSession(session, self)

    def compose(self, message: Message) -> EmailMessage:
        """The mail as it travels.

        The same message always has the same ``Message-ID``: if it is sent twice after a crash, mail
        programs show one.

        Raises:
            Undeliverable: the address cannot be written to.
        """
        words = self._renderer.mail(message)
        recipient = _address(message.to)
        mail = EmailMessage(policy=SMTP if recipient.username.isascii() else SMTPUTF8)
        mail["From"] = self._sender()
        mail["To"] = recipient
        mail["Subject"] = words.subject
        mail["Date"] = format_datetime(message.created_at)
        mail["Message-ID"] = f"<{message.id}@{self._host}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no answers by machines
        mail["X-Auto-Response-Suppress"] = "All"  # the same, for Exchange
        mail.set_content(words.text, cte="quoted-printable")
        mail.add_alternative(words.html, subtype="html", cte="quoted-printable")
        mail["Content-Language"] = words.language  # last, because set_content forgets it
        return mail

    def _sender(self) -> Address:
        name, spec = parseaddr(self._settings.sender)
        found = _address(spec)
        return Address(name, found.username, found.domain)

    def _new_transport(self) -> MailTransport:
        match self._settings.transport:
            case "smtp":
                transport: MailTransport = import_module(_SMTP).SmtpTransport(self._settings, self._host)
                return transport
            case "folder":
                return FolderTransport(self._settings.folder)
            case "console":
                return ConsoleTransport()
            case "none":
                raise Unavailable("Mail cannot be sent.", detail="mail.transport is none")


class OpenMailSession:
    """A connection over which messages go."""

    def __init__(self, session: MailSession, sender: MailSender) -> None:
        self._session = session
        self._sender = sender

    def send(self, message: Message, now: datetime) -> None:
        """Compose one message and hand it over.

        Raises:
            Undeliverable: it will never be taken.
            Unavailable: later it may be.
        """
        self._session.send(self._sender.compose(message), now)


def _address(text: str) -> Address:
    """The address with its domain as mail servers know it.

    Security: nothing that has a meaning in a header gets past here, whoever let it into the account.
    """
    local, _, domain = text.rpartition("@")
    try:
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        ascii_domain = ""
    if not _LOCAL_PART.fullmatch(local) or not _DOMAIN.fullmatch(ascii_domain):
        raise Undeliverable("The mail cannot be sent.", detail="this is no mail address")
    return Address(username=local, domain=ascii_domain)
