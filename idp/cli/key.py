"""``idp key``: the keys that sign tokens."""

import click

from idp.cli.context import opened
from idp.cli.documents import print_json


@click.group()
def key() -> None:
    """List, rotate and revoke signing keys."""


@key.command("list")
def list_() -> None:
    """List all signing keys and their states."""
    with opened() as container:
        print_json(container.admin.keys.list_())


@key.command()
@click.option(
    "--alg", type=click.Choice(("ES256", "RS256", "EdDSA")), help="Only this algorithm; default all."
)
@click.option(
    "--now", "activate_now", is_flag=True, help="Sign with the next key even if some caches lack it."
)
def rotate(*, alg: str | None, activate_now: bool) -> None:
    """Make the next key sign and publish a new next key; the old one stays published."""
    with opened() as container:
        print_json(container.admin.keys.rotate(alg, activate_now=activate_now))


@key.command()
@click.argument("kid")
def revoke(*, kid: str) -> None:
    """Withdraw a key at once: everything it signed is refused from now on."""
    with opened() as container:
        print_json(container.admin.keys.revoke(kid))
