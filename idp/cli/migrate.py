"""``idp migrate``: bring the database schema up to date."""

import click

from idp.cli.documents import print_json
from idp.settings import load_settings
from idp.storage import head_revision
from idp.storage.migrations import upgrade


@click.command()
def migrate() -> None:
    """Bring the database up to this release's schema. Safe to run again, and from several nodes at once."""
    applied = upgrade(load_settings().database)
    print_json({"revision": head_revision(), "applied": applied})
