"""``idp resource``: the APIs that accept our access tokens."""

import click

from idp.cli.context import opened
from idp.cli.documents import print_json
from idp.cli.options import ManyValuesCommand
from idp.errors import Invalid


@click.group()
def resource() -> None:
    """Register, list and delete resource servers."""


@resource.command(cls=ManyValuesCommand)
@click.option("--identifier", required=True, help="Absolute URI; becomes the audience of its tokens.")
@click.option("--name", required=True, help="The name people see.")
@click.option("--scope", "scopes", multiple=True, help='"read:things=See your things"; may be repeated.')
@click.option(
    "--access-token-format", type=click.Choice(("jwt", "opaque")), help="Default from client and settings."
)
def create(*, identifier: str, name: str, scopes: tuple[str, ...], access_token_format: str | None) -> None:
    """Register a resource server; prints it as JSON."""
    with opened() as container:
        print_json(
            container.admin.resources.create(
                identifier=identifier,
                name=name,
                scopes=dict(_described(scope) for scope in scopes),
                access_token_format=access_token_format,
            )
        )


@resource.command("list")
def list_() -> None:
    """List all resource servers."""
    with opened() as container:
        print_json(container.admin.resources.list_())


@resource.command()
@click.argument("identifier")
def delete(*, identifier: str) -> None:
    """Delete a resource server; its scopes can no longer be granted."""
    with opened() as container:
        print_json(container.admin.resources.delete(identifier))


def _described(scope: str) -> tuple[str, str]:
    name, separator, sentence = scope.partition("=")
    if not separator or not sentence.strip():
        raise Invalid('write it as "name=What it allows, in plain words"', field="--scope")
    return name, sentence.strip()
