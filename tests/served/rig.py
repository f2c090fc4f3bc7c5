"""A served provider that is quick to fill and whose workers can be spoken to one by one.

In use:

    served.account("ada"); served.client("shop")   -> registered in this process, as the command line does it
    served.pinned()                                -> one transport per worker process
    volley(served, requests)                       -> all at once, each on a connection of its own
"""

import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from idp.admin import Admin
from idp.cli.context import opened
from idp.container import Container
from idp.settings import Settings, load_settings
from idp.storage.migrations import upgrade
from tests.live import LiveProvider
from tests.provider import ALL_SCOPES, CALLBACK, PASSWORD, Client
from tests.services import free_port
from tests.transport import Answer, Pairs, basic

FORM = ("Content-Type", "application/x-www-form-urlencoded")


class Served(LiveProvider):
    """`idp serve` in its own processes. Registers without a new process for each command."""

    @property
    def settings(self) -> Settings:
        """What the server reads too."""
        return load_settings(environ=self.environment)

    def __enter__(self) -> Self:
        upgrade(self.settings.database)
        self.start()
        return self

    @contextmanager
    def opened(self) -> Iterator[Container]:
        """Everything the server consists of, in this process, on its database."""
        with opened(self.settings) as container:
            yield container

    @contextmanager
    def opened_empty(self) -> Iterator[Container]:
        """The same before the first start: migrates first."""
        upgrade(self.settings.database)
        with self.opened() as container:
            yield container

    @contextmanager
    def admin(self) -> Iterator[Admin]:
        """The operator's flows, as the command line calls them."""
        with self.opened() as container:
            yield container.admin

    def account(self, username: str = "ada", *options: str, password: str = PASSWORD) -> dict[str, Any]:
        assert not options
        with self.admin() as admin:
            made: dict[str, Any] = admin.accounts.create(
                username=username, email=None, email_verified=False, claims={}, password=password
            )
        return made

    def client(
        self,
        client_id: str = "shop",
        *options: str,
        auth_method: str = "client_secret_basic",
        first_party: bool = True,
        **metadata: Any,
    ) -> Client:
        """Register a client and wait until every worker has heard of it."""
        assert not options
        given = {
            "client_name": "The Shop",
            "token_endpoint_auth_method": auth_method,
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "scope": ALL_SCOPES,
            "first_party": first_party,
            **metadata,
        }
        with self.admin() as admin:
            made = admin.clients.create(client_id=client_id, metadata=given)
        client = Client(client_id, made.get("client_secret"), CALLBACK, auth_method)
        self.wait_until_known(client)
        return client

    def machine(self, client_id: str = "robot", *options: str, scope: str = "jobs:run") -> Client:
        assert not options
        return self.client(client_id, grant_types=["client_credentials"], redirect_uris=[], scope=scope)

    def wait_until_known(self, client: Client) -> None:
        """Until no worker takes the client for a stranger."""
        with self.pinned() as workers:
            self.wait_for(lambda: all(_knows(worker, client) for worker in workers))

    def worker_pids(self) -> list[int]:
        """The processes that answer requests; those the server process made."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in children.split()]

    @contextmanager
    def pinned(self, pids: Iterable[int] | None = None) -> Iterator[list["Pinned"]]:
        """One kept-alive connection to each worker; opened until the kernel has dealt one to every one."""
        wanted: set[int | None] = set(pids or self.worker_pids())
        found: dict[int | None, Pinned] = {}
        spare: list[Pinned] = []
        deadline = time.monotonic() + 10
        try:
            while wanted - found.keys():
                assert time.monotonic() < deadline, f"no connection reached {wanted - found.keys()}"
                connection = Pinned(self.issuer)
                pid = connection.worker(wanted.union(self.worker_pids()))
                if pid in wanted - found.keys():
                    found[pid] = connection
                else:
                    spare.append(connection)
            yield list(found.values())
        finally:
            for connection in (*found.values(), *spare):
                connection.close()


class Pinned:
    """A transport that keeps one connection, hence one worker."""

    def __init__(self, issuer: str, timeout: float = 15.0) -> None:
        self.issuer = issuer
        parts = urlsplit(issuer)
        self.connection = HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        self.connection.connect()
        # Lost connections must show: a new one could go to another worker.
        self.connection.auto_open = 0
        self.pid: int | None = None

    def send(self, method: str, path: str, *, headers: Pairs, body: bytes | None) -> Answer:
        has_host = any(name.lower() == "host" for name, _ in headers)
        self.connection.putrequest(method, path, skip_host=has_host, skip_accept_encoding=True)
        for name, value in headers:
            self.connection.putheader(name, value.encode("utf-8"))
        if body is not None:
            self.connection.putheader("Content-Length", str(len(body)))
        self.connection.endheaders(body)
        response = self.connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read(), path)

    def worker(self, pids: Iterable[int | None]) -> int | None:
        """Which of these processes holds the other end; asks until it was accepted, for a second at most."""
        deadline = time.monotonic() + 1
        while self.pid is None and time.monotonic() < deadline:
            inode = _inode(self.connection.sock)
            self.pid = next((pid for pid in pids if _holds(pid, inode)), None) if inode else None
            if self.pid is None:
                time.sleep(0.002)
        return self.pid

    def close(self) -> None:
        self.connection.close()


def volley(served: LiveProvider, requests: Sequence[bytes], seconds: float = 30.0) -> list[Answer]:
    """Send every request at the same moment, each on its own connection that stood already."""
    sockets = [socket.create_connection(("localhost", served.port), timeout=seconds) for _ in requests]
    try:
        for connection, request in zip(sockets, requests, strict=True):
            connection.sendall(request)
        return [_read(connection) for connection in sockets]
    finally:
        for connection in sockets:
            connection.close()


def form_request(
    served: LiveProvider, path: str, form: dict[str, str], client: Client | None = None
) -> bytes:
    """The bytes of one POST, with the client's authentication."""
    body = urlencode({**form, **(client.body if client else {})}).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: localhost:{served.port}",
        f"{FORM[0]}: {FORM[1]}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *([f"Authorization: {basic(*client.auth)}"] if client and client.auth else []),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def dead_port_url(scheme: str = "redis") -> str:
    """An address at which nobody listens."""
    return f"{scheme}://127.0.0.1:{free_port()}/0"


def _read(connection: socket.socket) -> Answer:
    response = HTTPResponse(connection)
    response.begin()
    return Answer(response.status, response.getheaders(), response.read())


def _knows(worker: Pinned, client: Client) -> bool:
    """A client that is known is told what is wrong with its token; a stranger gets 401."""
    auth = [("Authorization", basic(*client.auth))] if client.auth else []
    body = urlencode({"grant_type": "refresh_token", "refresh_token": "none", **client.body}).encode()
    return worker.send("POST", "/token", headers=[FORM, *auth], body=body).status == 400


def _inode(connection: socket.socket) -> str | None:
    """The inode of the server's end; None until it was accepted."""
    local, remote = connection.getsockname(), connection.getpeername()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            ports = [int(address.rpartition(":")[2], 16) for address in fields[1:3]]
            if ports == [remote[1], local[1]]:
                return fields[9] if fields[9] != "0" else None
    return None


def _holds(pid: int | None, inode: str) -> bool:
    try:
        return any(
            entry.readlink().name == f"socket:[{inode}]" for entry in Path(f"/proc/{pid}/fd").iterdir()
        )
    except OSError:
        return False
