"""A served provider: `idp serve` in its own processes, spoken to over loopback."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from tests.provider import CALLBACK, PASSWORD, Client, Protocol
from tests.services import free_port
from tests.transport import OverTheWire

START_SECONDS = 30.0
_FROM_ELSEWHERE = ("IDP_", "FLASK_")
_REPOSITORY = Path(__file__).resolve().parents[1]


class LiveProvider(Protocol):
    """Starts with the command line an operator uses; everything is registered through it too."""

    def __init__(
        self,
        directory: Path,
        *,
        database_url: str | None = None,
        redis_url: str | None = None,
        workers: int = 1,
        **settings: str,
    ) -> None:
        self.directory = directory
        self.port = free_port()
        self.workers = workers
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_FROM_ELSEWHERE)}
        self.environment = {
            **kept,
            "PYTHONPATH": str(_REPOSITORY),
            "IDP_ISSUER": f"http://localhost:{self.port}",
            "IDP_DATABASE_URL": database_url or f"sqlite:///{directory / 'idp.sqlite3'}",
            "IDP_KEYS_DIR": str(directory / "keys"),
            "IDP_PASSWORDS_ARGON2_MEMORY_KIB": "64",
            "IDP_PASSWORDS_ARGON2_PASSES": "1",
            "IDP_RATELIMIT_ENABLED": "false",
            **settings,
        }
        if redis_url:
            self.environment["IDP_REDIS_URL"] = redis_url
        self.transport = OverTheWire(self.environment["IDP_ISSUER"])
        self.log = directory / f"server-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.idp("migrate")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def idp(self, *arguments: str, text: str = "", check: bool = True) -> Any:
        """Run one `idp` command; its JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "idp", *arguments],
            env=self.environment,
            cwd=self.directory,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"idp {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return json.loads(done.stdout) if done.stdout else done

    def start(self) -> None:
        """Start and wait until it says that it is ready."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "idp", "serve", "--bind", f"127.0.0.1:{self.port}",
                 "--workers", str(self.workers)],
                env=self.environment,
                cwd=self.directory,
                stdout=output,
                stderr=output,
            )  # fmt: skip
        self.wait_until_ready()

    def wait_until_ready(self, seconds: float = START_SECONDS) -> float:
        """Seconds until /readyz said 200."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            assert self._process is not None
            assert self._process.poll() is None, f"the server ended: {self.log_text()[-3000:]}"
            try:
                if self.http.get("/readyz").status == 200:
                    return time.monotonic() - started
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"not ready after {seconds} s: {self.log_text()[-3000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM, seconds: float = 20.0) -> int:
        """Ask the server to end and wait; its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(how)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not end: {self.log_text()[-3000:]}") from None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def account(self, username: str = "ada", *options: str, password: str = PASSWORD) -> dict[str, Any]:
        made: dict[str, Any] = self.idp(
            "account", "create", "--username", username, "--password-stdin", *options, text=password
        )
        return made

    def client(
        self,
        client_id: str = "shop",
        *options: str,
        auth_method: str = "client_secret_basic",
        first_party: bool = True,
    ) -> Client:
        made = self.idp(
            "client", "create", "--client-id", client_id, "--name", "The Shop", "--auth-method", auth_method,
            "--redirect-uri", CALLBACK, "--grant-type", "authorization_code", "--grant-type", "refresh_token",
            "--scope", "openid profile email offline_access", *(["--first-party"] if first_party else []),
            *options,
        )  # fmt: skip
        return Client(client_id, made.get("client_secret"), CALLBACK, auth_method)

    def machine(self, client_id: str = "robot", *options: str, scope: str = "jobs:run") -> Client:
        made = self.idp(
            "client", "create", "--client-id", client_id, "--name", "Robot",
            "--auth-method", "client_secret_basic", "--grant-type", "client_credentials",
            "--scope", scope, *options,
        )  # fmt: skip
        return Client(client_id, made["client_secret"])

    def wait_for(self, question: Any, seconds: float = 5.0) -> float:
        """Seconds until `question()` is true; for what reaches the workers by the change feed."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if question():
                return time.monotonic() - started
            time.sleep(0.05)
        raise AssertionError(f"not within {seconds} s")
