"""Domains of e-mail addresses, in the one form in which they are compared."""

import re
from typing import Final

import idna

ANY_DOMAIN: Final = "*"
"""In a list of trusted domains: every domain."""

_MAX_DOMAIN: Final = 253
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def ascii_domain(text: str) -> str | None:
    """A domain in lower case and ASCII (IDNA); ``None`` for what is none.

    Source: RFC 5891; UTS 46 for what people type.
    """
    if len(text) > _MAX_DOMAIN:
        return None
    if text.isascii():
        domain = text.lower()
    else:
        try:
            domain = idna.encode(text, uts46=True).decode("ascii")
        except idna.IDNAError:
            return None
    return domain if _DOMAIN.fullmatch(domain) else None


def domain_of(address: str) -> str | None:
    """The domain of an e-mail address in that form; ``None`` if it has none."""
    _, separator, domain = address.rpartition("@")
    return ascii_domain(domain) if separator else None
