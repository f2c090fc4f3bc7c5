"""The command group and the one place where errors become messages and exit codes."""

import sys

import click

from idp import __version__
from idp.cli.account import account
from idp.cli.client import client
from idp.cli.config import check_config
from idp.cli.demo import demo
from idp.cli.key import key
from idp.cli.migrate import migrate
from idp.cli.resource import resource
from idp.cli.serve import serve
from idp.cli.tune_hash import tune_hash
from idp.crypto import RootKeyError
from idp.errors import IdpError, Invalid, Unavailable
from idp.settings import SettingsError

FAILED = 1
"""The command was understood but could not be carried out."""
MISCONFIGURED = 78
"""The settings are wrong. Source: ``EX_CONFIG`` of sysexits.h."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="idp")
def commands() -> None:
    """An OAuth 2.0 / OpenID Connect identity provider."""


for _command in (serve, migrate, check_config, tune_hash, account, client, resource, key, demo):
    commands.add_command(_command)


def main() -> None:
    """Run the command line; every expected failure is one clear line, never a traceback."""
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
