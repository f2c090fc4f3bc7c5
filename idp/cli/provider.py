"""``idp provider``: other providers that people sign in with."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from idp.cli.context import opened, read_secret_from_stdin
from idp.cli.documents import print_json, read_json_object
from idp.cli.options import ManyValuesCommand
from idp.errors import Invalid, NotFound
from idp.federation import AUTH_METHODS, preset_names

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_LISTS = {
    "scope": "scopes",
    "trusted_email_domain": "trusted_email_domains",
    "home_domain": "home_domains",
    "required_claim": "required_claims",
}
"""Options that may be repeated, and the members they fill."""
_PAIRS = {"acr_map": ("--acr-map", "acr_map"), "claim": ("--claim", "claims")}


def _members(command: Callable[..., None]) -> Callable[..., None]:
    """The options that create and change alike; docs/federation.md has all members."""
    for option in reversed(_MEMBERS):
        command = option(command)
    return command


_MEMBERS = (
    click.option("--name", help="What its button says; presets of well-known providers have one."),
    click.option(
        "--issuer", help="Its issuer, as it says it; of gitlab and github: an installation's address."
    ),
    click.option("--client-secret-stdin", is_flag=True, help="Read the client secret from standard input."),
    click.option("--private-key-file", type=_FILE, help="PEM file with a private key instead of a secret."),
    click.option("--key-id", help="The kid of that key."),
    click.option("--team-id", help="Apple: the team the key belongs to."),
    click.option("--auth-method", type=click.Choice(AUTH_METHODS), help="How we authenticate there."),
    click.option(
        "--scope", multiple=True, help="A scope to ask for; may be repeated. Replaces the preset's."
    ),
    click.option(
        "--claim", multiple=True, help="OURS=PATH: where a claim is found in theirs; may be repeated."
    ),
    click.option(
        "--trusted-email-domain", multiple=True, help="Whose addresses it may vouch for; * is every domain."
    ),
    click.option("--home-domain", multiple=True, help="People with such an address are led straight there."),
    click.option(
        "--creates",
        type=click.Choice(("automatic", "ask", "never")),
        help="What the first sign-in of somebody unknown leads to.",
    ),
    click.option("--required-claim", multiple=True, help="Asked for when it is missing; may be repeated."),
    click.option(
        "--profile-sync",
        type=click.Choice(("first", "always", "never")),
        help="When the profile here follows the one there.",
    ),
    click.option(
        "--trust-assurance/--no-trust-assurance",
        default=None,
        help="Whether second factors that were used there count here.",
    ),
    click.option("--acr-map", multiple=True, help="THEIRS=OURS: what their acr is worth; may be repeated."),
    click.option("--store-tokens/--no-store-tokens", default=None, help="Keep its tokens, sealed."),
    click.option("--hidden/--no-hidden", default=None, help="Without a button on the sign-in page."),
    click.option(
        "--config",
        "config_file",
        type=_FILE,
        help="JSON file with further members; null gives one its default. Options win.",
    ),
)


@click.group()
def provider() -> None:
    """Let people sign in with an account that they have elsewhere."""


@provider.command(cls=ManyValuesCommand)
@click.option("--id", "provider_id", required=True, help="Part of the redirect address; never changes.")
@click.option(
    "--preset",
    "preset_name",
    required=True,
    type=click.Choice(preset_names()),
    help="A well-known provider, or oidc or oauth2 for any other.",
)
@click.option("--client-id", required=True, help="What the provider calls us.")
@click.option("--tenant", help="Microsoft: common, organizations, consumers, or the id of a directory.")
@_members
def create(*, provider_id: str, preset_name: str, client_id: str, tenant: str | None, **given: Any) -> None:
    """Add a provider, and ask it what it publishes; prints it as JSON, with the address to enter there."""
    members, secret = _changes(given), _secret(given)
    if secret is not None and given["private_key_file"] and preset_name != "apple":
        members.setdefault("auth_method", "private_key_jwt")
    with opened() as container:
        shown = container.admin.providers.create(
            provider_id,
            {**members, "client_id": client_id},
            preset_name=preset_name,
            tenant=tenant,
            secret=secret,
        )
    _print(shown)


@provider.command(cls=ManyValuesCommand)
@click.argument("provider_id", metavar="ID")
@click.option("--client-id", help="What the provider calls us.")
@_members
def update(*, provider_id: str, client_id: str | None, **given: Any) -> None:
    """Change a provider; what is not named stays, a list that is named is replaced."""
    members, secret = _changes(given), _secret(given)
    if client_id is not None:
        members["client_id"] = client_id
    with opened() as container:
        _print(container.admin.providers.update(provider_id, members, secret=secret))


@provider.command("list")
def list_() -> None:
    """List all providers."""
    with opened() as container:
        print_json(container.admin.providers.list_())


@provider.command()
@click.argument("provider_id", metavar="ID")
def show(*, provider_id: str) -> None:
    """Show one provider; its secret is never shown."""
    with opened() as container:
        print_json(container.admin.providers.get(provider_id))


@provider.command()
@click.argument("provider_id", metavar="ID")
def check(*, provider_id: str) -> None:
    """Ask a provider what it publishes, and say what does not fit the configuration."""
    with opened() as container:
        found = container.admin.providers.check(provider_id)
    print_json(found)
    if not found["ok"]:
        raise NotFound("the provider cannot be used as it is configured; see problems")


@provider.command()
@click.argument("provider_id", metavar="ID")
@click.option("--claims", "claims_file", required=True, type=_FILE, help="JSON file with claims as it sends.")
def preview(*, provider_id: str, claims_file: Path) -> None:
    """Show what the mapping makes of a provider's claims; nothing is kept."""
    claims = read_json_object(claims_file, option="--claims")
    with opened() as container:
        print_json(container.admin.providers.preview(provider_id, claims))


@provider.command()
@click.argument("provider_id", metavar="ID")
def disable(*, provider_id: str) -> None:
    """Disable a provider: nobody signs in with it; links and sessions stay."""
    with opened() as container:
        print_json(container.admin.providers.disable(provider_id))


@provider.command()
@click.argument("provider_id", metavar="ID")
def enable(*, provider_id: str) -> None:
    """Enable a disabled provider again."""
    with opened() as container:
        print_json(container.admin.providers.enable(provider_id))


@provider.command()
@click.argument("provider_id", metavar="ID")
def delete(*, provider_id: str) -> None:
    """Delete a provider and the links to it; accounts stay, and say how many links went."""
    with opened() as container:
        print_json(
            container.admin.providers.delete(
                provider_id, progress=lambda count: click.echo(f"{count} links removed so far", err=True)
            )
        )


def _print(shown: Mapping[str, Any]) -> None:
    """The result on standard output, and its warnings where somebody at a terminal sees them."""
    for warning in shown["warnings"]:
        click.echo(f"warning: {warning}", err=True)
    print_json(shown)


def _changes(given: Mapping[str, Any]) -> dict[str, Any]:
    """The file first, then what the options say."""
    path = given["config_file"]
    members = read_json_object(path, option="--config") if path else {}
    for option in ("name", "issuer", "key_id", "team_id", "auth_method", "creates", "profile_sync"):
        if given[option] is not None:
            members[option] = given[option]
    for option in ("trust_assurance", "hidden"):
        if given[option] is not None:
            members[option] = given[option]
    if given["store_tokens"] is not None:
        members["stores_tokens"] = given["store_tokens"]
    for option, member in _LISTS.items():
        if given[option]:
            # None of them holds a space, so a quoted list of several means the same.
            members[member] = [part for value in given[option] for part in value.split()]
    for option, (shown, member) in _PAIRS.items():
        if given[option]:
            members[member] = dict(_pair(value, shown) for value in given[option])
    return members


def _pair(value: str, option: str) -> tuple[str, str]:
    # From the right for names that are addresses with a query; ours hold no "=".
    name, separator, meaning = value.rpartition("=") if option == "--acr-map" else value.partition("=")
    if not separator or not name or not meaning:
        raise Invalid("write it as NAME=VALUE", field=option)
    return name, meaning


def _secret(given: Mapping[str, Any]) -> str | None:
    path = given["private_key_file"]
    if path and given["client_secret_stdin"]:
        raise Invalid("give a client secret or a private key, not both", field="--private-key-file")
    if path:
        try:
            return str(path.read_text(encoding="ascii"))
        except ValueError as error:
            raise Invalid(f"{path} is not PEM", field="--private-key-file") from error
    return read_secret_from_stdin("client secret") if given["client_secret_stdin"] else None
