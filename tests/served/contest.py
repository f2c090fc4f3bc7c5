"""Four workers and clients of every kind, for the races on both databases."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser import Browser
from tests.databases import new_postgresql_database
from tests.provider import Client
from tests.served.races import (
    race_for_one_code,
    race_with_wrong_verifiers,
    race_within_grace,
    race_without_grace,
    race_without_rotation,
)
from tests.served.rig import Served

WORKERS = 4

Race = Callable[[Served, Client, Browser], None]

RACES: tuple[tuple[str, Race], ...] = (  # which client, which race
    ("confidential", race_for_one_code),
    ("public", race_for_one_code),
    ("confidential", race_with_wrong_verifiers),
    ("public", race_within_grace),
    ("strict", race_without_grace),
    ("confidential", race_without_rotation),
)


@dataclass(frozen=True)
class Contest:
    """A provider, its clients, and a browser in which somebody is signed in."""

    served: Served
    clients: dict[str, Client]
    browser: Browser

    def run(self, client: str, race: Race, rounds: int) -> None:
        """Run a race again and again."""
        for _ in range(rounds):
            race(self.served, self.clients[client], self.browser)


@contextmanager
def contest(database: str, directory: Path) -> Iterator[Contest]:
    """Start everything.

    Args:
        database: `sqlite` or `postgresql`.
        directory: for files.
    """
    if database == "sqlite":
        yield from _contest(directory, None)
    else:
        with new_postgresql_database() as url:
            yield from _contest(directory, url)


def _contest(directory: Path, url: str | None) -> Iterator[Contest]:
    settings = {
        "IDP_MAIL_TRANSPORT": "folder",
        "IDP_MAIL_FOLDER": str(directory / "mail"),
        # Other tests run beside these, and the database server takes a hundred connections.
        "IDP_DATABASE_POOL_SIZE": "4",
    }
    with Served(directory, database_url=url, workers=WORKERS, **settings) as served:
        served.account()
        clients = {
            "confidential": served.client("confidential"),
            "public": served.client("public", auth_method="none"),
            "strict": served.client("strict", auth_method="none", refresh_token_grace=0),
        }
        browser = served.browser()
        served.tokens(clients["confidential"], browser=browser)
        yield Contest(served, clients, browser)
        served.stop()
        assert "Traceback" not in served.log_text()
