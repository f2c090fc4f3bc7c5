"""``idp outbox``: mails and SMS that have not left."""

import click

from idp.cli.context import opened
from idp.cli.documents import print_json


@click.group()
def outbox() -> None:
    """List and retry mails and SMS that have not left."""


@outbox.command("list")
@click.option("--limit", default=100, show_default=True, help="How many at most.")
@click.option("--after", help="Continue after this message id.")
def list_(*, limit: int, after: str | None) -> None:
    """List what waits and what was given up, oldest first; neither addresses nor content."""
    with opened() as container:
        print_json(container.admin.messages.list_(limit=limit, after=after))


@outbox.command()
@click.argument("message", required=False)
def retry(*, message: str | None) -> None:
    """Try MESSAGE again at once; without it, everything that was given up."""
    with opened() as container:
        print_json(container.admin.messages.retry(message))
