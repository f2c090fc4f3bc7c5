"""How a test speaks HTTP: to an application in this process, or to a served one.

Both give the same `Answer`, so one test can run against either.
"""

import http.client
import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, unquote_to_bytes, urlencode, urlsplit

from werkzeug.test import Client as WsgiClient

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """A response as bytes came over the wire."""

    status: int
    headers: Pairs
    body: bytes
    url: str = ""

    def header(self, name: str) -> str | None:
        """The first header of that name, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all_headers(self, name: str) -> list[str]:
        """Every header of that name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self) -> str:
        """The body as UTF-8 text."""
        return self.body.decode("utf-8")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def location(self) -> str:
        """Where a redirect leads; fails when it is none."""
        value = self.header("Location")
        assert value is not None, f"{self.status} without Location: {self.body[:400]!r}"
        return value


class Transport(Protocol):
    """Sends one request."""

    issuer: str

    def send(self, method: str, path: str, *, headers: Pairs, body: bytes | None) -> Answer:
        """Send and read the whole answer; never follows redirects."""
        ...


class InProcess:
    """Calls the WSGI application directly; time stands still meanwhile."""

    def __init__(self, app: Any, issuer: str, address: str) -> None:
        self.issuer = issuer
        self._client = WsgiClient(app, use_cookies=False)
        self._address = address

    def send(self, method: str, path: str, *, headers: Pairs, body: bytes | None) -> Answer:
        parts = urlsplit(self.issuer)
        target, _, query = path.partition("?")
        response = self._client.open(
            method=method,
            base_url=f"{parts.scheme}://{parts.netloc}/",
            headers=headers,
            data=body or b"",
            environ_overrides={  # as a server would: the client of the test suite repairs what is odd
                "REMOTE_ADDR": self._address,
                "REQUEST_METHOD": method,
                "PATH_INFO": unquote_to_bytes(target).decode("latin-1"),
                "QUERY_STRING": query,
            },
        )
        try:
            return Answer(response.status_code, list(response.headers.items()), response.get_data(), path)
        finally:
            response.close()


class OverTheWire:
    """Speaks HTTP/1.1 to a served application; one connection per request."""

    def __init__(self, issuer: str, *, timeout: float = 15.0) -> None:
        self.issuer = issuer
        parts = urlsplit(issuer)
        self._host = parts.hostname or "localhost"
        self._port = parts.port or 80
        self._timeout = timeout

    def send(self, method: str, path: str, *, headers: Pairs, body: bytes | None) -> Answer:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            has_host = any(name.lower() == "host" for name, _ in headers)
            connection.putrequest(method, path, skip_host=has_host, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value.encode("utf-8"))
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read(), path)
        finally:
            connection.close()


@dataclass
class Http:
    """Requests without memory: no cookies, no redirects. What a client's back channel does."""

    transport: Transport
    defaults: Pairs = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return self.transport.issuer

    def get(self, path: str, *, query: Pairs | dict[str, str] | None = None, headers: Pairs = ()) -> Answer:
        suffix = f"?{urlencode(query)}" if query else ""
        return self.transport.send("GET", path + suffix, headers=[*self.defaults, *headers], body=None)

    def post(
        self,
        path: str,
        form: Pairs | dict[str, str] | None = None,
        *,
        auth: tuple[str, str] | None = None,
        bearer: str | None = None,
        headers: Pairs = (),
    ) -> Answer:
        """Post a form; `auth` becomes HTTP Basic with both parts form-encoded (RFC 6749 §2.3.1)."""
        sent = [*self.defaults, *headers, ("Content-Type", "application/x-www-form-urlencoded")]
        if auth:
            sent.append(("Authorization", basic(*auth)))
        if bearer:
            sent.append(("Authorization", f"Bearer {bearer}"))
        return self.transport.send("POST", path, headers=sent, body=urlencode(form or {}).encode())

    def send(self, method: str, path: str, *, headers: Pairs = (), body: bytes | None = None) -> Answer:
        """Anything at all, byte for byte."""
        return self.transport.send(method, path, headers=[*self.defaults, *headers], body=body)


def basic(client_id: str, secret: str) -> str:
    """The value of an `Authorization` header for HTTP Basic."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return "Basic " + b64encode(pair.encode()).decode()
