"""The person's part of a journey, and the parties of the examples."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from tests.browser import Browser
from tests.live import LiveProvider
from tests.provider import Protocol
from tests.services import free_port
from tests.transport import Http, OverTheWire

API = "https://api.example/notes"
SIGNED_OUT = "https://shop.example/signed-out"
_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_START_SECONDS = 30.0


def sign_in(provider: Protocol, authorization_url: str) -> str:
    """A person with a fresh browser signs in and agrees; the address they are sent back to."""
    page = provider.sign_in(provider.browser().get(authorization_url))
    assert page.left, page.text
    return page.url


class Example:
    """One of examples/, in a process of its own."""

    def __init__(
        self, provider: LiveProvider, script: str, port: int | None = None, **environment: str
    ) -> None:
        self.port = port or free_port()
        self.address = f"http://localhost:{self.port}"
        self.http = Http(OverTheWire(self.address))
        self._log = provider.directory / f"{script}-{self.port}.log"
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, str(_EXAMPLES / script)],
                env={**os.environ, "ISSUER": provider.issuer, "PORT": str(self.port), **environment},
                stdout=output,
                stderr=output,
            )

    def __enter__(self) -> Self:
        started = time.monotonic()
        while time.monotonic() - started < _START_SECONDS:
            assert self._process.poll() is None, self._log.read_text()
            try:
                self.http.get("/")
            except OSError:
                time.sleep(0.05)
            else:
                return self
        raise AssertionError(self._log.read_text())

    def browser(self) -> Browser:
        """A person's browser at this application; it stops where the application ends."""
        return Browser(self.http.transport)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
