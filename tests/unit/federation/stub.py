"""A provider on loopback that says what a test tells it to, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from idp.crypto import b64url_encode

CLIENT_ID = "our-client"
ACCESS_TOKEN = "an-access-token"
KINDS: dict[str, Callable[[], Any]] = {
    "RS256": lambda: RSAKey.generate_key(2048),
    "PS256": lambda: RSAKey.generate_key(2048),
    "ES256": lambda: ECKey.generate_key("P-256"),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}


@cache
def key(alg: str = "RS256", name: str = "one") -> Any:
    """A private key for this algorithm; the same one for the same name."""
    return KINDS[alg]()


def public(kind: str = "RS256", name: str = "one", **members: Any) -> dict[str, Any]:
    """Its entry in a key set."""
    return {**key(kind, name).as_dict(private=False), "kid": f"{kind}-{name}", "use": "sig", **members}


def sign(claims: Any, alg: str = "RS256", name: str = "one", *, by: Any = None, **header: Any) -> str:
    """A token; what is given for the header replaces what would stand there, and `None` leaves it out.

    Put together by hand, because a library for signing refuses to make what must be refused.
    """
    head = {"alg": alg, "kid": f"{alg}-{name}", "typ": "JWT", **header}
    said = {member: value for member, value in head.items() if value is not None}
    signed = ".".join(b64url_encode(json.dumps(part).encode()) for part in (said, claims))
    signature = JWSRegistry.algorithms[alg].sign(signed.encode(), by or (alg != "none" and key(alg, name)))
    return f"{signed}.{b64url_encode(signature)}"


@dataclass
class Asked:
    """One request that reached the stub."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    form: dict[str, str]
    repeated: list[str]
    """Names that came more than once."""


@dataclass
class Reply:
    """What it says."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    endless: bool = False
    slow: bool = False


class Stub:
    """Replies by path; a reply is a value, or made for each request."""

    def __init__(self, port: int) -> None:
        self.address = f"http://localhost:{port}"
        self.replies: dict[str, Reply | Callable[[Asked], Reply]] = {}
        self.asked: list[Asked] = []
        self.released = threading.Event()

    def says(self, path: str, body: Any, status: int = 200, **options: Any) -> None:
        """What is at a path from now on."""
        self.replies[path] = Reply(body, status, **options)

    def requests_to(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    # The shape of a simple OpenID Connect provider.

    @property
    def issuer(self) -> str:
        return self.address

    def metadata(self, **members: Any) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "jwks_uri": f"{self.address}/jwks",
            "end_session_endpoint": f"{self.address}/logout",
            **members,
        }

    def publish(self, *keys: dict[str, Any], **members: Any) -> None:
        """Metadata and keys."""
        self.says("/.well-known/openid-configuration", self.metadata(**members))
        self.says("/jwks", {"keys": list(keys) or [public()]})

    def claims(self, nonce: str, now: datetime, /, **members: Any) -> dict[str, Any]:
        """Those of a fine ID token; `None` leaves one out, `...` is JSON's null."""
        second = int(now.timestamp())
        whole = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "ada",
            "iat": second,
            "exp": second + 300,
            "nonce": nonce,
            "email": "ada@upstream.example",
            "email_verified": True,
            "name": "Ada King",
            **members,
        }
        return {name: None if value is ... else value for name, value in whole.items() if value is not None}

    def gives(self, id_token: str | None, **members: Any) -> None:
        """The token response from now on."""
        answer = {
            "access_token": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": id_token,
        }
        self.says(
            "/token", {name: value for name, value in {**answer, **members}.items() if value is not None}
        )


class _Handler(BaseHTTPRequestHandler):
    stub: Stub

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._reply([])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._reply(parse_qsl(body.decode(), keep_blank_values=True))

    def _reply(self, pairs: list[tuple[str, str]]) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        names = [name for name, _ in pairs]
        repeated = sorted({name for name in names if names.count(name) > 1})
        asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, dict(pairs), repeated)
        self.stub.asked.append(asked)
        found = self.stub.replies.get(parts.path, Reply({"error": "no such path"}, 404))
        reply = found(asked) if callable(found) else found
        if reply.slow:
            self.stub.released.wait(10)
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
            while reply.endless and not self.stub.released.is_set():
                self.wfile.write(b" " * 65536)
        except OSError:
            self.close_connection = True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    """Tests send twenty requests at once; the default of five resets those beyond."""


@contextmanager
def running_stub() -> Iterator[Stub]:
    """A stub that listens until the end of the block."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    handler.stub = stub = Stub(server.server_port)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield stub
    finally:
        stub.released.set()
        server.shutdown()
        server.server_close()
