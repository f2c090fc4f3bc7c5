"""Links that our pages show for a client: logo, home page, policy, terms."""

import re
from typing import Final
from urllib.parse import urlsplit

from idp.errors import Invalid

_MAX_LENGTH: Final = 2048
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def validate_link(uri: object, *, field: str) -> str:
    """Accept a link for our pages: https, or http on the own machine, and nothing that could run.

    Raises:
        Invalid: with ``field``.

    Source: RFC 7591 §2, §5 ("must be checked" against malicious content).
    """
    if not isinstance(uri, str) or len(uri) > _MAX_LENGTH or not _VISIBLE_ASCII.fullmatch(uri):
        raise Invalid("A link must be visible ASCII text of at most 2048 characters.", field=field)
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, None
    if parts is None or not host or "@" in parts.netloc or any(character in uri for character in '<>"\\'):
        raise Invalid("A link must be a full web address, such as https://app.example/terms.", field=field)
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOCAL_HOSTS):
        raise Invalid("A link must use https.", field=field)
    return uri
