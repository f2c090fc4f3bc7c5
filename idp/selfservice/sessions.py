"""Where a person is signed in, and ending that."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp.audit import Actor, AuditEvent, Source
from idp.crypto import Secret
from idp.errors import NotFound
from idp.selfservice.places import Places
from idp.selfservice.services import SelfServiceServices
from idp.sessions import BrowserSession
from idp.storage import BrowserSessionRow
from idp.user_agents import Device, describe

PAGE: Final = 50
"""Sessions on one page."""

_MOST_CLIENTS: Final = 1000
"""Applications named on one page; of a session that has more, some are left out."""

BATCH: Final = 10_000
"""Sessions, and families, ended in one transaction: half a second at most, whatever an account has."""

_BY_PERSON: Final = "ended_by_person"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSession:
    """One sign-in, as its owner sees it."""

    id: str
    is_present: bool
    """Whether it is the one of the browser that asks."""
    device: Device
    address: str
    place: str | None
    created_at: datetime
    auth_time: datetime
    last_seen_at: datetime
    acr: str
    has_password: bool
    """Whether a password was among the proofs."""
    is_federated: bool
    """Whether another provider said who it is."""
    applications: tuple[str, ...]
    """Names of the clients that got tokens in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPage:
    """Some of a person's sessions, newest first; the present one stands before all others."""

    sessions: tuple[OwnSession, ...]
    older: str | None
    """Id to go on from; None at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How much ended."""

    sessions: int
    families: int


class OwnSessions:
    """Lists and ends a person's sessions. What ends here is dead on every worker at its next request."""

    def __init__(self, services: SelfServiceServices, places: Places) -> None:
        self._services = services
        self._places = places

    def list_(
        self, person: BrowserSession, *, language: str, now: datetime, before: str | None = None
    ) -> SessionPage:
        """The sessions of a person that can be used, ``PAGE`` at a time.

        Args:
            person: the session that asks.
            language: in which places are named.
            now: aware UTC time.
            before: id of the last session of the page before.
        """
        repos = self._services.repos
        with self._services.database.transaction(write=False):
            rows = repos.overviews.live_sessions(person.account_id, now, limit=PAGE + 1, before=before)
            shown = rows[:PAGE]
            if before is None:
                shown = [row for row in shown if row.id != person.id]
                present = repos.sessions.get(person.id)
                shown = shown if present is None else [present, *shown]
            else:
                shown = [row for row in shown if row.id != person.id]
            names = self._applications([row.id for row in shown])
        return SessionPage(
            sessions=tuple(self._own(row, person, names.get(row.id, ()), language) for row in shown),
            older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        )

    def end(self, person: BrowserSession, session_id: str, *, source: Source, now: datetime) -> bool:
        """End one session of the same person, and the tokens that end with it; whether it had not ended.

        Raises:
            NotFound: no such session, or another person's: which of them is not told.
        """
        services = self._services
        with services.database.transaction():
            row = services.repos.sessions.get(session_id)
            if row is None or row.account_id != person.account_id:
                raise NotFound("There is no such sign-in.", detail="session unknown or of another account")
            if not services.sessions.end(session_id, _BY_PERSON, now):
                return False
            families = services.repos.families.revoke_for_session(session_id, now, keep_offline=True)
            services.audit.record(
                AuditEvent.SESSION_ENDED,
                actor=Actor.account(person.account_id, source),
                account=person.account_id,
                session=session_id,
                detail={"reason": _BY_PERSON, "families": families},
                now=now,
            )
        return True

    def end_others(
        self, person: BrowserSession, *, session_cookie: str, source: Source, now: datetime
    ) -> Secret[str] | None:
        """End every session of the person but this one, and the tokens that end with them.

        Returns:
            the new value of the cookie of this one: "everywhere else" includes whoever has a copy of it (row
            S2); ``None`` if it has ended meanwhile.
        """
        with self._services.database.transaction():
            cookie = self._services.sessions.rotate(person, session_cookie)
        if cookie is None:
            return None
        while True:
            with self._services.database.transaction():
                ended = end_others(
                    self._services,
                    person.account_id,
                    keep=person.id,
                    reason=_BY_PERSON,
                    actor=Actor.account(person.account_id, source),
                    now=now,
                )
            if max(ended.sessions, ended.families) < BATCH:
                return cookie

    def _applications(self, session_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        pairs = self._services.repos.overviews.clients_by_session(session_ids, limit=_MOST_CLIENTS)
        for session_id, client_id in pairs:
            client = self._services.clients.find(client_id)
            found[session_id].append(client_id if client is None else client.name or client_id)
        return {session_id: tuple(sorted(names)) for session_id, names in found.items()}

    def _own(
        self, row: BrowserSessionRow, person: BrowserSession, applications: tuple[str, ...], language: str
    ) -> OwnSession:
        is_present = row.id == person.id
        return OwnSession(
            id=row.id,
            is_present=is_present,
            device=describe(row.user_agent),
            address=row.address,
            place=self._places.name(row.address, language),
            created_at=row.created_at,
            auth_time=row.auth_time,
            last_seen_at=row.last_seen_at,
            acr=person.acr if is_present else row.acr,
            has_password="pwd" in row.amr,
            is_federated="fed" in row.amr,
            applications=applications,
        )


def end_others(
    services: SelfServiceServices,
    account_id: str,
    *,
    keep: str | None,
    offline_too: bool = False,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Ended:
    """End at most ``BATCH`` sessions of an account but for one, in the caller's transaction.

    Args:
        services: what to do it with.
        account_id: whose.
        keep: id of the session that stays, with its tokens; None ends all.
        offline_too: whether tokens end too that outlive their session (``offline_access``).
        reason: for the rows and the audit record.
        actor: who does it.
        now: aware UTC time.
    """
    overviews = services.repos.overviews
    sessions = overviews.end_other_sessions(account_id, except_id=keep, reason=reason, now=now, limit=BATCH)
    services.sessions.announce_ends(sessions, now)
    families = overviews.revoke_other_families(
        account_id, except_id=keep, offline_too=offline_too, reason=reason, now=now, limit=BATCH
    )
    ended = Ended(sessions=len(sessions), families=families)
    if ended.sessions or ended.families:
        services.audit.record(
            AuditEvent.SESSIONS_ENDED,
            actor=actor,
            account=account_id,
            detail={"reason": reason, "sessions": ended.sessions, "families": ended.families},
            now=now,
        )
    return ended


def end_rest(
    services: SelfServiceServices,
    account_id: str,
    ended: Ended,
    *,
    keep: str | None,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """End what a first batch of :func:`end_others` left, offline access too; a transaction for each batch."""
    while max(ended.sessions, ended.families) >= BATCH:
        with services.database.transaction():
            ended = end_others(
                services, account_id, keep=keep, offline_too=True, reason=reason, actor=actor, now=now
            )
