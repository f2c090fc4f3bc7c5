"""The command group and the one place where errors become messages and exit codes."""

import os
import sys

import click

from idp import __version__
from idp.cli.heap import keep_server_heap_small
from idp.cli.loading import load
from idp.crypto import RootKeyError
from idp.errors import IdpError, Invalid, Unavailable
from idp.settings import SettingsError

FAILED = 1
"""The command was understood but could not be carried out."""
MISCONFIGURED = 78
"""The settings are wrong. Source: ``EX_CONFIG`` of sysexits.h."""

_COMMANDS = {
    "serve": "idp.cli.serve:serve",
    "migrate": "idp.cli.migrate:migrate",
    "check-config": "idp.cli.config:check_config",
    "tune-hash": "idp.cli.tune_hash:tune_hash",
    "account": "idp.cli.account:account",
    "client": "idp.cli.client:client",
    "provider": "idp.cli.provider:provider",
    "resource": "idp.cli.resource:resource",
    "key": "idp.cli.key:key",
    "breach-list": "idp.cli.breach_list:breach_list",
    "mail": "idp.cli.mail:mail",
    "outbox": "idp.cli.outbox:outbox",
    "demo": "idp.cli.demo:demo",
}
"""Where each command lies. Only the one that was asked for is loaded, and what that one needs."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        module, _, name = _COMMANDS.get(cmd_name, "").partition(":")
        command: click.Command | None = getattr(load(module), name) if module else None
        return command


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="idp")
def commands() -> None:
    """An OAuth 2.0 / OpenID Connect identity provider."""


def main() -> None:
    """Run the command line; every expected failure is one clear line, never a traceback."""
    keep_server_heap_small(os.environ)  # here, because the command that serves loads granian at its top
    try:
        commands()
    except SettingsError as error:
        click.echo(f"idp: the settings are wrong:\n{error}", err=True)
        sys.exit(MISCONFIGURED)
    except RootKeyError as error:
        click.echo(f"idp: {error}", err=True)
        sys.exit(MISCONFIGURED)
    except Invalid as error:
        click.echo(f"idp: {error.field}: {error.description}", err=True)
        sys.exit(FAILED)
    except Unavailable as error:
        click.echo(f"idp: {error.detail or error.description}", err=True)
        sys.exit(FAILED)
    except IdpError as error:
        reason = f" ({error.detail})" if error.detail else ""
        click.echo(f"idp: {error.description}{reason}", err=True)
        sys.exit(FAILED)
