"""``idp demo``: the server and three example applications, to click through."""

import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from idp.errors import Conflict, IdpError, NotFound, Unavailable
from idp.http import HttpClient
from idp.settings import HttpSettings

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_DATA = Path("var/demo")
_SERVER_PORT, _APPLICATION_PORT, _API_PORT = 8000, 9000, 9001
_ISSUER = f"http://localhost:{_SERVER_PORT}"
_APPLICATION = f"http://localhost:{_APPLICATION_PORT}"
_API = f"http://localhost:{_API_PORT}"
_START_ATTEMPTS = 150
_ATTEMPT_SECONDS = 0.2
_STOP_SECONDS = 15
_SCOPES = "openid profile email offline_access read:notes"


@click.command()
def demo() -> None:
    """Run the server and three example applications until Ctrl-C."""
    if not (_EXAMPLES / "relying_party.py").exists():
        raise NotFound("the examples are not here; run the demonstration from a checkout of the sources")
    for port in (_SERVER_PORT, _APPLICATION_PORT, _API_PORT):
        _refuse_if_taken(port)
    _DATA.mkdir(parents=True, exist_ok=True)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("IDP_")},
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
    _say("Bringing the database up to date")
    _idp(environment, "migrate")
    known = _prepare(environment)
    processes = [_start(environment, [sys.executable, "-m", "idp", "serve"])]
    try:
        _say("Starting the identity provider")
        _wait_until_answering(f"{_ISSUER}/readyz", processes)
        _say("Starting the example applications")
        application = {**environment, "PORT": str(_APPLICATION_PORT), **known["application"]}
        processes.append(_start(application, [sys.executable, str(_EXAMPLES / "relying_party.py")]))
        processes.append(
            _start(
                {**environment, "PORT": str(_API_PORT)},
                [sys.executable, str(_EXAMPLES / "resource_server.py")],
            )
        )
        _wait_until_answering(f"{_APPLICATION}/", processes)
        _wait_until_answering(f"{_API}/notes", processes)
        machine = {**environment, **known["machine"]}
        subprocess.run([sys.executable, str(_EXAMPLES / "machine_client.py")], env=machine, check=False)  # noqa: S603 - our own file
        _tell_where_to_click(known["account"])
        _wait_for_the_end(processes)
    finally:
        _stop(processes)


def _prepare(environment: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The demonstration's account and clients; made on the first run, read back later."""
    path = _DATA / "demo.json"
    if path.exists():
        known: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
        return known
    _say("Creating an account, two clients and an API")
    # A leftover of an interrupted first run would be in the way; names are made fresh each time.
    suffix = secrets.token_hex(2)
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    claims = _DATA / "claims.json"
    claims.write_text(
        json.dumps(
            {
                "name": "Dana Demo",
                "given_name": "Dana",
                "family_name": "Demo",
                "locale": "en",
                "zoneinfo": "UTC",
            }
        ),
        encoding="utf-8",
    )
    existing = json.loads(_idp(environment, "resource list"))
    if not any(entry["identifier"] == _API for entry in existing):
        _idp(
            environment,
            f"resource create --identifier {_API} --name 'Notes API' --scope 'read:notes=Read your notes'",
        )
    _idp(
        environment,
        f"account create --username dana-{suffix} --email dana-{suffix}@example.com --email-verified"
        f" --claims {claims} --password-stdin",
        text=password,
    )
    application = _idp(
        environment,
        f"client create --client-id notes-{suffix} --name Notes --auth-method client_secret_basic"
        f" --redirect-uri {_APPLICATION}/callback --post-logout-redirect-uri {_APPLICATION}/"
        f" --grant-type authorization_code --grant-type refresh_token --scope '{_SCOPES}'",
    )
    machine = _idp(
        environment,
        f"client create --client-id machine-{suffix} --name 'Nightly job' --auth-method client_secret_basic"
        " --grant-type client_credentials --scope read:notes",
    )
    known = {
        "account": {"username": f"dana-{suffix}", "password": password},
        "application": _credentials(application),
        "machine": _credentials(machine),
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(known, indent=2), encoding="utf-8")
    return known


def _credentials(created: str) -> dict[str, str]:
    """What an example reads from its environment, out of what `idp client create` printed."""
    client = json.loads(created)
    return {"CLIENT_ID": client["client_id"], "CLIENT_SECRET": client["client_secret"]}


def _idp(environment: Mapping[str, str], command: str, *, text: str = "") -> str:
    """Run one ``idp`` command the way a script would, and give back what it printed."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "idp", *shlex.split(command)],
        env=environment,
        input=text,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Conflict(f"'idp {command}' did not succeed; its message is above")
    return done.stdout


def _start(environment: Mapping[str, str], command: Sequence[str]) -> subprocess.Popen[bytes]:
    # An own process group: Ctrl-C reaches this process alone, which then ends the others in order.
    return subprocess.Popen(  # noqa: S603 - our own files
        command,
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=_errors_of(command),
    )


def _errors_of(command: Sequence[str]) -> int | None:
    """The server speaks for itself; the examples' development servers only chatter."""
    return None if command[-1] == "serve" else subprocess.DEVNULL


def _refuse_if_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Conflict(
                f"port {port} is in use by another program; end it and start the demonstration again"
            ) from error


def _wait_until_answering(url: str, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    client = HttpClient(HttpSettings(allowed_private_hosts=("localhost",)))
    pause = threading.Event()
    for _ in range(_START_ATTEMPTS):
        if any(process.poll() is not None for process in processes):
            raise Unavailable("a program ended right after its start; its message is above")
        try:
            if client.get(url, accept="*/*").status != 503:  # noqa: PLR2004 - service unavailable
                return
        except IdpError:
            pass
        pause.wait(_ATTEMPT_SECONDS)
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


def _wait_for_the_end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    while not ended.wait(1):
        if any(process.poll() is not None for process in processes):
            raise Unavailable("one of the programs ended; the demonstration stops")


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in reversed(processes):
        process.terminate()
    for process in processes:
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    if processes:
        _say("Everything has ended")


def _say(message: str) -> None:
    click.echo(f"· {message}")
