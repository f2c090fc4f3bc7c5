"""What a request must look like before anything else sees it: host, size of the URL, size of headers.

Runs for every endpoint, so it touches the raw environment only and costs a microsecond.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from werkzeug.exceptions import BadRequest, NotFound, RequestHeaderFieldsTooLarge, RequestURITooLarge

MAX_PATH = 2_048
"""Longest path in bytes; ours have under 200."""
MAX_QUERY = 16_384
"""Longest query string in bytes: an authorization request with a large ``claims`` parameter fits."""
MAX_HEADER = 8_192
"""Longest ``Cookie`` or ``Authorization`` header in bytes."""

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")


class Edge:
    """The rules of the outermost door.

    Args:
        issuer: the configured issuer; its host is accepted.
        trusted_hosts: further host names, with or without port.
        exempt_paths: addresses that any Host may call (probes come by address).
    """

    def __init__(self, *, issuer: str, trusted_hosts: Iterable[str], exempt_paths: Iterable[str]) -> None:
        names = [urlsplit(issuer).netloc, *trusted_hosts]
        self._hosts = frozenset(name for name in (host_name(text) for text in names) if name is not None)
        # As clients send them, port included: found without taking the header apart.
        self._usual = frozenset(text for text in names if host_name(text) is not None)
        self._exempt = frozenset(exempt_paths)

    def assert_acceptable(self, environ: Mapping[str, Any]) -> None:
        """Let the request pass, or refuse it.

        Raises:
            BadRequest: a Host that is not ours (row X2), or a NUL in the path (row X5).
            NotFound: more than one slash at the start, which the router would pass over (row X4).
            RequestURITooLarge: path or query string beyond the limits (row X3).
            RequestHeaderFieldsTooLarge: ``Cookie`` or ``Authorization`` beyond the limit (row X3).
        """
        get = environ.get
        path = get("PATH_INFO", "")
        if len(path) > MAX_PATH or len(get("QUERY_STRING", "")) > MAX_QUERY:
            raise RequestURITooLarge("The address is too long.")
        if len(get("HTTP_COOKIE", "")) > MAX_HEADER or len(get("HTTP_AUTHORIZATION", "")) > MAX_HEADER:
            raise RequestHeaderFieldsTooLarge("A header of the request is too long.")
        if "\x00" in path:
            raise BadRequest("The address holds a NUL character.")
        if path[:2] == "//":
            raise NotFound
        host = get("HTTP_HOST", "")
        if host in self._usual or path in self._exempt:
            return
        if not self.is_accepted_host(host):
            # Security: answering to any name would put an attacker's name into caches and pages.
            raise BadRequest("This server does not answer to the host name of the request.")

    def is_accepted_host(self, host: str) -> bool:
        """Whether a ``Host`` header names the issuer's host, a loopback name, or a trusted host.

        The port is not compared: absolute addresses are built from the issuer, never from this.
        """
        if host in self._usual:
            return True
        name = host_name(host)
        return name is not None and (name in self._hosts or _is_loopback(name))


def host_name(host: str) -> str | None:
    """The lower-case name of a ``host[:port]`` text; ``None`` if it is not one."""
    match = _HOST.fullmatch(host.lower())
    return match["name"] if match else None


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
