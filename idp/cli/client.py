"""``idp client``: the applications that send people here."""

from collections.abc import Callable
from pathlib import Path

import click

from idp.assurance import ACR_VALUES_SUPPORTED
from idp.cli.context import opened, read_secret_from_stdin
from idp.cli.documents import print_json, read_json_object
from idp.cli.options import ManyValuesCommand

_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")


def _changeable(command: Callable[..., None]) -> Callable[..., None]:
    """The options of both commands: how sure a sign-in has to be, its end, and its look."""
    for option in (
        click.option(
            "--accent", "accent_color", help="Colour of buttons and links on the way to it, as #2f5bea."
        ),
        click.option(
            "--registration/--no-registration",
            "allow_registration",
            default=None,
            help="Whether people may make an account on the way to it; they may by default.",
        ),
        click.option(
            "--backchannel-logout-uri", help="Where the client is told that a session ended; https."
        ),
        click.option(
            "--minimum-acr",
            type=click.Choice(ACR_VALUES_SUPPORTED),
            help="The level below which nobody is signed in to it; loa:2 is two factors.",
        ),
        click.option(
            "--acr-values",
            "default_acr_values",
            type=click.Choice(ACR_VALUES_SUPPORTED),
            multiple=True,
            help="The level it would like when a request says nothing; may be repeated, best first.",
        ),
        click.option(
            "--identity-provider",
            "identity_providers",
            multiple=True,
            help="A provider through which its people may sign in; may be repeated. All by default.",
        ),
        click.option(
            "--required-identity-provider",
            help="The one provider through which its people sign in; no password, no passkey.",
        ),
    ):
        command = option(command)
    return command


@click.group()
def client() -> None:
    """Register, list, show and delete clients, and rotate their secrets."""


@client.command(cls=ManyValuesCommand)
@click.option("--client-id", required=True, help="The identifier the application sends.")
@click.option("--name", required=True, help="The name people see.")
@click.option(
    "--auth-method",
    type=click.Choice(_AUTH_METHODS),
    default="client_secret_basic",
    show_default=True,
    help="How it authenticates at the token endpoint; none makes it a public client.",
)
@click.option(
    "--secret-stdin", is_flag=True, help="Read the secret from standard input instead of making one."
)
@click.option(
    "--redirect-uri", "redirect_uris", multiple=True, help="Where people return to; may be repeated."
)
@click.option(
    "--post-logout-redirect-uri", "post_logout_redirect_uris", multiple=True, help="May be repeated."
)
@click.option(
    "--grant-type", "grant_types", multiple=True, help="May be repeated; default authorization_code."
)
@click.option("--scope", default="", help="The scopes it may ask for, separated by spaces.")
@click.option("--first-party", is_flag=True, help="Yours: people are not asked for consent.")
@click.option(
    "--access-token-format", type=click.Choice(("jwt", "opaque")), help="Default from the settings."
)
@_changeable
@click.option("--no-require-pkce", is_flag=True, help="Exempt an old confidential OpenID client from PKCE.")
@click.option(
    "--metadata",
    "metadata_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with further client metadata (RFC 7591 names and ours, see docs/clients.md).",
)
def create(**given: object) -> None:
    """Register a client; prints it as JSON, with its secret this one time if one was made."""
    metadata = _metadata(given)
    secret = read_secret_from_stdin("client secret") if given["secret_stdin"] else None
    with opened() as container:
        print_json(
            container.admin.clients.create(
                client_id=str(given["client_id"]), metadata=metadata, secret=secret
            )
        )


@client.command(cls=ManyValuesCommand)
@click.argument("client_id")
@_changeable
@click.option(
    "--metadata",
    "metadata_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with the members to change; null gives one its default again.",
)
def update(*, client_id: str, **given: object) -> None:
    """Change members of a client's registration; what is not named stays."""
    with opened() as container:
        print_json(container.admin.clients.update(client_id, _changes(given)))


@client.command("list")
def list_() -> None:
    """List all clients."""
    with opened() as container:
        print_json(container.admin.clients.list_())


@client.command()
@click.argument("client_id")
def show(*, client_id: str) -> None:
    """Show one client; secrets are never shown."""
    with opened() as container:
        print_json(container.admin.clients.get(client_id))


@client.command()
@click.argument("client_id")
def disable(*, client_id: str) -> None:
    """Disable a client: it is refused everywhere at once, and what it was given is dead."""
    with opened() as container:
        print_json(container.admin.clients.disable(client_id))


@client.command()
@click.argument("client_id")
def enable(*, client_id: str) -> None:
    """Enable a disabled client again; tokens of before stay dead."""
    with opened() as container:
        print_json(container.admin.clients.enable(client_id))


@client.command("refresh-logo")
@click.argument("client_id")
def refresh_logo(*, client_id: str) -> None:
    """Fetch the client's logo again; pages show our copy of it."""
    with opened() as container:
        print_json(container.admin.clients.refresh_logo(client_id))


@client.command()
@click.argument("client_id")
def delete(*, client_id: str) -> None:
    """Delete a client; its tokens die with it."""
    with opened() as container:
        print_json(container.admin.clients.delete(client_id, _tell_progress))


def _tell_progress(rows: int) -> None:
    click.echo(f"{rows} rows removed; going on", err=True)


@client.command("rotate-secret")
@click.argument("client_id")
@click.option("--secret-stdin", is_flag=True, help="Read the new secret from standard input.")
@click.option("--overlap-days", default=7, show_default=True, help="How long the old secret still works.")
def rotate_secret(*, client_id: str, secret_stdin: bool, overlap_days: int) -> None:
    """Give a client a second secret; the old one ends after the overlap. Prints the new one once."""
    secret = read_secret_from_stdin("client secret") if secret_stdin else None
    with opened() as container:
        print_json(container.admin.clients.rotate_secret(client_id, secret=secret, overlap_days=overlap_days))


def _changes(given: dict[str, object]) -> dict[str, object]:
    """The metadata file first, then what the options of both commands say."""
    path = given["metadata_file"]
    metadata: dict[str, object] = {}
    if isinstance(path, Path):
        metadata.update(read_json_object(path, option="--metadata"))
    for option in ("minimum_acr", "backchannel_logout_uri", "accent_color", "required_identity_provider"):
        if given[option]:
            metadata[option] = given[option]
    if given["allow_registration"] is not None:
        metadata["allow_registration"] = given["allow_registration"]
    for option in ("default_acr_values", "identity_providers"):
        values = given[option]
        if isinstance(values, tuple) and values:
            metadata[option] = list(values)
    return metadata


def _metadata(given: dict[str, object]) -> dict[str, object]:
    """The metadata file first, then what the options say."""
    metadata = _changes(given)
    metadata["client_name"] = given["name"]
    metadata["token_endpoint_auth_method"] = given["auth_method"]
    for option in ("redirect_uris", "post_logout_redirect_uris", "grant_types"):
        values = given[option]
        if isinstance(values, tuple) and values:
            # None of them holds a space, so a quoted list of several means the same.
            metadata[option] = [part for value in values for part in value.split()]
    if given["scope"]:
        metadata["scope"] = given["scope"]
    if given["access_token_format"]:
        metadata["access_token_format"] = given["access_token_format"]
    if given["first_party"]:
        metadata["first_party"] = True
    if given["no_require_pkce"]:
        metadata["require_pkce"] = False
    return metadata
