"""``idp demo``: the server, three example applications and an inbox, to click through."""

import contextlib
import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from idp.cli.context import opened
from idp.cli.demo_data import DemoSecrets, read_or_make_secrets, register
from idp.cli.demo_programs import Ended, Programs, ended_by_signal
from idp.cli.serve import prepare
from idp.errors import Conflict, Invalid, NotFound, Unavailable
from idp.observability import configure_logging
from idp.settings import load_settings

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_DATA = Path("var")
_PORTS = (8000, 9000, 9001, 9002)
_LABEL_WIDTH = 22
_MACHINE_SECONDS = 60

_PORT = click.IntRange(1, 65535)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the servers listen and where their data is."""

    port: int
    application_port: int
    api_port: int
    inbox_port: int

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def application(self) -> str:
        return f"http://localhost:{self.application_port}"

    @property
    def api(self) -> str:
        return f"http://localhost:{self.api_port}"

    @property
    def inbox(self) -> str:
        return f"http://localhost:{self.inbox_port}"

    @property
    def options(self) -> Mapping[str, int]:
        """The options that choose the ports."""
        return {
            "--port": self.port,
            "--application-port": self.application_port,
            "--api-port": self.api_port,
            "--inbox-port": self.inbox_port,
        }

    @property
    def data(self) -> Path:
        """A folder per set of ports: addresses are part of what is registered."""
        ports = tuple(self.options.values())
        return _DATA / ("demo" if ports == _PORTS else "-".join(map(str, ("demo", *ports))))


@click.command()
@click.option("--port", type=_PORT, default=_PORTS[0], show_default=True, help="Of the identity provider.")
@click.option(
    "--application-port", type=_PORT, default=_PORTS[1], show_default=True, help="Of the application."
)
@click.option("--api-port", type=_PORT, default=_PORTS[2], show_default=True, help="Of the API.")
@click.option("--inbox-port", type=_PORT, default=_PORTS[3], show_default=True, help="Of the inbox.")
def demo(*, port: int, application_port: int, api_port: int, inbox_port: int) -> None:
    """Run the server, three example applications and an inbox until Ctrl-C."""
    if "NO_COLOR" in os.environ:
        click.get_current_context().color = False
    if not (_EXAMPLES / "relying_party.py").exists():
        raise NotFound("the examples are not here; run the demonstration from a checkout of the sources")
    places = _Places(port, application_port, api_port, inbox_port)
    _refuse_unusable(places)
    click.echo("An identity provider, three applications that use it, and an inbox for its mails.\n")
    _make_folder(places.data)
    environment = _environment(places)
    made = _bring_up_to_date(places, environment)
    with contextlib.suppress(Ended), ended_by_signal() as ended, Programs(places.data, ended) as programs:
        _start(programs, places, environment, made)
        _run_machine({**environment, **made.machine})
        _tell_where_to_click(places, made)
        programs.watch()
    click.echo(f"\nEverything has ended; {places.data}/ keeps the data for the next time.")


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{path.resolve()} cannot be made here: {error.strerror}") from error


def _environment(places: _Places) -> dict[str, str]:
    """What the server and the examples read; settings of a real deployment do not reach them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    return {
        **kept,
        "IDP_ISSUER": places.issuer,
        "IDP_DATABASE_URL": f"sqlite:///{places.data / 'idp.sqlite3'}",
        "IDP_KEYS_DIR": str(places.data / "keys"),
        "IDP_SERVER_BIND": f"127.0.0.1:{places.port}",
        "IDP_PAGES_BRAND_NAME": "Demo Identity",
        "IDP_MAIL_TRANSPORT": "folder",
        "IDP_MAIL_FOLDER": str(places.data / "mail"),
        "IDP_SMS_TRANSPORT": "folder",
        "IDP_SMS_FOLDER": str(places.data / "sms"),
        "IDP_REGISTRATION_ENABLED": "true",
        "IDP_REGISTRATION_IDENTIFIERS": "email_or_phone",
        "IDP_LOG_LEVEL": "WARNING",
        "IDP_LOG_FORMAT": "text",
        "API_URL": places.api,
        "ISSUER": places.issuer,
        "MAIL_FOLDER": str(places.data / "mail"),
        "SMS_FOLDER": str(places.data / "sms"),
    }


def _bring_up_to_date(places: _Places, environment: Mapping[str, str]) -> DemoSecrets:
    with _step("Database") as done:
        settings = load_settings(environ=environment)
        configure_logging(settings.log.level, settings.log.format)
        prepare(settings)
        done.append(f"{places.data / 'idp.sqlite3'}")
    with _step("Accounts and clients") as done:
        made = read_or_make_secrets(places.data / "secrets.json")
        with opened(settings) as container:
            is_new = register(container, made, application=places.application, api=places.api)
        done.append("made" if is_new else "those of the last time")
    return made


def _start(programs: Programs, places: _Places, environment: Mapping[str, str], made: DemoSecrets) -> None:
    application = {**environment, "PORT": str(places.application_port), **made.application}
    api = {**environment, "PORT": str(places.api_port)}
    inbox = {**environment, "PORT": str(places.inbox_port)}
    # All at once: nobody asks the provider for anything before a person or a token arrives.
    programs.start("the identity provider", environment, "-m", "idp", "serve")
    programs.start("the application", application, str(_EXAMPLES / "relying_party.py"))
    programs.start("the API", api, str(_EXAMPLES / "resource_server.py"))
    programs.start("the inbox", inbox, str(_EXAMPLES / "inbox.py"))
    for name, address, path in (
        ("the identity provider", places.issuer, "/readyz"),
        ("the application", places.application, "/"),
        ("the API", places.api, "/notes"),
        ("the inbox", places.inbox, "/"),
    ):
        label = name.removeprefix("the ")
        with _step(label[0].upper() + label[1:]) as done:
            programs.wait_until_answering(name, f"{address}{path}")
            done.append(address)


def _run_machine(environment: Mapping[str, str]) -> None:
    with _step("Machine client") as done:
        ran = subprocess.run(  # noqa: S603 - our own file
            [sys.executable, str(_EXAMPLES / "machine_client.py")],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_MACHINE_SECONDS,
            check=False,
            start_new_session=True,  # Ctrl-C must not look like a failure of this one
        )
        if ran.returncode:
            raise Unavailable(f"the machine client did not get through:\n{ran.stderr.strip()}")
        done.append(ran.stdout.strip())


def _refuse_unusable(places: _Places) -> None:
    for option, port in places.options.items():
        if list(places.options.values()).count(port) > 1:
            raise Invalid(f"each program needs a port of its own, and {port} is named twice", field=option)
        # Both addresses of localhost: a browser tries ::1 first and would end up at another program.
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            problem = _bind(family, address, port)
            if problem == errno.EADDRINUSE:
                raise Conflict(
                    f"port {port} is in use by another program; end that one, "
                    f"or choose another port: idp demo {option} NUMBER"
                )
            if problem == errno.EACCES:
                raise Conflict(
                    f"port {port} is not open to this user; choose another: idp demo {option} NUMBER"
                )


def _bind(family: socket.AddressFamily, address: str, port: int) -> int | None:
    """The number of the error that listening there gives."""
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.errno
    return None


@contextlib.contextmanager
def _step(label: str) -> Iterator[list[str]]:
    """One line of progress: the label at once, what is put into the list when the step is done."""
    done: list[str] = []
    click.echo(f"  {label:<{_LABEL_WIDTH}}", nl=False)
    sys.stdout.flush()
    try:
        yield done
    except BaseException:
        click.echo(click.style("no", fg="red"))
        raise
    click.echo(" ".join(done))


def _tell_where_to_click(places: _Places, made: DemoSecrets) -> None:
    def strong(text: str) -> str:
        return click.style(text, bold=True)

    click.echo(
        f"""
Open {strong(places.application)} in your browser and log in:

    username  {strong(made.username)}
    password  {strong(made.password)}

With a second step:

    username  {strong(made.second_username)}
    password  {strong(made.second_password)}
    app code  {strong(made.totp_secret)}
              type this secret into an authenticator app, as a key that is based on time

Or make an account of your own at {strong(places.issuer + "/signup")};
your account is at {strong(places.issuer + "/account")}.
Mails and SMS arrive at {strong(places.inbox)}.

Ctrl-C ends everything. Data and logs are in {places.data}/."""
    )
