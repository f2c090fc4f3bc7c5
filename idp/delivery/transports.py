"""How a mail gets to a mail server, or to a developer's eyes."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import Final, Protocol

from idp.errors import Unavailable

_PRIVATE: Final = 0o700


class MailSession(Protocol):
    """A connection over which several mails go."""

    def send(self, mail: EmailMessage, now: datetime) -> None:
        """Hand one mail over.

        Raises:
            Undeliverable: it will never be taken.
            Unavailable: later it may be.
        """
        ...


class MailTransport(Protocol):
    """One of the ways that ``mail.transport`` names."""

    def session(self) -> AbstractContextManager[MailSession]:
        """Connect; closed at the end of the ``with`` block.

        Raises:
            Unavailable: no connection, or not one that is safe.
        """
        ...


class ConsoleTransport:
    """Prints mails; for development."""

    @contextmanager
    def session(self) -> Iterator[MailSession]:
        """Nothing to connect to."""
        yield self

    def send(self, mail: EmailMessage, now: datetime) -> None:
        """Print the headers and the text; not as a log line, because those hide secrets."""
        body = mail.get_body(("plain",))
        text = "" if body is None else body.get_content()
        lines = [
            f"To: {mail['To']}",
            f"Subject: {mail['Subject']}",
            f"Date: {now:%Y-%m-%d %H:%M:%S}",
            "",
            text,
        ]
        sys.stderr.write("\n".join(["-" * 72, *lines, "-" * 72, ""]))
        sys.stderr.flush()


class FolderTransport:
    """Writes each mail to a file of its own, in an order that names show; for development and tests.

    Args:
        folder: made if it is not there, for its owner alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)

    @contextmanager
    def session(self) -> Iterator[MailSession]:
        """Make the folder."""
        try:
            self._folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(detail=f"{self._folder} cannot be made: {error.strerror}") from error
        yield self

    def send(self, mail: EmailMessage, now: datetime) -> None:
        """Write the whole mail; under its final name it is complete."""
        name = f"{now:%Y%m%dT%H%M%S.%f}-{next(self._numbers):06d}-{os.getpid()}.eml"
        write_file(self._folder, name, mail.as_bytes())


def write_file(folder: Path, name: str, content: bytes) -> None:
    """Write a file that is complete as soon as it is seen.

    Raises:
        Unavailable: the folder does not take it.
    """
    draft = folder / f".{name}"
    try:
        draft.write_bytes(content)
        draft.rename(folder / name)
    except OSError as error:
        raise Unavailable(detail=f"{folder} does not take files: {error.strerror}") from error
