"""``idp mail``: whether mail can be sent."""

import click

from idp.cli.context import opened
from idp.cli.documents import print_json


@click.group()
def mail() -> None:
    """Try the mail transport."""


@mail.command()
@click.argument("address")
def test(*, address: str) -> None:
    """Send a test mail to ADDRESS now, and say what failed if it does not leave."""
    with opened() as container:
        print_json(container.admin.messages.test_mail(address))
