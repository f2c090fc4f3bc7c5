"""`idp demo` in processes of its own, on ports of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from tests.services import free_port

START_SECONDS = 45.0
STOP_SECONDS = 20.0
_REPOSITORY = Path(__file__).resolve().parents[2]
_FROM_ELSEWHERE = ("IDP_", "FLASK_")


class RunningDemo:
    """The demonstration as a person starts it; ready inside the `with` block."""

    def __init__(self, directory: Path, ports: tuple[int, int, int, int] | None = None) -> None:
        self.directory = directory
        self.ports = ports or (free_port(), free_port(), free_port(), free_port())
        addresses = [f"http://localhost:{port}" for port in self.ports]
        self.issuer, self.application, self.api, self.inbox = addresses
        self.said = directory / f"said-{self.ports[0]}.txt"
        self.seconds_to_start = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.end(signal.SIGTERM)

    @property
    def environment(self) -> dict[str, str]:
        """As on the machine of somebody who also runs an identity provider in earnest."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FROM_ELSEWHERE)}
        return {**kept, "PYTHONPATH": str(_REPOSITORY), "IDP_ISSUER": "https://id.example"}

    def start(self) -> None:
        """Start, without waiting."""
        names = ("--port", "--application-port", "--api-port", "--inbox-port")
        options = [word for pair in zip(names, map(str, self.ports), strict=True) for word in pair]
        with self.said.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "idp", "demo", *options],
                cwd=self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def wait_until_ready(self) -> None:
        """Until it has said where to click."""
        started = time.monotonic()
        while "Ctrl-C ends everything" not in self.text:
            assert self._process is not None
            assert self._process.poll() is None, self.text
            assert time.monotonic() - started < START_SECONDS, self.text
            time.sleep(0.02)
        self.seconds_to_start = time.monotonic() - started

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        """Ask it to end; its exit code."""
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(how)
        return self._wait(process)

    def wait(self) -> int:
        """Wait until it ends by itself; its exit code."""
        process, self._process = self._process, None
        assert process is not None
        return self._wait(process)

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the demonstration did not end: {self.text}") from None

    @property
    def text(self) -> str:
        """Everything it has said so far."""
        return self.said.read_text(encoding="utf-8")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def username(self) -> str:
        return self._said_after("username")

    @property
    def password(self) -> str:
        return self._said_after("password")

    @property
    def second(self) -> tuple[str, str]:
        """Username and password of the account whose sign-in has two steps."""
        username, password = (
            re.findall(rf"^ +{word} +(\S+)$", self.text, re.MULTILINE)[1] for word in ("username", "password")
        )
        return username, password

    @property
    def totp_secret(self) -> str:
        """Of the account whose sign-in has two steps."""
        return self._said_after("app code")

    @property
    def data(self) -> Path:
        """The folder with its database, keys, secrets and logs."""
        return self.directory / "var" / "-".join(map(str, ("demo", *self.ports)))

    def secrets(self) -> dict[str, str]:
        """What the applications prove themselves with."""
        read: dict[str, str] = json.loads((self.data / "secrets.json").read_text(encoding="utf-8"))
        return read

    def _said_after(self, word: str) -> str:
        found = re.search(rf"^ +{word} +(\S+)$", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]
