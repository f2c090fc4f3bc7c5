"""Drafts: what somebody has begun and not confirmed yet."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from idp.crypto import token_digest
from idp.onetime.claimed import Claimed
from idp.storage import OneTimeRow, Repositories


class OneTimeDrafts:
    """Keeps one draft of each kind for each binding; the caller holds the transaction.

    A draft is on the server so that no form has to carry it. What is secret in it comes sealed.

    Args:
        repos: repositories on the caller's session.
    """

    def __init__(self, repos: Repositories) -> None:
        self._rows = repos.one_time

    def keep(
        self,
        kind: str,
        *,
        binding: str,
        account_id: str | None,
        payload: Mapping[str, Any],
        lifetime: timedelta,
        now: datetime,
    ) -> None:
        """Keep it, in the place of the one before.

        Args:
            kind: what it is a draft of.
            binding: who alone may see and confirm it, for example a session.
            account_id: whose it is.
            payload: JSON.
            lifetime: how long it waits.
            now: aware UTC time.
        """
        stored = _stored_kind(kind)
        self._rows.reissue(
            OneTimeRow(
                digest=token_digest(stored, binding),
                kind=stored,
                binding=binding,
                account_id=account_id,
                payload=dict(payload),
                created_at=now,
                expires_at=now + lifetime,
            )
        )

    def find(self, kind: str, *, binding: str, now: datetime) -> Claimed | None:
        """The draft that waits for confirmation, or None."""
        stored = _stored_kind(kind)
        row = self._rows.find(stored, token_digest(stored, binding))
        if row is None or row.consumed_at is not None or row.expires_at <= now:
            return None
        return Claimed.of(row)

    def claim(self, kind: str, *, binding: str, now: datetime) -> Claimed | None:
        """Confirm it; at most one caller ever succeeds. The effect belongs into the same transaction."""
        stored = _stored_kind(kind)
        row = self._rows.claim(
            kind=stored,
            digest=token_digest(stored, binding),
            binding=binding,
            proof=None,
            target=None,
            now=now,
        )
        return None if row is None else Claimed.of(row)


def _stored_kind(kind: str) -> str:
    return f"draft:{kind}"
