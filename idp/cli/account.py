"""``idp account``: the people who can sign in."""

from pathlib import Path

import click

from idp.cli.context import opened, read_secret_from_stdin
from idp.cli.documents import print_json, read_json_object


@click.group()
def account() -> None:
    """Create, list, show, disable and enable accounts."""


@account.command()
@click.option("--username", required=True, help="The name to sign in with; any valid UTF-8.")
@click.option("--email", help="The e-mail address; may be used to sign in too.")
@click.option("--email-verified", is_flag=True, help="State that the address is known to be the person's.")
@click.option(
    "--claims",
    "claims_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with claims: standard ones (given_name, address, ...) and groups.",
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(
    *, username: str, email: str | None, email_verified: bool, claims_file: Path | None, password_stdin: bool
) -> None:
    """Create an account; prints it as JSON."""
    claims = read_json_object(claims_file, option="--claims") if claims_file else {}
    password = read_secret_from_stdin("password") if password_stdin else None
    with opened() as container:
        print_json(
            container.admin.accounts.create(
                username=username,
                email=email,
                email_verified=email_verified,
                claims=claims,
                password=password,
            )
        )


@account.command()
@click.argument("name")
@click.option(
    "--claims",
    "claims_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with claims (given_name, groups, ...); null takes a claim away, others stay.",
)
def update(*, name: str, claims_file: Path) -> None:
    """Change what is said of a person, for example their groups. NAME as in show."""
    claims = read_json_object(claims_file, option="--claims")
    with opened() as container:
        print_json(container.admin.accounts.update(name, claims))


@account.command("list")
@click.option("--limit", default=100, show_default=True, help="How many at most.")
@click.option("--after", help="Continue after this account id.")
def list_(*, limit: int, after: str | None) -> None:
    """List accounts, oldest first."""
    with opened() as container:
        print_json(container.admin.accounts.list_(limit=limit, after=after))


@account.command()
@click.argument("name")
def show(*, name: str) -> None:
    """Show one account and what it signs in with; NAME is its username, e-mail address or id."""
    with opened() as container:
        print_json(container.admin.accounts.get(name))


@account.command()
@click.argument("name")
def disable(*, name: str) -> None:
    """Disable an account: its sessions and tokens end at once. NAME as in show."""
    with opened() as container:
        print_json(container.admin.accounts.disable(name))


@account.command()
@click.argument("name")
def enable(*, name: str) -> None:
    """Enable a disabled account again. NAME as in show."""
    with opened() as container:
        print_json(container.admin.accounts.enable(name))


@account.command("reset-second-factor")
@click.argument("name")
@click.option("--passkeys", is_flag=True, help="Remove the passkeys as well.")
def reset_second_factor(*, name: str, passkeys: bool) -> None:
    """Remove the second steps of somebody who has lost them: authenticator app, codes, recovery codes.

    Make sure first that it is them who ask. They are told by mail. NAME as in show.
    """
    with opened() as container:
        print_json(container.admin.accounts.reset_second_factor(name, passkeys=passkeys))


@account.command("set-password")
@click.argument("name")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def set_password(*, name: str, password_stdin: bool) -> None:
    """Give an account a new password; everything signed in with the old one ends. NAME as in show."""
    if not password_stdin:
        raise click.UsageError("a password is never an argument; add --password-stdin")
    password = read_secret_from_stdin("password")
    with opened() as container:
        print_json(container.admin.accounts.set_password(name, password))


@account.command()
@click.option("--email", required=True, help="The address that the account will have.")
@click.option("--locale", default="", help="Language of the mail, such as de.")
@click.option("--no-mail", is_flag=True, help="Only print the link; you pass it on to that person.")
def invite(*, email: str, locale: str, no_mail: bool) -> None:
    """Invite somebody to make an account; works where registration is off. Prints the link."""
    with opened() as container:
        print_json(container.admin.invitations.invite(email, locale=locale, mail=not no_mail))


@account.command()
@click.argument("name")
def reset(*, name: str) -> None:
    """Send a link to a new password; the present one works until it is used. NAME as in show."""
    with opened() as container:
        print_json(container.admin.invitations.reset(name))


@account.command()
@click.argument("name")
@click.option("--limit", default=100, show_default=True, help="How many at most.")
@click.option("--after", help="Continue after this session id.")
def sessions(*, name: str, limit: int, after: str | None) -> None:
    """List where somebody is signed in, latest first. NAME as in show."""
    with opened() as container:
        print_json(container.admin.account_sessions.list_(name, limit=limit, after=after))


@account.command("end-sessions")
@click.argument("name")
@click.option("--offline", is_flag=True, help="Also what applications keep while the person is away.")
def end_sessions(*, name: str, offline: bool) -> None:
    """Sign somebody out everywhere, at once; they may sign in again. NAME as in show."""
    with opened() as container:
        print_json(container.admin.account_sessions.end_all(name, offline_too=offline))
