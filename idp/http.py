"""The one egress: fetching a URL that somebody else wrote down, and posting to an operator's own (row X1).

A client's metadata names addresses of its choice, so each fetch is a chance to make this
server ask its own network. Therefore: https only, every resolved address must be public, the
connection goes to exactly the address that was checked, redirects are not followed, time and
size are bounded, a fetch sends nothing of ours along, and no proxy variable is obeyed. Hosts
listed in ``settings.http.allowed_private_hosts`` may be private and plain http.
"""

import contextlib
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import BaseHTTPResponse

from idp.errors import Refused, Unavailable
from idp.fibers import assert_may_block
from idp.settings import HttpSettings, SettingsError

_LONGEST_URL = 2048
_URL_CHARACTERS = re.compile(r"[!-~]+")
_CHUNK = 16384
_AT_ONCE = 16
_MOST_ADDRESSES = 4
_ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})

_NOT_PUBLIC_V4 = tuple(map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
# Tunnels and special blocks inside the public range: their inner address may be anything.
_NOT_PUBLIC_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

Resolver = Callable[[str, int], Sequence[str]]
"""Host and port to address literals; raises OSError if there are none."""


class EgressRefused(Refused):
    """The address must not be fetched; asking again will not help."""


class EgressFailed(Unavailable):
    """The fetch did not succeed: no answer in time, too large, a redirect, or no valid TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """What the other side said; nothing in it is trustworthy."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What is sent."""

    method: str
    accept: str
    limit: int
    """Largest answer in bytes."""
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A URL that passed the checks that need no network."""

    tls: bool
    host: str
    port: int
    host_header: str
    path: str
    private_allowed: bool


def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, IPv4 and IPv6, in the order in which to try them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public_address(text: str) -> bool:
    """Whether an address literal belongs to the public internet, in whatever form it is written.

    IPv4 inside IPv6 (mapped, NAT64) is judged by the inner address; 6to4 and Teredo never are
    public. Source: the IANA special-purpose address registries (RFC 6890).
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return _is_public_v4(address) if isinstance(address, IPv4Address) else _is_public_v6(address)


def _is_public_v4(address: IPv4Address) -> bool:
    special = any(address in network for network in _NOT_PUBLIC_V4)
    return address.is_global and not address.is_multicast and not address.is_reserved and not special


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id:
        return False
    inner = address.ipv4_mapped
    if inner is None and address in _NAT64:
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    if inner is not None:
        return _is_public_v4(inner)
    special = any(address in network for network in _NOT_PUBLIC_V6)
    return address in _PUBLIC_V6 and address.is_global and not special


class HttpClient:
    """Fetches, and posts, under the rules above. Safe to share between threads.

    Args:
        settings: the section ``[http]``.
        resolve: how names become addresses.

    Raises:
        SettingsError: ``ca_file`` cannot be used.
    """

    def __init__(self, settings: HttpSettings, *, resolve: Resolver = system_resolver) -> None:
        self._timeout = settings.timeout.total_seconds()
        self._max_bytes = settings.max_bytes
        self._private_hosts = frozenset(host.strip("[]") for host in settings.allowed_private_hosts)
        self._resolve = resolve
        # A wrong file stops the start; the system's own, which takes a while to read, can wait.
        self._tls = None if settings.ca_file is None else _tls_context(settings.ca_file)
        self._slots = threading.BoundedSemaphore(_AT_ONCE)

    def get(
        self, url: str, *, accept: str, max_bytes: int | None = None, headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        """Fetch ``url``; the status may be any but a redirect.

        Args:
            url: absolute; a fragment is not sent.
            accept: media types for the ``Accept`` header.
            max_bytes: a tighter limit than the configured one.
            headers: sent along, only to an address that an operator or a provider of theirs configured,
            because they may hold a token; for one that a client or a person named there are none.

        Raises:
            EgressRefused: the URL or its addresses break the rules.
            EgressFailed: no complete answer within the limits.
        """
        return self._exchange(url, "GET", accept=accept, max_bytes=max_bytes, headers=headers)

    def post(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str],
        accept: str,
        timeout: timedelta | None = None,
        max_bytes: int | None = None,
    ) -> HttpResponse:
        """Send ``body`` to an address that an operator configured; the status may be any but a redirect.

        Args:
            url: absolute; never one that a client or a person named, because ``headers`` may hold
                credentials.
            body: as it is sent.
            headers: ``Content-Type`` and, where the other side asks for it, ``Authorization``.
            accept: media types for the ``Accept`` header.
            timeout: instead of the configured one.
            max_bytes: a tighter limit than the configured one.

        Raises:
            EgressRefused, EgressFailed: as :meth:`get`.
        """
        return self._exchange(
            url, "POST", accept=accept, max_bytes=max_bytes, headers=headers, body=body, timeout=timeout
        )

    def _exchange(
        self,
        url: str,
        method: str,
        *,
        accept: str,
        max_bytes: int | None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: timedelta | None = None,
    ) -> HttpResponse:
        assert_may_block()
        limit = self._max_bytes if max_bytes is None else min(max_bytes, self._max_bytes)
        sent = _Request(method=method, accept=accept, limit=limit, headers=headers or {}, body=body)
        target = _check_url(url, self._private_hosts)
        seconds = self._timeout if timeout is None else timeout.total_seconds()
        deadline = time.monotonic() + seconds
        if not self._slots.acquire(timeout=seconds):
            raise EgressFailed("Too many fetches are under way.")
        exchange = _Exchange(target, sent, deadline=deadline, tls=self._trust(target))

        def run() -> None:
            try:
                exchange.run(self._resolve)
            finally:
                self._slots.release()

        # A thread of its own, because neither name resolution nor a server that sends one byte
        # every few seconds obeys a total time limit otherwise.
        threading.Thread(target=run, name="egress", daemon=True).start()
        return exchange.wait()

    def _trust(self, target: _Target) -> ssl.SSLContext | None:
        if target.tls and self._tls is None:
            self._tls = _tls_context(None)
        return self._tls


class _Exchange:
    """One fetch: runs in its own thread, waited for until the deadline, then cut off."""

    def __init__(
        self, target: _Target, request: _Request, *, deadline: float, tls: ssl.SSLContext | None
    ) -> None:
        self._target = target
        self._request = request
        self._deadline = deadline
        self._tls = tls
        self._done = threading.Event()
        self._connection: HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self._result: HttpResponse | None = None
        self._error: EgressRefused | EgressFailed | None = None

    def run(self, resolve: Resolver) -> None:
        """Do the fetch and keep its result or its error."""
        try:
            self._result = self._fetch(resolve)
        except (EgressRefused, EgressFailed) as error:
            self._error = error
        except Exception as error:  # noqa: BLE001 - whatever a foreign server provokes is its failure
            detail = f"{type(error).__name__}: {error}"
            self._error = EgressFailed("The address did not give a usable answer.", detail=detail)
        finally:
            self._close()
            self._done.set()

    def wait(self) -> HttpResponse:
        """The result; at the deadline the connection is cut and the thread ends by itself."""
        if not self._done.wait(max(0.0, self._remaining())):
            self._close()
            raise EgressFailed("The address did not answer in time.")
        if self._error is not None:
            raise self._error
        if self._result is None:
            raise EgressFailed("The address did not give a usable answer.")
        return self._result

    def _remaining(self) -> float:
        return self._deadline - time.monotonic()

    def _fetch(self, resolve: Resolver) -> HttpResponse:
        addresses = list(resolve(self._target.host, self._target.port))[:_MOST_ADDRESSES]
        if not addresses:
            raise EgressFailed("The host has no address.")
        # One private address among public ones is enough to refuse: an honest host has none.
        if not self._target.private_allowed and not all(map(is_public_address, addresses)):
            raise EgressRefused("The address does not belong to the public internet.")
        connection = self._connect(addresses)
        headers = {
            **self._request.headers,
            "Host": self._target.host_header,
            "Accept": self._request.accept,
            "Accept-Encoding": "gzip",
            "User-Agent": "idp",
            "Connection": "close",
        }
        connection.request(
            self._request.method,
            self._target.path,
            body=self._request.body,
            headers=headers,
            preload_content=False,
        )
        response = connection.getresponse()
        try:
            return self._read(response)
        finally:
            response.close()

    def _connect(self, addresses: Sequence[str]) -> HTTPConnection:
        """Connect to the first address that answers; the name is used for TLS only."""
        failure: Exception | None = None
        for position, address in enumerate(addresses):
            share = max(0.05, self._remaining() / (len(addresses) - position))
            connection = self._new_connection(address, share)
            try:
                connection.connect()
            except Exception as error:  # noqa: BLE001 - urllib3, ssl and the socket each have their own
                failure = error
                connection.close()
                continue
            # Kept apart, because urllib3 forgets the socket once the answer has begun.
            self._connection, self._socket = connection, connection.sock
            if self._remaining() <= 0:
                break
            self._socket.settimeout(self._remaining())
            return connection
        raise EgressFailed("No connection could be made.", detail=f"{type(failure).__name__}: {failure}")

    def _new_connection(self, address: str, timeout: float) -> HTTPConnection:
        if not self._target.tls:
            return HTTPConnection(address, self._target.port, timeout=timeout)
        return HTTPSConnection(
            address,
            self._target.port,
            timeout=timeout,
            ssl_context=self._tls,
            cert_reqs=ssl.CERT_REQUIRED,
            server_hostname=self._target.host,
            assert_hostname=self._target.host,
        )

    def _read(self, response: BaseHTTPResponse) -> HttpResponse:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if 300 <= response.status < 400:  # noqa: PLR2004 - the redirects of RFC 9110 §15.4
            raise EgressFailed("The address answers with a redirect, which is not followed.")
        if headers.get("content-encoding", "").strip().lower() not in _ENCODINGS:
            raise EgressFailed("The answer is compressed in a way that was not asked for.")
        body = bytearray()
        # Counted after decompression: a small answer may unpack to a huge one.
        limit = self._request.limit
        while chunk := response.read(min(_CHUNK, limit + 1), decode_content=True):
            body += chunk
            if len(body) > limit:
                raise EgressFailed(f"The answer is larger than {limit} bytes.")
        return HttpResponse(status=response.status, headers=headers, body=bytes(body))

    def _close(self) -> None:
        if self._socket is not None:
            # Unlike close(), it wakes a thread that is reading. A socket that is closed already says so.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        if self._connection is not None:
            self._connection.close()


def _check_url(url: str, private_hosts: frozenset[str]) -> _Target:
    """Everything about a URL that can be judged without the network.

    Raises:
        EgressRefused: says which rule it breaks.
    """
    if len(url) > _LONGEST_URL or not _URL_CHARACTERS.fullmatch(url) or "\\" in url:
        raise EgressRefused("The address is too long or holds characters that do not belong in a URL.")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise EgressRefused("The address is not a URL.") from error
    private_allowed = host in private_hosts
    if parts.scheme != "https" and not (parts.scheme == "http" and private_allowed):
        raise EgressRefused("The address must start with https://.")
    if not host or "%" in host or port == 0:
        raise EgressRefused("The address has no usable host.")
    if "@" in parts.netloc:
        raise EgressRefused("The address must not hold a user name or password.")
    tls = parts.scheme == "https"
    literal = f"[{host}]" if ":" in host else host
    return _Target(
        tls=tls,
        host=host,
        port=port or (443 if tls else 80),
        host_header=f"{literal}:{port}" if port else literal,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        private_allowed=private_allowed,
    )


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError([f"http.ca_file: {ca_file} is not a usable PEM file: {error}"]) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
