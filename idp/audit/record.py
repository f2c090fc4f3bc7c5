"""Writing audit events, in the transaction of the change they report."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from idp.audit.actor import LONGEST, Actor, Source, clean
from idp.audit.vocabulary import AuditEvent
from idp.ids import new_id
from idp.storage import AuditEntry, Repositories


class Audit:
    """Records events. If an event cannot be written, the change does not happen either.

    Args:
        repos: repositories on the caller's session.
    """

    def __init__(self, repos: Repositories) -> None:
        self._repos = repos

    def record(
        self,
        event: AuditEvent,
        *,
        actor: Actor,
        account: str | None = None,
        client: str | None = None,
        session: str | None = None,
        detail: Mapping[str, Any] | None = None,
        now: datetime,
    ) -> None:
        """Write one event in the transaction the caller opened.

        Args:
            event: what happened.
            actor: who did it, and from where.
            account: id of the account it happened to.
            client: id of the client it happened to.
            session: id of the browser session it belongs to.
            detail: the fields the event's docstring names; JSON values, times may be datetimes.
            now: aware UTC time.
        """
        self._repos.audit.add(
            self.entry(
                event, actor=actor, account=account, client=client, session=session, detail=detail, now=now
            )
        )

    def entry(
        self,
        event: AuditEvent,
        *,
        actor: Actor,
        account: str | None = None,
        client: str | None = None,
        session: str | None = None,
        detail: Mapping[str, Any] | None = None,
        now: datetime,
    ) -> AuditEntry:
        """The event as a value, for the hot store, which writes it with its own statement.

        Arguments as for :meth:`record`.
        """
        return AuditEntry(
            id=new_id("evt", now),
            occurred_at=now,
            event=event.value,
            actor=actor.name,
            account_id=clean(account),
            client_id=clean(client),
            session_id=clean(session),
            address=clean(actor.address),
            user_agent=clean(actor.user_agent),
            request_id=clean(actor.request_id),
            detail={name: _plain(value) for name, value in (detail or {}).items()},
        )

    def entry_of_client(
        self,
        event: AuditEvent,
        *,
        client: str,
        source: Source,
        detail: Mapping[str, str | int],
        now: datetime,
    ) -> AuditEntry:
        """What :meth:`entry` makes of an event that a client caused to itself, in fewer steps.

        Every token request writes one.

        Args:
            event: what happened.
            client: id of the client that did it.
            source: where the request came from.
            detail: names and numbers that we made ourselves, or have found to be ours.
            now: aware UTC time.
        """
        client_id, actor = _client_names(client)
        address: str | None
        user_agent: str | None
        request_id: str | None
        address, user_agent, request_id, _ = source
        written = address + user_agent + request_id
        if len(written) > LONGEST or not written.isprintable():  # else each of them is clean
            address, user_agent, request_id = clean(address), clean(user_agent), clean(request_id)
        return AuditEntry(
            new_id("evt", now),
            now,
            event,
            actor,
            None,
            client_id,
            None,
            address or None,
            user_agent or None,
            request_id or None,
            detail,
        )


@lru_cache(maxsize=1024)
def _client_names(client: str) -> tuple[str | None, str]:
    """Of the client itself, and as an actor."""
    return clean(client), Actor(kind="client", id=client).name


def _plain(value: object) -> Any:
    """The value as JSON that every database can hold."""
    if isinstance(value, str):
        return clean(value) or ""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {_plain(str(name)): _plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(member) for member in value)
    raise TypeError(f"an audit detail cannot hold {type(value).__name__}")
