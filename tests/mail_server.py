"""A mail server for tests: STARTTLS, TLS, AUTH PLAIN, and bad manners on demand. It listens on loopback."""

import base64
import datetime as dt
import ipaddress
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.messages import Mail, parse_mail


class Certificates:
    """An authority of its own, and a certificate for ``localhost`` and the loopback addresses."""

    def __init__(self, folder: Path) -> None:
        self.ca_file = folder / "ca.pem"
        self._pair = folder / "server.pem"
        authority = ec.generate_private_key(ec.SECP256R1())
        root = self._certificate("Test authority", authority, "Test authority", authority, ca=True)
        self.ca_file.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self._certificate("localhost", key, "Test authority", authority, ca=False)
        self._pair.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + leaf.public_bytes(serialization.Encoding.PEM)
        )

    def context(self) -> ssl.SSLContext:
        """For a server with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._pair)
        return context

    @staticmethod
    def _certificate(
        name: str,
        key: ec.EllipticCurvePrivateKey,
        issuer: str,
        issuer_key: ec.EllipticCurvePrivateKey,
        *,
        ca: bool,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        names = [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if not ca:
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return made.sign(issuer_key, hashes.SHA256())


class MailServer:
    """Takes mails, inside a ``with`` block.

    Args:
        tls: its certificate; without one it offers no encryption.
        from_the_first_byte: TLS at once instead of STARTTLS.
        password: of the user ``idp``; without it nobody has to authenticate.
        offers_utf8: whether addresses beyond ASCII may come (RFC 6531).
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        *,
        from_the_first_byte: bool = False,
        password: str | None = None,
        offers_utf8: bool = True,
    ) -> None:
        self.tls = tls
        self.password = password
        self.offers_utf8 = offers_utf8
        self.mails: list[Mail] = []
        self.connections = 0
        self.replies: dict[str, list[str]] = {}
        """What to answer to a command instead of what is right, once each."""
        self.was_encrypted: list[bool] = []
        self.commands: list[str] = []
        self.after_taking: Callable[[], Any] = lambda: None
        first = tls if from_the_first_byte else None
        self._server = _Server(("127.0.0.1", 0), _Conversation)
        self._server.mail_server = self
        self._server.first = first
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    mail_server: MailServer
    first: ssl.SSLContext | None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no news here."""


class _Conversation(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.rules = self.server.mail_server
        self.rules.connections += 1
        self.is_encrypted = False
        if self.server.first is not None:
            self._encrypt(self.server.first)
        else:
            self._use(self.request)
        self._say("220 mail.test ESMTP")
        while line := self.file.readline():
            self.rules.commands.append(line.decode().strip())
            if not self._answer(line.decode().strip()):
                return

    def finish(self) -> None:
        if hasattr(self, "connection"):
            self.file.close()
            self.connection.close()

    def _use(self, connection: socket.socket) -> None:
        if hasattr(self, "file"):
            self.file.close()
        self.connection = connection
        self.file = connection.makefile("rb")

    def _encrypt(self, context: ssl.SSLContext) -> None:
        self._use(context.wrap_socket(self.request, server_side=True))
        self.is_encrypted = True

    def _say(self, text: str) -> None:
        self.connection.sendall(text.encode() + b"\r\n")

    def _answer(self, line: str) -> bool:
        verb = line.partition(" ")[0].upper()
        instead = self.rules.replies.get(verb)
        if instead:
            reply = instead.pop(0)
            if reply == "hang up":
                return False
            self._say(reply)
            return True
        match verb:
            case "EHLO":
                self._greet()
            case "STARTTLS" if self.rules.tls is not None:
                self._say("220 go ahead")
                self._encrypt(self.rules.tls)
            case "AUTH":
                self._authenticate(line)
            case "MAIL" | "RCPT" | "RSET" | "NOOP":
                self._say("250 fine")
            case "DATA":
                self._take()
            case "QUIT":
                self._say("221 good bye")
                return False
            case _:
                self._say("502 not known here")
        return True

    def _greet(self) -> None:
        offered = ["mail.test", "8BITMIME"]
        if self.rules.offers_utf8:
            offered.append("SMTPUTF8")
        if self.rules.tls is not None and not self.is_encrypted:
            offered.append("STARTTLS")
        if self.rules.password is not None and (self.is_encrypted or self.rules.tls is None):
            offered.append("AUTH PLAIN")
        for word in offered[:-1]:
            self._say(f"250-{word}")
        self._say(f"250 {offered[-1]}")

    def _authenticate(self, line: str) -> None:
        shown = base64.b64decode(line.split()[2]).decode().split("\0")
        right = shown[1:] == ["idp", self.rules.password]
        self._say("235 welcome" if right else "535 wrong password of idp")

    def _take(self) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                return
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.rules.mails.append(parse_mail(b"".join(lines)))
        self.rules.was_encrypted.append(self.is_encrypted)
        self.rules.after_taking()
        self._say("250 taken")
