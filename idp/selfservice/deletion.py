"""Deleting one's own account: asked for, taken back, carried out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from idp.accounts import Notice
from idp.audit import Actor, AuditEvent, Source
from idp.selfservice.authenticators import Authenticators
from idp.selfservice.services import SelfServiceServices
from idp.selfservice.sessions import end_others, end_rest
from idp.sessions import BrowserSession

_REASON: Final = "deletion_requested"

_AT_ONCE: Final = 20
"""Accounts deleted in one run of the job."""

_EVENTS: Final = 500
"""Events shredded in one transaction."""

_KEPT: Final = frozenset({
    "acr", "amr", "audience", "blocked_until", "channel", "claims", "codes", "consents", "delete_after",
    "devices", "failures", "families", "family", "fields", "first", "generation", "jti", "known_device",
    "logins", "method", "newest", "notice", "purpose", "reason", "rehashed", "removed", "replaced",
    "requested_at", "resources", "scopes", "sessions", "synced", "token_type", "until", "user_verified",
})  # fmt: skip
"""Details of events that say nothing about a person. Whatever is not here goes, also what is added later."""


class OwnDeletion:
    """Asks for an account to be deleted, and does it after a time of grace.

    From the request on, nothing that was signed in or issued before counts any more. Who signs in again can
    do one thing: keep the account (``BrowserSession.deletes_at``, which the pages look at).
    """

    def __init__(self, services: SelfServiceServices, authenticators: Authenticators) -> None:
        self._services = services
        self._authenticators = authenticators

    def request(self, person: BrowserSession, *, source: Source, now: datetime) -> datetime:
        """Note the wish, and end everything that is signed in or issued; when the account will be deleted.

        Raises:
            NotFresh: the person has to prove themself first (row M7).
        """
        services, account_id = self._services, person.account_id
        delete_after = now + services.settings.registration.deletion_grace
        actor = Actor.account(account_id, source)
        with services.database.transaction():
            self._authenticators.assert_fresh(person, now)
            if not services.repos.deletions.request(account_id, now=now, delete_after=delete_after):
                row = services.repos.deletions.find(account_id)
                return delete_after if row is None else row.delete_after
            services.repos.accounts.set_not_before(account_id, now)
            services.repos.overviews.void_codes(account_id, now)
            services.devices.distrust_all(account_id, now)
            ended = end_others(
                services, account_id, keep=None, offline_too=True, reason=_REASON, actor=actor, now=now
            )
            services.audit.record(
                AuditEvent.DELETION_REQUESTED,
                actor=actor,
                account=account_id,
                detail={
                    "delete_after": delete_after,
                    "sessions": ended.sessions,
                    "families": ended.families,
                },
                now=now,
            )
            services.notices.tell(
                account_id,
                Notice.DELETION_REQUESTED,
                source=source,
                now=now,
                detail={"delete_after": delete_after.isoformat()},
            )
        end_rest(services, account_id, ended, keep=None, reason=_REASON, actor=actor, now=now)
        return delete_after

    def keep(self, person: BrowserSession, *, source: Source, now: datetime) -> bool:
        """Take the wish back; False if there is none any more. What was ended stays ended."""
        services, account_id = self._services, person.account_id
        with services.database.transaction():
            if not services.repos.deletions.cancel(account_id):
                return False
            services.audit.record(
                AuditEvent.DELETION_CANCELLED,
                actor=Actor.account(account_id, source),
                account=account_id,
                session=person.id,
                now=now,
            )
            services.notices.tell(account_id, Notice.DELETION_CANCELLED, source=source, now=now)
        return True

    def carry_out(self, now: datetime) -> int:
        """Delete the accounts whose time has come, and shred their history; how many were gone through.

        Safe to run on several workers at once, and to be interrupted: the next run goes on.
        """
        services = self._services
        with services.database.transaction(write=False):
            due = services.repos.deletions.due(now, _AT_ONCE)
        for account_id in due:
            self._delete(account_id, now)
            self._shred(account_id)
            with services.database.transaction():
                services.repos.deletions.finish(account_id)
        return len(due)

    def _delete(self, account_id: str, now: datetime) -> None:
        services, deletions = self._services, self._services.repos.deletions
        with services.database.transaction():
            row = deletions.find(account_id)
            if row is None or not deletions.begin(account_id, now):
                return
            deletions.delete_belongings(account_id)
            services.throttle.forget(account_id)
            services.notices.tell(account_id, Notice.ACCOUNT_DELETED, source=None, now=now)
            services.audit.record(
                AuditEvent.ACCOUNT_DELETED,
                actor=Actor.system("deletion"),
                account=account_id,
                detail={"requested_at": row.requested_at},
                now=now,
            )
            deletions.delete_account(account_id)

    def _shred(self, account_id: str) -> None:
        services, after = self._services, ""
        while True:
            with services.database.transaction():
                found = services.repos.deletions.details(account_id, after=after, limit=_EVENTS)
                if found:
                    services.repos.deletions.shred(
                        {event_id: _impersonal(detail) for event_id, detail in found}
                    )
            if len(found) < _EVENTS:
                return
            after = found[-1][0]


def _impersonal(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in detail.items() if name in _KEPT}
