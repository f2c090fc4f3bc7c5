"""``idp breach-list``: a file of passwords that nobody may choose."""

from pathlib import Path

import click

from idp.authenticators import ERROR_RATE, write_bloom_file
from idp.cli.documents import print_json


@click.command("breach-list")
@click.argument("source", metavar="INPUT", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("target", metavar="OUTPUT", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--error-rate",
    default=ERROR_RATE,
    show_default=True,
    help="How often a password that is not in the list is taken for one that is.",
)
def breach_list(*, source: Path, target: Path, error_rate: float) -> None:
    """Make a file for breaches.bloom_file out of a list of known passwords.

    INPUT has one on each line: a SHA-1 in hexadecimal, with or without ":count", or the password itself.
    """
    try:
        count = write_bloom_file(source, target, error_rate=error_rate)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    print_json({"passwords": count, "bytes": target.stat().st_size, "error_rate": error_rate})
