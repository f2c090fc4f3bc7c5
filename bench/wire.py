"""Requests as bytes on the wire, and a client that sends one of them."""

import socket
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from urllib.parse import quote, urlencode

import orjson


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def json(self) -> dict[str, object]:
        """The body as a JSON object; ValueError if it is none."""
        found = orjson.loads(self.body)
        if not isinstance(found, dict):
            raise ValueError(f"not a JSON object: {self.body[:200]!r}")  # noqa: TRY004 - a wrong value, not type
        return found

    def header(self, name: str) -> str:
        """The first header of this name, or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def cookies(self) -> dict[str, str]:
        """Name and value of every cookie it sets."""
        set_cookies = (value for key, value in self.headers if key.lower() == "set-cookie")
        pairs = (value.partition(";")[0].partition("=") for value in set_cookies)
        return {name: value for name, _, value in pairs}


def get(port: int, path: str, **headers: str) -> bytes:
    """A GET request; ``_`` in the names of headers stands for ``-``."""
    return _head("GET", port, path, headers) + b"\r\n"


def post(port: int, path: str, form: Mapping[str, str], **headers: str) -> bytes:
    """A POST request of a form."""
    body = urlencode(form).encode()
    headers = {
        **headers,
        "Content_Type": "application/x-www-form-urlencoded",
        "Content_Length": str(len(body)),
    }
    return _head("POST", port, path, headers) + b"\r\n" + body


def basic(client_id: str, secret: str) -> str:
    """The Authorization header of ``client_secret_basic``. Source: RFC 6749 §2.3.1."""
    return "Basic " + b64encode(f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()).decode()


def send(port: int, request: bytes, *, timeout: float = 10.0) -> Answer:
    """Send one request on a connection of its own; OSError if there is nobody or no proper answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(request)
        response = HTTPResponse(connection, method=request.partition(b" ")[0].decode())
        try:
            response.begin()
        except ValueError as error:
            raise OSError(str(error)) from error
        return Answer(response.status, tuple(response.getheaders()), response.read())


def _head(method: str, port: int, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{port}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n").encode()
