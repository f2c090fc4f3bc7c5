"""Where somebody is signed in, as operators see and end it (row S7)."""

from typing import Any, Final

from idp.accounts import Account
from idp.admin.context import AdminContext, moment
from idp.audit import AuditEvent
from idp.errors import NotFound
from idp.user_agents import describe

_BATCH: Final = 10_000
"""Sessions, and families, ended in one transaction: half a second at most, whatever an account has."""

_REASON: Final = "operator"


class AccountSessionAdmin:
    """Lists and ends the sessions of one account."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    def list_(self, name: str, *, limit: int = 100, after: str | None = None) -> list[dict[str, Any]]:
        """Sessions that can be used, latest first: the next ``limit`` after the id ``after``.

        Raises:
            NotFound: there is no such account.
        """
        context = self._context
        with context.database.transaction(write=False):
            account = self._resolve(name)
            rows = context.repos.overviews.live_sessions(
                account.id, context.clock.now(), limit=limit, before=after
            )
            return [
                {
                    "id": row.id,
                    "signed_in_at": moment(row.auth_time),
                    "last_seen_at": moment(row.last_seen_at),
                    "expires_at": moment(row.expires_at),
                    "acr": row.acr,
                    "amr": list(row.amr),
                    "browser": describe(row.user_agent).browser,
                    "system": describe(row.user_agent).system,
                    "address": row.address,
                }
                for row in rows
            ]

    def end_all(self, name: str, *, offline_too: bool = False) -> dict[str, Any]:
        """Sign somebody out everywhere, at once on every worker.

        Args:
            name: username, address or id.
            offline_too: revoke also what applications keep while the person is away (``offline_access``).

        Raises:
            NotFound: there is no such account.
        """
        context, sessions, families = self._context, 0, 0
        while True:
            with context.change() as now:
                account = self._resolve(name)
                ended = context.sessions.end_for_account(account.id, _REASON, now, limit=_BATCH)
                revoked = context.repos.overviews.revoke_other_families(
                    account.id,
                    except_id=None,
                    offline_too=offline_too,
                    reason=_REASON,
                    now=now,
                    limit=_BATCH,
                )
                context.record(
                    AuditEvent.SESSIONS_ENDED,
                    now,
                    account=account.id,
                    detail={"reason": _REASON, "sessions": ended, "families": revoked},
                )
            sessions, families = sessions + ended, families + revoked
            if max(ended, revoked) < _BATCH:
                return {"id": account.id, "ended_sessions": sessions, "revoked_families": families}

    def _resolve(self, name: str) -> Account:
        accounts = self._context.accounts
        account = accounts.find(name) if name.startswith("acc_") else None
        account = account or accounts.find_by_identifier(name)
        if account is None:
            raise NotFound("There is no such account.")
        return account
