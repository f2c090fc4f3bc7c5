"""One server process on one core: started, asked for its cost, stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Self

import idp
from bench.processes import cpu_seconds, family_of, memory_mib
from bench.wire import get, send
from idp.settings import Settings, load_settings
from tests.services import free_port

SERVER_CORE = 0
"""The server under measurement has this core to itself."""
LOAD_CORE = 1
"""wrk and, where we may say so, PostgreSQL's backends run here."""

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_REST_SECONDS = 20.0
_LOOK_SECONDS = 0.05
_AT_REST = 0.05
"""Part of a processor that a server with nothing to do may use."""
_FROM_ELSEWHERE = ("IDP_", "FLASK_", "NODE_", "GRANIAN_", "PYTHONDONTWRITEBYTECODE")
"""Beginnings of names. With the last one each start compiles every file; a user's second does not."""


class Server:
    """A program that listens on 127.0.0.1, pinned to a core.

    Args:
        command: what to run; ``{port}`` is replaced.
        folder: its working directory; the log is there as well.
        environment: added to ours, from which everything about servers is removed.
        ready: the path whose first 200 ends the cold start.
        core: where it runs; ``None`` leaves it to the system.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        ready: str,
        port: int | None = None,
        core: int | None = SERVER_CORE,
    ) -> None:
        self.port = port or free_port()
        self.folder = folder
        self.environment = clean_environment() | dict(environment)
        self.cold_start = 0.0
        """Seconds from the start of the process to the first 200; set by :meth:`start`."""
        self._command = [part.format(port=self.port) for part in command]
        self._ready = ready
        self._core = core
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start and return when it serves; RuntimeError with the end of its log if it does not."""
        pinned = [] if self._core is None else ["taskset", "--cpu-list", str(self._core)]
        began = time.monotonic()
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*pinned, *self._command], cwd=self.folder, env=self.environment, stdout=output, stderr=output
            )
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() - began > _START_SECONDS:
                self.stop()
                raise RuntimeError(f"{self._command[0]} did not start:\n{self.log_end()}")
            time.sleep(0.005)
        self.cold_start = time.monotonic() - began

    def stop(self) -> None:
        """Ask it to end, and make it if it will not."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in reversed(family_of(process.pid)):
                os.kill(pid, signal.SIGKILL)
            process.wait()

    def pause(self) -> None:
        """Stop its processes where they are, until :meth:`go_on`."""
        for pid in self.pids():
            os.kill(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Undo :meth:`pause`."""
        for pid in self.pids():
            os.kill(pid, signal.SIGCONT)

    @property
    def log(self) -> Path:
        """Everything it printed."""
        return self.folder / f"server-{self.port}.log"

    def log_end(self) -> str:
        """The last lines of the log."""
        return self.log.read_text(errors="replace")[-3000:]

    def pids(self) -> list[int]:
        """The process and its children: master, workers, helpers."""
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"the server is not running:\n{self.log_end()}")
        return family_of(self._process.pid)

    def cpu(self) -> float:
        """CPU seconds of all its processes so far."""
        return cpu_seconds(self.pids())

    def rest(self) -> None:
        """Wait until it has nothing to do; RuntimeError if that does not come.

        Clients that are gone leave requests behind: sixteen that wait for a password hash are half a second.
        """
        deadline = time.monotonic() + _REST_SECONDS
        while time.monotonic() < deadline:
            before, began = self.cpu(), time.monotonic()
            time.sleep(_LOOK_SECONDS)
            if self.cpu() - before < _AT_REST * (time.monotonic() - began):
                return
        raise RuntimeError(f"the server does not come to rest:\n{self.log_end()}")

    def worker_memory(self, *, proportional: bool = True) -> float:
        """PSS, or RSS, in MiB of its largest process: the worker; of several workers, the largest."""
        return max(memory_mib(pid, "Pss" if proportional else "Rss") for pid in self.pids())

    def memory(self) -> float:
        """PSS in MiB of all its processes together."""
        return sum(memory_mib(pid) for pid in self.pids())

    def _answers(self) -> bool:
        try:
            return send(self.port, get(self.port, self._ready), timeout=1.0).status == HTTPStatus.OK
        except OSError:
            return False


class IdpServer(Server):
    """`idp serve`, as users start it.

    Everything is left at its default but where it listens, where it keeps its data, and the limits per source
    address, which would refuse the load generator itself: it is one address.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str,
        *,
        workers: int = 1,
        core: int | None = SERVER_CORE,
        **settings: str,
    ) -> None:
        port = free_port()
        super().__init__(
            [sys.executable, "-m", "idp", "serve", "--workers", str(workers)],
            folder=folder,
            environment={
                # The package that is imported here is the one that is measured, wherever it lies.
                "PYTHONPATH": str(Path(idp.__file__).resolve().parents[1]),
                "IDP_ISSUER": f"http://localhost:{port}",
                "IDP_SERVER_BIND": f"127.0.0.1:{port}",
                "IDP_DATABASE_URL": database_url,
                "IDP_KEYS_DIR": str(folder / "keys"),
                "IDP_RATELIMIT_ENABLED": "false",
                **settings,
            },
            ready="/readyz",
            port=port,
            core=core,
        )

    @property
    def issuer(self) -> str:
        """Its ``iss``."""
        return self.environment["IDP_ISSUER"]

    @property
    def settings(self) -> Settings:
        """The settings the server reads, for seeding its database from here."""
        return load_settings(environ=self.environment)

    def idp(self, *arguments: str) -> None:
        """Run one `idp` command on its database; RuntimeError with what it said if it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "idp", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"idp {' '.join(arguments)}: {done.stderr}{done.stdout}")


def clean_environment() -> dict[str, str]:
    """Our environment without anything that would configure a server or slow down its start."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_FROM_ELSEWHERE)}
