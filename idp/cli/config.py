"""``idp check-config``: show what the server would run with."""

import click

from idp.cli.documents import print_json
from idp.settings import describe, load_settings, reference_markdown


@click.command("check-config")
@click.option("--reference", is_flag=True, help="Print the reference of all settings as Markdown instead.")
def check_config(*, reference: bool) -> None:
    """Check the settings and print the result, with secrets hidden."""
    if reference:
        click.echo(reference_markdown(), nl=False)
        return
    print_json(describe(load_settings()))
