"""Signing keys, as operators rotate and revoke them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from idp.admin.context import AdminContext, moment
from idp.audit import Actor, AuditEvent
from idp.keys import KeyChange, KeyRecord

_EVENTS: Final = {
    "created": AuditEvent.KEY_CREATED,
    "scheduled": AuditEvent.KEY_SCHEDULED,
    "activated": AuditEvent.KEY_ACTIVATED,
    "retired": AuditEvent.KEY_RETIRED,
    "revoked": AuditEvent.KEY_REVOKED,
}

_MAINTENANCE: Final = Actor.system("key maintenance")


class KeyAdmin:
    """Lists, rotates and revokes signing keys. Private parts are in no result."""

    def __init__(self, context: AdminContext) -> None:
        self._context = context

    def list_(self) -> list[dict[str, Any]]:
        """Every key with its state and times."""
        with self._context.database.transaction(write=False):
            return [_shown(record) for record in self._context.keystore.list_(self._context.clock.now())]

    def ensure(self) -> None:
        """Make the deployment's first keys; nothing happens when they are there."""
        with self._context.change() as now:
            self._record(self._context.keystore.ensure_keys(now), now, actor=_MAINTENANCE)

    def maintain(self, rotation_interval: timedelta) -> None:
        """Write down what time has brought about, and rotate keys that have signed for long enough.

        Args:
            rotation_interval: ``settings.keys.rotation_interval``; zero leaves it to the operator.
        """
        with self._context.change() as now:
            changes = self._context.keystore.settle(now)
            changes += self._context.keystore.rotate_due(now, rotation_interval)
            self._record(changes, now, actor=_MAINTENANCE)
        if changes:
            self._context.feed.notify("keys")

    def rotate(self, alg: str | None = None, *, activate_now: bool = False) -> dict[str, Any]:
        """Let the next key of an algorithm, or of all, sign; at once or when every cache knows it.

        Raises:
            NotFound: not an algorithm we sign with.
        """
        context = self._context
        with context.change() as now:
            changes = context.keystore.rotate(alg, now, activate_now=activate_now)
            self._record(changes, now)
        context.feed.notify("keys")
        return {"changes": [_step(change) for change in changes]}

    def revoke(self, kid: str) -> dict[str, Any]:
        """Withdraw a key at once: here nothing it signed is accepted any more.

        Returns:
            the steps taken, and how long relying parties and resource servers that keep a copy of
            the key set may still trust the key.

        Raises:
            NotFound: there is no such key.
        """
        context = self._context
        with context.change() as now:
            changes = context.keystore.revoke(kid, now)
            self._record(changes, now)
            lifetimes = context.repos.clients.access_token_lifetimes()
        context.feed.notify("keys")
        max_age = int(context.keystore.jwks_max_age.total_seconds())
        longest = max([int(context.access_token_lifetime.total_seconds()), *lifetimes])
        return {
            "kid": kid,
            "changes": [_step(change) for change in changes],
            "key_sets_refreshed_within_seconds": max_age,
            "tokens_gone_within_seconds": max_age + longest,
        }

    def _record(self, changes: Iterable[KeyChange], now: datetime, *, actor: Actor | None = None) -> None:
        for change in changes:
            detail: dict[str, Any] = {"kid": change.kid, "alg": change.alg}
            if change.kind != "created":
                detail["at"] = change.at
            self._context.record(_EVENTS[change.kind], now, detail=detail, actor=actor)


def _step(change: KeyChange) -> dict[str, Any]:
    return {"kid": change.kid, "alg": change.alg, "change": change.kind, "at": moment(change.at)}


def _shown(record: KeyRecord) -> dict[str, Any]:
    return {
        "kid": record.kid,
        "alg": record.alg,
        "state": record.state.value,
        "created_at": moment(record.created_at),
        "published_at": moment(record.published_at),
        "activates_at": moment(record.activates_at),
        "activated_at": moment(record.activated_at),
        "retired_at": moment(record.retired_at),
        "unpublish_at": moment(record.unpublish_at),
        "revoked_at": moment(record.revoked_at),
    }
