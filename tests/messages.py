"""Messages as their readers see them, out of the folders that the transports `folder` write."""

import email
import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from pathlib import Path


@dataclass(frozen=True)
class Mail:
    """One mail."""

    to: str
    subject: str
    text: str
    html: str
    message: EmailMessage

    @property
    def link(self) -> str:
        """The one link that the mail asks to open."""
        links = [line for line in self.text.splitlines() if re.fullmatch(r"https?://\S+/\S+", line)]
        assert len(links) == 1, self.text
        return links[0]

    @property
    def code(self) -> str:
        """The six digits that the mail asks to type."""
        found = re.search(r"^ +(\d{6})\r?$", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]


@dataclass(frozen=True)
class Sms:
    """One SMS."""

    to: str
    text: str

    @property
    def code(self) -> str:
        """The six digits in it."""
        found = re.search(r"\b(\d{6})\b", self.text)
        assert found is not None, self.text
        return found[1]


def read_mails(folder: Path) -> list[Mail]:
    """All mails of a folder, oldest first."""
    return [parse_mail(path.read_bytes()) for path in sorted(folder.glob("[!.]*.eml"))]


def read_sms(folder: Path) -> list[Sms]:
    """All SMS of a folder, oldest first."""
    made = []
    for path in sorted(folder.glob("[!.]*.txt")):
        head, _, text = path.read_text(encoding="utf-8").partition("\n\n")
        made.append(Sms(head.removeprefix("To: "), text.strip()))
    return made


def parse_mail(raw: bytes) -> Mail:
    """A mail as it travels."""
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    return Mail(
        to=str(message["To"]),
        subject=str(message["Subject"]),
        text="" if plain is None else plain.get_content(),
        html="" if html is None else html.get_content(),
        message=message,
    )
