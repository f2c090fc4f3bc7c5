"""Links with a secret of 256 bits, each for one purpose, person and address (rows V1, V4)."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from idp.crypto import Secret, random_token, token_digest
from idp.onetime.claimed import Claimed
from idp.storage import OneTimeRow, Repositories

_PREFIX: Final = "idp_ol_"
_BINDING: Final = "bearer"


class OneTimeLinks:
    """Issues and claims the secrets of links; the caller holds the transaction.

    Args:
        repos: repositories on the caller's session.
    """

    def __init__(self, repos: Repositories) -> None:
        self._rows = repos.one_time

    def issue(
        self,
        kind: str,
        *,
        account_id: str | None,
        target: str | None,
        payload: Mapping[str, Any] | None = None,
        lifetime: timedelta,
        now: datetime,
    ) -> Secret[str]:
        """A new secret for a link. Only its digest is kept.

        Args:
            kind: what the link is good for; a link of one kind is none of another.
            account_id: whose it is.
            target: the address it is sent to, or about.
            payload: JSON to be given back at the claim.
            lifetime: how long it works.
            now: aware UTC time.
        """
        token = _PREFIX + random_token()
        stored = _stored_kind(kind)
        self._rows.issue(
            OneTimeRow(
                digest=token_digest(stored, token),
                kind=stored,
                binding=_BINDING,
                target=target,
                account_id=account_id,
                payload=dict(payload or {}),
                created_at=now,
                expires_at=now + lifetime,
            )
        )
        return Secret(token)

    def peek(self, kind: str, token: str, now: datetime) -> Claimed | None:
        """What the link is about, without using it: mail programs open links too (row S9).

        None for unknown, used, expired and junk alike.
        """
        digest = _digest(kind, token)
        row = None if digest is None else self._rows.find(_stored_kind(kind), digest)
        if row is None or row.consumed_at is not None or row.expires_at <= now:
            return None
        return Claimed.of(row)

    def claim(self, kind: str, token: str, now: datetime) -> Claimed | None:
        """Use the link up; at most one caller ever succeeds. The effect belongs into the same transaction.

        None for unknown, used, expired and junk alike.
        """
        digest = _digest(kind, token)
        if digest is None:
            return None
        row = self._rows.claim(
            kind=_stored_kind(kind), digest=digest, binding=_BINDING, proof=None, target=None, now=now
        )
        return None if row is None else Claimed.of(row)

    def void(self, account_id: str, kinds: Iterable[str], now: datetime) -> None:
        """Make all links of these kinds that lead into an account useless."""
        self._rows.burn(account_id, [_stored_kind(kind) for kind in kinds], now)


def _stored_kind(kind: str) -> str:
    return f"link:{kind}"


def _digest(kind: str, token: str) -> bytes | None:
    if not token.startswith(_PREFIX):
        return None
    return token_digest(_stored_kind(kind), token)
