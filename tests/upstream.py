"""Providers that people come from: npm's certified `oidc-provider`, and a second instance of ourselves.

Both are real, listen on loopback, and are signed in at through their own pages, in a browser or by plain
forms.
"""

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from tests.browser import Browser, Page
from tests.live import LiveProvider
from tests.provider import PASSWORD, Client
from tests.services import free_port, node_modules_path
from tests.transport import OverTheWire

SECRET = "a secret that only the test and the provider know"
CLIENT_ID = "downstream"
ADA = {
    "name": "Ada King",
    "given_name": "Ada",
    "family_name": "King",
    "email": "ada@upstream.example",
    "email_verified": True,
}


@dataclass(frozen=True)
class UpstreamAccount:
    """Somebody at the certified provider."""

    claims: dict[str, Any] = field(default_factory=lambda: dict(ADA))
    acr: str | None = None
    amr: tuple[str, ...] = ()


class CertifiedUpstream:
    """npm oidc-provider (tests/node/upstream.mjs), in a process of its own.

    Args:
        redirect_uri: ours, `/federation/{id}/callback`.
        accounts: who can sign in there; nobody is asked for a password. Ada, unless told otherwise.
        client: further client metadata, for example `backchannel_logout_uri`.
        options: members of the library's configuration, for example `conformIdTokenClaims`.
        port: where it listens, if that must be known before.
    """

    def __init__(
        self,
        redirect_uri: str,
        *,
        accounts: dict[str, UpstreamAccount] | None = None,
        client: dict[str, Any] | None = None,
        options: dict[str, Any] | None = None,
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        self.issuer = f"http://localhost:{self.port}"
        self.client = Client(CLIENT_ID, SECRET, redirect_uri)
        metadata = {
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            **(client or {}),
        }
        metadata = {name: value for name, value in metadata.items() if value is not None}
        people = {"ada": UpstreamAccount()} if accounts is None else accounts
        self._given = {
            "port": self.port,
            "clients": [metadata],
            "accounts": {
                name: {"claims": who.claims, "acr": who.acr, "amr": list(who.amr)}
                for name, who in people.items()
            },
            "options": options or {},
        }
        self._process: subprocess.Popen[str] | None = None
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - until it is stopped

    def __enter__(self) -> Self:
        modules = node_modules_path()
        if modules is None:
            pytest.skip("*** Node.js or oidc-provider is missing: journeys to it are SKIPPED ***")
        self._process = subprocess.Popen(
            ["node", str(modules.parent / "upstream.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(self._given), file=self._process.stdin, flush=True)
        # It also prints what it thinks of its configuration.
        for line in self._process.stdout:
            if line.startswith("{"):
                return self
        self._log.seek(0)
        said = self._log.read()
        self.stop()
        raise AssertionError(said)

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it; to the other side it is down from now on."""
        process, self._process = self._process, None
        if process is not None:
            with process:
                process.kill()
        self._log.close()

    def browser(self) -> Browser:
        """A person's browser there; it stops where the provider sends it away."""
        return Browser(OverTheWire(self.issuer))

    def log_in(self, url: str, account: str = "ada", *, browser: Browser | None = None) -> Page:
        """Follow our authorization request there and sign in by its form, unless a session does."""
        page = (browser or self.browser()).get(url)
        return page if page.left else page.submit("upstream-log-in", account=account)

    def log_out(self, url: str, browser: Browser) -> Page:
        """Follow our way out there, with the browser that signed in, and confirm."""
        return browser.get(url).submit("upstream-log-out")

    def cancel(self, url: str) -> Page:
        """Follow our authorization request there and say no."""
        return self.browser().get(url).submit("upstream-cancel")


class OwnUpstream(LiveProvider):
    """A second instance of ourselves as the provider that people come from.

    It is reached as 127.0.0.1 and not as localhost, because browsers share cookies between ports of one host.
    """

    def __init__(self, directory: Path, **settings: str) -> None:
        super().__init__(directory, **settings)
        self.environment["IDP_ISSUER"] = f"http://127.0.0.1:{self.port}"
        self.transport = OverTheWire(self.environment["IDP_ISSUER"])

    def register(self, redirect_uri: str, *options: str) -> Client:
        """Register us there; before it starts, so that no change has to reach its workers."""
        made = self.idp(
            "client", "create", "--client-id", CLIENT_ID, "--name", "Downstream",
            "--auth-method", "client_secret_basic", "--redirect-uri", redirect_uri,
            "--grant-type", "authorization_code", "--scope", "openid profile email", "--first-party",
            *options,
        )  # fmt: skip
        return Client(CLIENT_ID, made["client_secret"], redirect_uri)

    def log_in(self, url: str, username: str = "ada", password: str = PASSWORD) -> Page:
        """Follow our authorization request there and sign in by its pages."""
        return self.sign_in(self.browser().get(url), username, password)
