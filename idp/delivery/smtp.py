"""Handing mail to a mail server (SMTP).

Loaded by name when the first mail leaves: who has no mail server needs nothing of it in memory.

Source: RFC 5321; RFC 3207 (STARTTLS); RFC 8314 §3.3 (TLS from the first byte).
"""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage
from typing import Final

from idp.delivery.errors import Undeliverable
from idp.errors import Unavailable
from idp.settings import MailSettings, SettingsError

_PERMANENT: Final = 500
_TLS_ERRORS: Final = (ssl.SSLError, ssl.CertificateError)


class SmtpTransport:
    """A mail server.

    Security: encryption that is configured is demanded; a server, or somebody on the way, that does
    not offer it gets neither password nor mail.

    Args:
        settings: the section ``[mail]``.
        own_name: how this host introduces itself.

    Raises:
        SettingsError: ``ca_file`` cannot be used.
    """

    def __init__(self, settings: MailSettings, own_name: str) -> None:
        self._settings = settings
        self._own_name = own_name
        self._tls = None if settings.security == "none" else _tls_context(settings)

    @contextmanager
    def session(self) -> Iterator["SmtpSession"]:
        """Connect, encrypt, authenticate.

        Raises:
            Unavailable: the detail says in an operator's words which of them failed.
        """
        connection = self._connect()
        try:
            yield SmtpSession(connection)
        finally:
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()
            connection.close()

    def _connect(self) -> smtplib.SMTP:
        password = self._password()
        where = f"{self._settings.host}:{self._settings.port}"
        connection: smtplib.SMTP | None = None
        try:
            connection = self._open()
            if self._settings.security == "starttls":
                connection.starttls(context=self._tls)
            if self._settings.username is not None:
                connection.login(self._settings.username, password)
        except smtplib.SMTPNotSupportedError as error:
            failure = f"{where} does not offer what is demanded: {error}"
        except smtplib.SMTPAuthenticationError as error:
            failure = f"{where} does not accept the name and password of mail.username ({error.smtp_code})"
        except _TLS_ERRORS as error:
            failure = f"{where} has no valid TLS: {error}"
        except TimeoutError:
            failure = f"{where} does not answer in time"
        except (OSError, smtplib.SMTPException) as error:
            failure = f"{where}: {_words(error)}"
        else:
            return connection
        if connection is not None:
            connection.close()
        raise Unavailable("Mail cannot be sent right now.", detail=failure)

    def _open(self) -> smtplib.SMTP:
        chosen = self._settings
        timeout = chosen.timeout.total_seconds()
        if chosen.security == "tls":
            return smtplib.SMTP_SSL(
                chosen.host, chosen.port, self._own_name, timeout=timeout, context=self._tls
            )
        return smtplib.SMTP(chosen.host, chosen.port, self._own_name, timeout=timeout)

    def _password(self) -> str:
        """Read anew each time, so that a new password needs no restart."""
        if self._settings.password_file is None:
            return ""
        try:
            return self._settings.password_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise Unavailable(
                "Mail cannot be sent right now.", detail=f"mail.password_file cannot be read: {reason}"
            ) from error


class SmtpSession:
    """An open connection to a mail server."""

    def __init__(self, connection: smtplib.SMTP) -> None:
        self._connection = connection

    def send(self, mail: EmailMessage, now: datetime) -> None:  # noqa: ARG002 - a mail server has its own clock
        """Hand one mail over.

        Raises:
            Undeliverable: the server refuses it for good (a reply from 500 on).
            Unavailable: the server is busy, or went away.
        """
        try:
            self._connection.send_message(mail)
        except smtplib.SMTPNotSupportedError as error:
            raise Undeliverable(
                "The mail cannot be sent.", detail="the mail server takes no addresses beyond ASCII"
            ) from error
        except smtplib.SMTPRecipientsRefused as error:
            # The reply names the recipient as a rule, and what is raised here is logged.
            code = max(code for code, _ in error.recipients.values())
            raise self._refusal(code, "the recipient") from error
        except smtplib.SMTPResponseException as error:
            kept = "the sender" if isinstance(error, smtplib.SMTPSenderRefused) else "the mail"
            raise self._refusal(error.smtp_code, kept) from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable("Mail cannot be sent right now.", detail=_words(error)) from error

    def _refusal(self, code: int, what: str) -> Undeliverable | Unavailable:
        # After a refusal the connection may be used for the next mail, if the server keeps it open.
        with suppress(smtplib.SMTPException, OSError):
            self._connection.rset()
        detail = f"the mail server refuses {what} ({code})"
        if code >= _PERMANENT:
            return Undeliverable("The mail cannot be sent.", detail=detail)
        return Unavailable("Mail cannot be sent right now.", detail=f"{detail}, for now")


def _words(error: Exception) -> str:
    """An error without what it may quote of the conversation."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answers {error.smtp_code}"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the mail server closed the connection"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _tls_context(settings: MailSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            [f"mail.ca_file: {settings.ca_file} is not a usable PEM file: {error}"]
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
