"""Addresses that a request names for going on afterwards: only paths of our own (row R15)."""

import re
from typing import Final

from idp.web.context import application

_LONGEST: Final = 2000
_PATH: Final = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)", re.ASCII)
"""A path with its query, as browsers send it: no backslash, no control character, no fragment."""


def own_path(text: str | None) -> str | None:
    """The path below the issuer that a text names; ``None`` for anything else."""
    # Security: two slashes, or a slash and a backslash, begin another host to a browser.
    if not text or len(text) > _LONGEST or not _PATH.fullmatch(text) or text.startswith("//"):
        return None
    prefix = application().path_prefix
    path = text.partition("?")[0]
    if (prefix and path != prefix and not path.startswith(f"{prefix}/")) or "/.." in path or "/./" in path:
        return None
    return text
