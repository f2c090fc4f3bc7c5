"""What both sides of the comparison have in common: addresses, one client of each kind, things to use up."""

import base64
import functools
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from bench.servers import Server
from bench.wire import Answer, basic, get, post, send

RESOURCE: Final = "https://api.example"
CALLBACK: Final = "https://shop.example/callback"
MACHINE: Final = "machine"
SHOP: Final = "shop"
API_SCOPE: Final = "api:read"
SCOPE_FOR_API: Final = f"openid offline_access {API_SCOPE}"
SCOPE_FOR_USERINFO: Final = "openid profile email offline_access"
NONCE: Final = "n-0S6_WzA2Mj"
VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE: Final = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
"""One verifier for all codes: PKCE is checked for each of them all the same."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Paths of the endpoints, from the provider's own metadata."""

    authorization: str
    token: str
    introspection: str
    userinfo: str
    jwks: str


class Subject(ABC):
    """A provider under measurement, with everything a request can need.

    Clients are the same on both sides: ``machine`` (client_credentials) and ``shop`` (codes and refresh
    tokens, which rotate), both by client_secret_basic.
    """

    name: str
    """Short, for columns."""
    server: Server
    secret: str

    @abstractmethod
    def codes(self, count: int, *, for_api: bool = True) -> list[str]:
        """New authorization codes: for JWTs that the API takes, or for tokens that userinfo takes."""

    @abstractmethod
    def refresh_tokens(self, count: int) -> list[str]:
        """New refresh tokens, each of a family of its own, for the API."""

    @abstractmethod
    def session_cookies(self, count: int) -> list[str]:
        """Cookie headers of browsers that are signed in."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    @property
    def issuer(self) -> str:
        """Its ``iss``."""
        return f"http://localhost:{self.port}"

    @functools.cached_property
    def addresses(self) -> Addresses:
        """What its metadata says."""
        metadata = send(self.port, get(self.port, "/.well-known/openid-configuration")).json()

        def path(name: str) -> str:
            return urlsplit(str(metadata[name])).path

        return Addresses(
            authorization=path("authorization_endpoint"),
            token=path("token_endpoint"),
            introspection=path("introspection_endpoint"),
            userinfo=path("userinfo_endpoint"),
            jwks=path("jwks_uri"),
        )

    def exchange(self, code: str, *, client: str = SHOP) -> bytes:
        """The request that turns a code into tokens."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return post(self.port, self.addresses.token, form, Authorization=basic(client, self.secret))

    def authorization(self, cookie: str) -> bytes:
        """An authorization request of a browser that is signed in."""
        query = {
            "response_type": "code",
            "client_id": SHOP,
            "redirect_uri": CALLBACK,
            "scope": "openid profile email",
            "state": "af0ifjsldkj",
            "nonce": NONCE,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        path = f"{self.addresses.authorization}?{urlencode(query, quote_via=quote)}"
        return get(self.port, path, Cookie=cookie, Accept="text/html")

    def ask(self, request: bytes) -> Answer:
        """Send one request of this subject's."""
        return send(self.port, request)


def each(requests: Sequence[bytes], subject: Subject, status: int) -> list[Answer]:
    """Send them one by one; RuntimeError at the first answer with another status."""
    answers = []
    for request in requests:
        answer = subject.ask(request)
        if answer.status != status:
            raise RuntimeError(f"{subject.name}: {answer.status} {answer.body[:500]!r} to {request[:300]!r}")
        answers.append(answer)
    return answers
