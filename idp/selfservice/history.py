"""What happened to a person's account, newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp.selfservice.happenings import TOLD, Happening, in_words
from idp.selfservice.places import Places
from idp.selfservice.services import SelfServiceServices
from idp.user_agents import Device, describe

PAGE: Final = 50
"""Events on one page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event, as its person sees it."""

    at: datetime
    happening: Happening
    application: str | None
    """Name of the client it was about."""
    by_operator: bool
    device: Device | None
    """None where no browser was at work."""
    address: str | None
    place: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Some of what happened."""

    entries: tuple[Entry, ...]
    older: str | None
    """Id to go on from; None at the end."""


class History:
    """Reads the audit record of one account; nobody else's events come out."""

    def __init__(self, services: SelfServiceServices, places: Places) -> None:
        self._services = services
        self._places = places

    def list_(self, account_id: str, *, language: str, before: str | None = None) -> HistoryPage:
        """The newest ``PAGE`` events that people read of.

        Args:
            account_id: whose.
            language: in which places are named.
            before: id of the last event of the page before.
        """
        services = self._services
        with services.database.transaction(write=False):
            rows = services.repos.overviews.events(account_id, names=TOLD, limit=PAGE + 1, before=before)
        entries = []
        for row in rows[:PAGE]:
            happening = in_words(row.event, row.detail)
            if happening is None:
                continue
            client = None if row.client_id is None else services.clients.find(row.client_id)
            name = row.client_id if client is None else client.name or client.client_id
            # Security: where an application's server is, is not where the person was.
            is_person = row.actor.startswith("account")
            entries.append(
                Entry(
                    at=row.occurred_at,
                    happening=happening,
                    application=name,
                    by_operator=row.actor.startswith("operator"),
                    device=describe(row.user_agent) if is_person and row.user_agent else None,
                    address=row.address if is_person else None,
                    place=self._places.name(row.address, language) if is_person and row.address else None,
                )
            )
        return HistoryPage(entries=tuple(entries), older=rows[PAGE - 1].id if len(rows) > PAGE else None)
