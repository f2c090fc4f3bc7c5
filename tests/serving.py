"""A real granian server in this process, in front of an application under test.

Clock, container, database and monkeypatches stay shared with the test, and yet every byte of an answer went
through the production server: its HTTP parser, its limits, its WSGI environment.

`reach(app, ...)` is how every test comes to an application: by calling it, or through such a server. Which of
the two is said by the option ``--served``, or by the fixture ``way`` for tests that run in both.
"""

import asyncio
import select
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from granian._futures import _new_cbscheduler
from granian._granian import WorkerSignal, WSGIWorker
from granian.net import SocketSpec

from idp.cli.fiber_requests import fiber_runner
from idp.cli.serve import make_server
from idp.fibers import FiberLoop
from idp.settings import Settings
from idp.web.wire import Environ
from tests.services import free_port
from tests.transport import Answer, InProcess, Pairs, Transport

PEER = "203.0.113.7"
"""The address that applications see requests come from."""

CONTROLS = "".join(map(chr, (*range(9), *range(10, 32), 127)))
"""What no header may hold; the server answers a bare 400 to it (RFC 9110 §5.5)."""

SECONDS = 15.0
_BUFFER = 65_536
_LARGE = 16_384


class GranianThread:
    """One WSGI worker of granian on a port of its own, with the settings of ``idp serve``.

    Does what ``granian.server.mt.MTServer`` does for a worker. That server refuses to start where Python has
    its global lock, since there one process of several workers gains nothing; one worker does work.

    Args:
        app: the WSGI application.
        settings: those of the application; what they say of the server counts here too.
        port: where to listen; a free one if it is not given.
    """

    def __init__(self, app: Any, settings: Settings, port: int | None = None) -> None:
        self.port = port or free_port()
        server = make_server(settings, host="127.0.0.1", port=self.port, workers=1)
        self._peers: dict[str, OverGranian] = {}  # by the address the application is told
        self._told: dict[str, str] = {}  # from the loopback address
        self._lock = threading.Lock()
        self.app = app
        self._signal = WorkerSignal()
        self._loop = asyncio.new_event_loop()  # asked for by the scheduler, never run by a WSGI worker
        self._worker = WSGIWorker(
            1,
            (SocketSpec(server.bind_addr, self.port, server.backlog), None),
            None,
            server.runtime_threads,
            server.runtime_blocking_threads,
            server.blocking_threads,
            server.blocking_threads_idle_timeout,
            server.backpressure,
            server.http,
            server.http1_settings,
            server.http2_settings,
            server.static_path,
            *server.ssl_ctx,
            (None, None),
        )
        self._fibers = FiberLoop(server.blocking_threads)
        runner = fiber_runner(self, self._fibers, {})
        scheduler = _new_cbscheduler(self._loop, runner, impl_asyncio=True)
        self._worker.serve_mtr(scheduler, self._loop, self._signal)

    @property
    def waiting(self) -> Mapping[tuple[str, str], Callable[[Environ, bytes], bool]]:
        return getattr(self.app, "waiting", {})

    def answer(self, environ: Environ) -> Any:
        return self.app.answer(self._seen(environ)) if hasattr(self.app, "answer") else None

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        return self.app(self._seen(environ), start_response)

    def _seen(self, environ: Environ) -> Environ:
        """The request as the application sees it."""
        address = environ["REMOTE_ADDR"]
        environ["REMOTE_ADDR"] = self._told.get(address, address)
        return environ

    def transport(self, issuer: str, address: str = PEER) -> "OverGranian":
        """Connections that the application sees come from `address`.

        Each address has a loopback address of its own, so that nothing needs to be added to a request.
        """
        with self._lock:
            if address not in self._peers:
                source = f"127.0.1.{len(self._peers) + 1}"
                self._told[source] = address
                self._peers[address] = OverGranian(self.port, source, issuer)
            return self._peers[address]

    def stop(self) -> None:
        """Let running requests finish, then close the port."""
        for peer in self._peers.values():
            peer.close()
        stopped = threading.Event()
        self._signal.add_cb(stopped.set)
        self._signal.set()
        assert stopped.wait(SECONDS), "the server did not stop"
        self._fibers.stop()
        self._loop.close()


@dataclass(frozen=True)
class _Head:
    """Status line and headers of an answer."""

    status: int
    headers: Pairs

    def value(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "").lower()


class _Connection:
    """One connection that reads whole answers. Knows as much of HTTP/1.1 as the server uses (RFC 9112)."""

    def __init__(self, port: int, source: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    @property
    def is_usable(self) -> bool:
        """Whether the server has neither closed it nor said anything unasked."""
        return not self._received and not select.select([self.socket], [], [], 0)[0]

    def read(self, method: str) -> tuple[Answer, bool]:
        """The next answer, and whether the connection may be used for another request.

        Raises:
            ConnectionError: the server closed before it had answered.
        """
        head = self._head()
        while head.status == 100:
            head = self._head()
        body, is_delimited = b"", True
        if method == "HEAD" or head.status in {204, 304}:
            pass
        elif head.value("transfer-encoding") == "chunked":
            while size := int(self._until(b"\r\n"), 16):
                body += self._exactly(size)
                self._exactly(2)
            self._until(b"\r\n")
        elif head.value("content-length"):
            body = self._exactly(int(head.value("content-length")))
        else:
            is_delimited = False
            while self._more():
                pass
            body, self._received = self._received, b""
        keeps = is_delimited and head.value("connection") != "close"
        return Answer(head.status, head.headers, body), keeps

    def _head(self) -> _Head:
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
        return _Head(int(lines[0].split()[1]), pairs)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._received:
            if not self._more():
                raise ConnectionError(f"closed before the end of an answer: {self._received[:200]!r}")
        part, _, self._received = self._received.partition(mark)
        return part

    def _exactly(self, count: int) -> bytes:
        while len(self._received) < count:
            if not self._more():
                raise ConnectionError("closed within an answer")
        part, self._received = self._received[:count], self._received[count:]
        return part

    def _more(self) -> bool:
        part = self.socket.recv(_BUFFER)
        self._received += part
        return bool(part)


class OverGranian:
    """Speaks to one server, on kept connections, from one loopback address; threads may share it."""

    def __init__(self, port: int, source: str, issuer: str) -> None:
        self.issuer = issuer
        self._port = port
        self._source = source
        self._idle: deque[_Connection] = deque()

    def send(self, method: str, path: str, *, headers: Pairs, body: bytes | None) -> Answer:
        lines = [_octets(f"{method} {path} HTTP/1.1")]
        names = {name.lower() for name, _ in headers}
        if "host" not in names:
            lines.append(b"Host: " + urlsplit(self.issuer).netloc.encode())
        lines += [name.encode() + b": " + _octets(value) for name, value in headers]
        if (body or method == "POST") and names.isdisjoint({"content-length", "transfer-encoding"}):
            lines.append(b"Content-Length: %d" % len(body or b""))
        answer = self.send_raw(b"\r\n".join(lines) + b"\r\n\r\n" + (body or b""), method)
        return Answer(answer.status, answer.headers, answer.body, path)

    def send_raw(self, message: bytes, method: str = "", *, breaks_off: bool = False) -> Answer:
        """Send these bytes and read one answer.

        Args:
            message: the request, from its first line to the last byte of its body.
            method: decides whether the answer has a body.
            breaks_off: say afterwards that nothing more will come.

        Raises:
            ConnectionError: the server closed without an answer.
        """
        connection = self._connection()
        keeps = False
        try:
            try:
                connection.socket.sendall(message)
                if breaks_off:
                    connection.socket.shutdown(socket.SHUT_WR)
            except ConnectionError:
                pass  # refused before all was read: the answer is there nevertheless
            answer, keeps = connection.read(method)
            return answer
        finally:
            # A server that did not want all of a large body closes after its answer, whatever that says. To a
            # server that is asked for a tunnel, what follows is the next request.
            if keeps and not breaks_off and len(message) < _LARGE and method != "CONNECT":
                self._idle.append(connection)
            else:
                connection.socket.close()

    def close(self) -> None:
        """Close the kept connections."""
        while self._idle:
            self._idle.pop().socket.close()

    def _connection(self) -> _Connection:
        while True:
            try:
                kept = self._idle.pop()
            except IndexError:
                return _Connection(self._port, self._source)
            if kept.is_usable:
                return kept
            kept.socket.close()


def _octets(text: str) -> bytes:
    """As the application alone is given it: one byte for a character, or UTF-8 where that cannot be."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


_servers: dict[Any, GranianThread] = {}
_is_served = False


def choose_way(*, served: bool) -> None:
    """From now on, reach applications through granian, or by calling them."""
    global _is_served  # noqa: PLW0603 - one switch for the whole test process
    _is_served = served


def reach(app: Flask, address: str = PEER) -> Transport:
    """The way to an application, for requests from this address.

    The server of an application starts with its first use, in a millisecond; :func:`leave` ends it.
    """
    settings = app.extensions["idp"].settings
    if not _is_served:
        return InProcess(app, settings.issuer, address)
    if app not in _servers:
        _servers[app] = GranianThread(app, settings)
    return _servers[app].transport(settings.issuer, address)


def leave(app: Flask) -> None:
    """Stop the server of an application, if it has one."""
    server = _servers.pop(app, None)
    if server is not None:
        server.stop()
