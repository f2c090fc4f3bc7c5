"""The servers and programs that tests stand on: PostgreSQL, Redis, Chromium, Node.js, curl.

Each question is answered once per process, in this order: the environment, a server that answers at its usual
place on this machine, a throw-away one started from local binaries and stopped at exit. Else the answer is
None and the caller skips loudly, unless ``CI=true``: there, nothing may be skipped, and `ServiceMissing` is
raised. An answer is left in the environment, so processes started later (xdist workers) share the server.

Tests that must stop a server own one: `new_postgresql` and `new_redis`.
"""

import atexit
import functools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import psycopg
import redis

POSTGRESQL_VARIABLE = "IDP_TEST_POSTGRESQL_URL"
REDIS_VARIABLE = "IDP_TEST_REDIS_URL"
CHROMIUM_VARIABLE = "IDP_TEST_CHROMIUM"

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0


class ServiceMissing(RuntimeError):
    """A test needs something this machine lacks, and ``CI=true`` forbids to skip."""


class LocalServer:
    """A server process on 127.0.0.1 that belongs to the test: it may be stopped and started at will.

    The port and the data outlive a stop, so ``start()`` afterwards is a recovery.
    """

    url: str
    port: int

    def __init__(self) -> None:
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="idp-test-"))
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def command(self) -> list[str]:
        """The command line that runs the server in the foreground."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether the server serves a trivial request now."""
        raise NotImplementedError

    def start(self) -> None:
        """Start and return when the server answers; RuntimeError with its log if it does not."""
        log = self.directory / "server.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command(), stdout=output, stderr=output, cwd=self.directory, **_identity()
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(
                    f"{self.command()[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}"
                )
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the process; SIGINT is an orderly shutdown for both servers, SIGKILL a crash."""
        process, self._process = self._process, None
        if process is None:
            return
        children = _children(process.pid)
        process.send_signal(how)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # After a crash they answer until they notice that their parent is gone.
        deadline = time.monotonic() + _STOP_SECONDS
        while any(map(_is_running, children)) and time.monotonic() < deadline:
            time.sleep(0.02)

    def pids(self) -> list[int]:
        """The server's processes, its own children included; Linux only."""
        assert self._process is not None
        return [self._process.pid, *_children(self._process.pid)]

    def close(self) -> None:
        """Stop and remove the data."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
        atexit.unregister(self.close)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _children(pid: int) -> list[int]:
    """The child processes of one; none where the system does not tell."""
    try:
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()))
    except OSError:
        return []


def _is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


class PostgresqlServer(LocalServer):
    """A PostgreSQL cluster of its own; user ``postgres``, no password, loopback only."""

    def __init__(self, binaries: Path) -> None:
        super().__init__()
        self.binaries = binaries
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        identity = _identity()
        if identity:
            os.chown(self.directory, identity["user"], identity["group"])
        initdb = [
            str(binaries / "initdb"),
            "-D",
            str(self.directory / "data"),
            "-U",
            "postgres",
            "-A",
            "trust",
        ]
        subprocess.run(
            [*initdb, "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=self.directory,
            **identity,
        )

    def command(self) -> list[str]:
        """Without fsync, as the machine will not lose power during a test; everything else as in earnest."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "fsync": "off",
        }
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.directory / "data"), *settings]

    def answers(self) -> bool:
        """Whether a query is answered."""
        return _postgresql_answers(self.url)


class RedisServer(LocalServer):
    """A Redis server of its own, in memory, loopback only."""

    def __init__(self, binary: str) -> None:
        super().__init__()
        self.binary = binary
        self.url = f"redis://127.0.0.1:{self.port}/0"
        identity = _identity()
        if identity:
            os.chown(self.directory, identity["user"], identity["group"])

    def command(self) -> list[str]:
        """Nothing is written to disk: after a stop the data is gone, as in the worst case."""
        options = {"bind": "127.0.0.1", "port": str(self.port), "save": "", "appendonly": "no"}
        return [self.binary, *(word for name, value in options.items() for word in (f"--{name}", value))]

    def answers(self) -> bool:
        """Whether PING is answered."""
        return _redis_answers(self.url)


def new_postgresql() -> PostgresqlServer | None:
    """A PostgreSQL server for the caller alone, not yet started; None if there are no binaries."""
    binaries = _postgresql_binaries()
    if binaries is None:
        _missing("PostgreSQL binaries (initdb, postgres)")
        return None
    return PostgresqlServer(binaries)


def new_redis() -> RedisServer | None:
    """A Redis server for the caller alone, not yet started; None if there is no binary."""
    binary = shutil.which("redis-server")
    if binary is None:
        _missing("redis-server")
        return None
    return RedisServer(binary)


@functools.cache
def postgresql_url() -> str | None:
    """Where a PostgreSQL server is, as ``postgresql://…``; the user there may create databases."""
    usual = "postgresql://postgres@127.0.0.1:5432/postgres"
    url = os.environ.get(POSTGRESQL_VARIABLE) or (usual if _postgresql_answers(usual) else None)
    if url is None:
        server = new_postgresql()
        if server is None:
            return None
        server.start()
        url = server.url
    os.environ[POSTGRESQL_VARIABLE] = url
    return url


@functools.cache
def redis_url() -> str | None:
    """Where a Redis server is, as ``redis://host:port/0``; other people's keys may be there."""
    usual = "redis://127.0.0.1:6379/0"
    url = os.environ.get(REDIS_VARIABLE) or (usual if _redis_answers(usual) else None)
    if url is None:
        server = new_redis()
        if server is None:
            return None
        server.start()
        url = server.url
    os.environ[REDIS_VARIABLE] = url
    return url


@functools.cache
def chromium_path() -> str | None:
    """The Chromium or Chrome that Playwright shall drive."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    named = os.environ.get(CHROMIUM_VARIABLE)
    found = named or next(filter(None, map(shutil.which, names)), None)
    if not found:
        _missing("Chromium")
    return found


@functools.cache
def node_modules_path() -> Path | None:
    """The folder with the Node.js packages of tests/node, installed by ``make test``; also needs ``node``."""
    folder = Path(__file__).parent / "node" / "node_modules"
    if shutil.which("node") and all((folder / name).is_dir() for name in ("openid-client", "oidc-provider")):
        return folder
    _missing("Node.js with the packages of tests/node (`npm ci` there)")
    return None


@functools.cache
def curl_path() -> str | None:
    """The curl that runs the documents' examples for a shell."""
    found = shutil.which("curl")
    if not found:
        _missing("curl")
    return found


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _missing(what: str) -> None:
    if os.environ.get("CI") == "true":
        raise ServiceMissing(f"{what} missing, and with CI=true nothing may be skipped")


def _identity() -> dict[str, int]:
    """Arguments for subprocess: PostgreSQL refuses to run as root, so root becomes someone lesser."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": account.pw_uid, "group": account.pw_gid}
    raise ServiceMissing("running as root, and neither user postgres nor nobody exists")


def _postgresql_binaries() -> Path | None:
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True
    )
    on_path = shutil.which("initdb")
    folders = [*([Path(on_path).resolve().parent] if on_path else []), *installed]
    return next(
        (folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()),
        None,
    )


def _postgresql_answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _redis_answers(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1, retry=None)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
