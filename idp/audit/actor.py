"""Who did something, and from where."""

import re
from typing import Literal, NamedTuple

ActorKind = Literal["account", "client", "operator", "system"]

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
LONGEST = 512
"""Characters of a text that is recorded."""


class Source(NamedTuple):
    """Where a request came from."""

    address: str
    """The client's address, as far as trusted proxies vouch for it (row L5)."""
    user_agent: str = ""
    """As sent; anything at all."""
    request_id: str = ""
    """Name of the request in the logs."""
    language: str = ""
    """Language of the page, for what is written because of it; empty outside of pages. Not recorded."""


class Actor(NamedTuple):
    """Who did something.

    ``account`` is a person, ``client`` an application, ``operator`` somebody at the command
    line, ``system`` the provider itself.
    """

    kind: ActorKind
    id: str | None = None
    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None

    @classmethod
    def account(cls, account_id: str, source: Source) -> "Actor":
        """A person at a browser."""
        return cls._at("account", account_id, source)

    @classmethod
    def client(cls, client_id: str, source: Source) -> "Actor":
        """An application at a protocol endpoint."""
        return cls._at("client", client_id, source)

    @classmethod
    def anonymous(cls, source: Source) -> "Actor":
        """Somebody at a browser who has not proved who they are."""
        return cls._at("account", None, source)

    @classmethod
    def operator(cls, name: str) -> "Actor":
        """Somebody at the command line, by the name of their operating system account."""
        return cls(kind="operator", id=name)

    @classmethod
    def system(cls, part: str) -> "Actor":
        """A part of the provider that acts by itself, for example ``rotation``."""
        return cls(kind="system", id=part)

    @classmethod
    def _at(cls, kind: ActorKind, identifier: str | None, source: Source) -> "Actor":
        return cls(
            kind=kind,
            id=identifier,
            address=source.address,
            user_agent=source.user_agent,
            request_id=source.request_id,
        )

    @property
    def name(self) -> str:
        """``<kind>:<id>``, or the kind alone."""
        return f"{self.kind}:{clean(self.id)}" if self.id else self.kind


def clean(text: str | None) -> str | None:
    """Text that fits into a log line and every database: no control characters, at most 512 characters.

    A hostile ``User-Agent`` must not stop the event from being written (rows X5, X11).
    """
    if not text:
        return None
    text = text[:LONGEST]
    if text.isprintable():  # nearly always, and found at the speed of C
        return text
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
