"""Redirect URIs: a strict parser at registration, plain string equality at run time.

Every wildcard, prefix and pattern scheme for redirect URIs was bypassed somewhere, so there is
none (rows R1 and R3). The single exception is the port of a loopback redirect of a native app,
which the operating system picks when the app starts (RFC 8252 §7.3).
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from idp.errors import Invalid

MAX_LENGTH: Final = 2048
"""Characters; what every browser, proxy and log takes."""

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "[::1]", "localhost"})
"""Hosts that plain http may name at registration: nothing leaves the machine."""

# What RFC 3986 allows in a URI, without "#" (fragment) and "*" (nobody's path, everybody's wildcard).
_ALLOWED = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]+")
_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ENCODED_CONTROL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
_DOT_SEGMENT = re.compile(r"/(?:\.|%2[Ee]){1,2}(?:/|$)")
_URI = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(?://([^/?]*))?([^?]*)(?:\?.*)?")
_HOST_PORT = re.compile(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+\-]*(?:\.[a-z0-9+\-]+)+")
_LOOPBACK_IP = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?([/?].*)?", re.DOTALL)
_MAX_PORT: Final = 65535
_MAX_HOST: Final = 253


@dataclass(frozen=True, slots=True)
class ParsedRedirectUri:
    """What the registration rules have found out about a redirect URI."""

    scheme: str
    host: str | None

    @property
    def is_loopback(self) -> bool:
        """Whether it leads to a program on the person's own machine over http."""
        return self.scheme == "http"

    @property
    def is_private_scheme(self) -> bool:
        """Whether the operating system hands it to an app (RFC 8252 §7.1)."""
        return self.scheme not in {"http", "https"}


def validate_redirect_uri(uri: object, *, field: str = "redirect_uris") -> ParsedRedirectUri:
    """Accept a redirect URI for registration, or say what is wrong with it.

    Allowed are https addresses, http addresses of the own machine (127.0.0.1, [::1],
    localhost), and private-use schemes in reverse-domain form such as
    ``com.example.app:/callback``. Refused are fragments, user information, wildcards,
    backslashes, control and non-ASCII characters, path segments ``.`` and ``..``, and every
    other scheme, ``javascript:`` and ``data:`` among them.

    Raises:
        Invalid: with ``field``.

    Source: security row R3; RFC 6749 §3.1.2, RFC 8252 §7, §8.4, RFC 9700 §2.1.
    """
    text = _spelled_well(uri, field)
    shown = _shown(text)
    match = _URI.fullmatch(text)
    if match is None:
        raise Invalid(f"{shown} must be absolute, such as https://app.example/callback.", field=field)
    scheme, authority, path = match.group(1), match.group(2), match.group(3)
    if _DOT_SEGMENT.search(path):
        raise Invalid(f"{shown} must not contain the path segments '.' or '..'.", field=field)
    if authority is not None and "@" in authority:
        raise Invalid(f"{shown} must not contain user information (@).", field=field)
    if scheme.lower() in {"http", "https"}:
        return _web(scheme.lower(), authority, shown, field)
    return _private(scheme, authority, path, shown, field)


def _spelled_well(uri: object, field: str) -> str:
    """Refuse what the parser and the browser might read differently."""
    if not isinstance(uri, str) or not uri:
        raise Invalid("A redirect URI must be a text that is not empty.", field=field)
    shown = _shown(uri)
    if len(uri) > MAX_LENGTH:
        raise Invalid(f"A redirect URI may have at most {MAX_LENGTH} characters.", field=field)
    if "#" in uri:
        raise Invalid(f"{shown} must not have a fragment (#).", field=field)
    if "*" in uri:
        raise Invalid(f"{shown} must not contain a wildcard (*): register each address in full.", field=field)
    if not _ALLOWED.fullmatch(uri):
        raise Invalid(f"{shown} contains a character that a URI cannot have.", field=field)
    if _PERCENT.search(uri) or _ENCODED_CONTROL.search(uri):
        raise Invalid(f"{shown} has a bad percent-encoding.", field=field)
    return uri


def _web(scheme: str, authority: str | None, shown: str, field: str) -> ParsedRedirectUri:
    host = None if authority is None else _host(authority)
    if host is None:
        raise Invalid(f"{shown} must name a valid host and port.", field=field)
    if scheme == "http" and host not in LOOPBACK_HOSTS:
        raise Invalid(
            f"{shown} must use https; plain http is for 127.0.0.1, [::1] and localhost.", field=field
        )
    return ParsedRedirectUri(scheme, host)


def _private(scheme: str, authority: str | None, path: str, shown: str, field: str) -> ParsedRedirectUri:
    # The dot keeps out javascript:, data:, file: and every scheme that a browser gives a meaning;
    # the reversed domain makes the owner of the scheme answerable (RFC 8252 §7.1).
    if not _PRIVATE_SCHEME.fullmatch(scheme):
        raise Invalid(
            f"{shown} must use https, or for an app a private scheme made from a domain name,"
            " such as com.example.app:/callback.",
            field=field,
        )
    if not path.startswith("/") and not authority:
        raise Invalid(f"{shown} must have a path, such as {scheme}:/callback.", field=field)
    if authority and _host(authority) is None:
        raise Invalid(f"{shown} must name a valid host and port.", field=field)
    return ParsedRedirectUri(scheme, None)


def _host(authority: str) -> str | None:
    """The host of ``host[:port]``; None if it is none."""
    match = _HOST_PORT.fullmatch(authority)
    if match is None:
        return None
    host, port = match.group(1), match.group(2)
    if port is not None and not (port and port[0] != "0" and int(port) <= _MAX_PORT):
        return None
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            return None
        return None if "%" in host else host
    labels = host.split(".")
    if len(host) > _MAX_HOST or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    if labels[-1].isdigit():  # what looks like an IPv4 address has to be one, in its one spelling
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            return None
    return host


def _shown(uri: str) -> str:
    """The URI as it may stand in a message: short, ASCII, without line breaks (row X11)."""
    return ascii(uri[:100])


def without_loopback_port(uri: str) -> str | None:
    """The URI without its port if it leads to a loopback IP address over http, else None.

    Only the IP literals 127.0.0.1 and [::1] count. ``localhost`` must match exactly: RFC 8252
    §7.3 grants the free port to IP literals, and §8.3 advises against the name, which a hosts
    file or a resolver may send elsewhere.

    Source: RFC 8252 §7.3, §8.3; security row R1.
    """
    match = _LOOPBACK_IP.fullmatch(uri)
    if match is None:
        return None
    origin, port, rest = match.groups()
    if port is not None and int(port) > _MAX_PORT:
        return None
    return origin + (rest or "")
