"""``idp demo``: the server and three example applications, to click through."""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from idp.cli.context import opened
from idp.cli.serve import prepare
from idp.errors import Conflict, IdpError, NotFound, Unavailable
from idp.http import HttpClient
from idp.observability import configure_logging
from idp.settings import HttpSettings, Settings, load_settings

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_DATA = Path("var/demo")
_SERVER_PORT, _APPLICATION_PORT, _API_PORT = 8000, 9000, 9001
_ISSUER = f"http://localhost:{_SERVER_PORT}"
_APPLICATION = f"http://localhost:{_APPLICATION_PORT}"
_API = f"http://localhost:{_API_PORT}"
_SCOPES = "openid profile email offline_access read:notes"
_START_ATTEMPTS = 150
_ATTEMPT_SECONDS = 0.2
_STOP_SECONDS = 15
_NOT_READY = 503

_Known = dict[str, dict[str, str]]
_Process = subprocess.Popen[bytes]


@click.command()
def demo() -> None:
    """Run the server and three example applications until Ctrl-C."""
    if not (_EXAMPLES / "relying_party.py").exists():
        raise NotFound("the examples are not here; run the demonstration from a checkout of the sources")
    for port in (_SERVER_PORT, _APPLICATION_PORT, _API_PORT):
        _refuse_if_taken(port)
    _DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment = _environment()
    settings = load_settings(environ=environment)
    configure_logging(settings.log.level, settings.log.format)
    _say("Bringing the database up to date")
    prepare(settings)
    known = _known(settings)
    with _ended_by_signal() as ended, _stopping() as processes:
        _say("Starting the identity provider")
        processes.append(_start(environment, "-m", "idp", "serve"))
        _wait_until_answering(f"{_ISSUER}/readyz", processes, ended)
        _say("Starting the example applications")
        application = {**environment, "PORT": str(_APPLICATION_PORT), **known["application"]}
        processes.append(_start(application, str(_EXAMPLES / "relying_party.py")))
        processes.append(
            _start({**environment, "PORT": str(_API_PORT)}, str(_EXAMPLES / "resource_server.py"))
        )
        _wait_until_answering(f"{_APPLICATION}/", processes, ended)
        _wait_until_answering(f"{_API}/notes", processes, ended)
        if not ended.is_set():
            _run_machine({**environment, **known["machine"]})
            _tell_where_to_click(known["account"])
        _wait_for_the_end(processes, ended)


def _environment() -> dict[str, str]:
    """What the server and the examples read; settings of a real deployment do not reach them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    return {
        **kept,
        "IDP_ISSUER": _ISSUER,
        "IDP_DATABASE_URL": f"sqlite:///{_DATA / 'idp.sqlite3'}",
        "IDP_KEYS_DIR": str(_DATA / "keys"),
        "IDP_SERVER_BIND": f"127.0.0.1:{_SERVER_PORT}",
        "IDP_PAGES_BRAND_NAME": "Demo Identity",
        "IDP_LOG_LEVEL": "WARNING",
        "IDP_LOG_FORMAT": "text",
        "API_URL": _API,
        "ISSUER": _ISSUER,
    }


def _known(settings: Settings) -> _Known:
    """The demonstration's account and clients; made on the first run, read back later."""
    path = _DATA / "demo.json"
    if path.exists():
        known: _Known = json.loads(path.read_text(encoding="utf-8"))
        return known
    _say("Creating an account, two clients and an API")
    known = _create(settings)
    path.touch(mode=0o600)
    path.write_text(json.dumps(known, indent=2), encoding="utf-8")
    return known


def _create(settings: Settings) -> _Known:
    # A leftover of an interrupted first run must not be in the way: names are made fresh.
    suffix = secrets.token_hex(2)
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    with opened(settings) as container:
        admin = container.admin
        if not any(entry["identifier"] == _API for entry in admin.resources.list_()):
            admin.resources.create(
                identifier=_API,
                name="Notes API",
                scopes={"read:notes": "Read your notes"},
                access_token_format=None,
            )
        admin.accounts.create(
            username=f"dana-{suffix}",
            email=f"dana-{suffix}@example.com",
            email_verified=True,
            claims={"name": "Dana Demo", "given_name": "Dana", "family_name": "Demo", "zoneinfo": "UTC"},
            password=password,
        )
        application = admin.clients.create(
            client_id=f"notes-{suffix}",
            metadata={
                "client_name": "Notes",
                "token_endpoint_auth_method": "client_secret_basic",
                "redirect_uris": [f"{_APPLICATION}/callback"],
                "post_logout_redirect_uris": [f"{_APPLICATION}/"],
                "grant_types": ["authorization_code", "refresh_token"],
                "scope": _SCOPES,
            },
            secret=None,
        )
        machine = admin.clients.create(
            client_id=f"machine-{suffix}",
            metadata={
                "client_name": "Nightly job",
                "token_endpoint_auth_method": "client_secret_basic",
                "grant_types": ["client_credentials"],
                "scope": "read:notes",
            },
            secret=None,
        )
    return {
        "account": {"username": f"dana-{suffix}", "password": password},
        "application": {"CLIENT_ID": application["client_id"], "CLIENT_SECRET": application["client_secret"]},
        "machine": {"CLIENT_ID": machine["client_id"], "CLIENT_SECRET": machine["client_secret"]},
    }


def _start(environment: Mapping[str, str], *arguments: str) -> _Process:
    # An own process group: Ctrl-C reaches this process alone, which then ends the others in order.
    # The server speaks for itself; the examples' development servers only chatter.
    errors = None if "serve" in arguments else subprocess.DEVNULL
    return subprocess.Popen(  # noqa: S603 - our own files
        [sys.executable, *arguments],
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=errors,
    )


def _run_machine(environment: Mapping[str, str]) -> None:
    subprocess.run([sys.executable, str(_EXAMPLES / "machine_client.py")], env=environment, check=False)  # noqa: S603 - our own file


def _refuse_if_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Conflict(f"port {port} is in use by another program; end it and start again") from error


def _wait_until_answering(url: str, processes: Sequence[_Process], ended: threading.Event) -> None:
    client = HttpClient(HttpSettings(allowed_private_hosts=("localhost",)))
    for _ in range(_START_ATTEMPTS):
        if any(process.poll() is not None for process in processes):
            raise Unavailable("a program ended right after its start; its message is above")
        with contextlib.suppress(IdpError):
            if client.get(url, accept="*/*").status != _NOT_READY:
                return
        if ended.wait(_ATTEMPT_SECONDS):
            return
    raise Unavailable(f"{url} did not answer in time")


def _tell_where_to_click(account: Mapping[str, str]) -> None:
    click.echo(
        f"""
  Open  {click.style(_APPLICATION, bold=True)}  and click "Log in with the identity provider".

      username  {click.style(account["username"], bold=True)}
      password  {click.style(account["password"], bold=True)}

  identity provider {_ISSUER}    application {_APPLICATION}    API {_API}
  Data is kept in {_DATA}/; Ctrl-C ends everything.
"""
    )


@contextlib.contextmanager
def _ended_by_signal() -> Iterator[threading.Event]:
    ended = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_the_end(processes: Sequence[_Process], ended: threading.Event) -> None:
    while not ended.wait(1):
        if any(process.poll() is not None for process in processes):
            raise Unavailable("one of the programs ended; the demonstration stops")


@contextlib.contextmanager
def _stopping() -> Iterator[list[_Process]]:
    """Whatever was started inside is ended at the end, last started first."""
    processes: list[_Process] = []
    try:
        yield processes
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        _say("Everything has ended")


def _say(message: str) -> None:
    click.echo(f"· {message}")
