"""A provider that publishes what a test wants, at a loopback address."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

METADATA = "/.well-known/openid-configuration"
KEYS = "/keys"


@dataclass
class Publisher:
    """What is published, by path: JSON values, or bytes as they are; what is not there is 404."""

    issuer: str
    documents: dict[str, Any] = field(default_factory=dict)

    def publish(self, **changes: Any) -> None:
        """Complete metadata with these members changed; ``None`` leaves one out."""
        metadata = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}{KEYS}",
            "id_token_signing_alg_values_supported": ["RS256"],
            **changes,
        }
        self.documents[METADATA] = {name: value for name, value in metadata.items() if value is not None}
        self.documents.setdefault(KEYS, {"keys": [{"kty": "RSA"}]})


@contextmanager
def publishing() -> Iterator[Publisher]:
    """Run one, with complete metadata."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = made.documents.get(self.path)
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Publisher(f"http://localhost:{server.server_port}")
    made.publish()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
