"""Six-digit codes, each bound to the one transaction that asked for it (row M3)."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from idp.crypto import Secret, b64url_encode, keyed_digest, token_digest
from idp.onetime.claimed import Claimed
from idp.onetime.typed import digits_of
from idp.storage import OneTimeRow, Repositories

MOST_TRIES: Final = 5
"""How many codes are compared before the sent one counts no more."""

_DIGITS: Final = 6


class OneTimeCodes:
    """Issues and claims codes; the caller holds the transaction.

    There is one row for each kind and binding: a new code takes the place of the one before,
    used or not.

    Args:
        repos: repositories on the caller's session.
        key: for the digests. A million codes are tried in a second, so that without a key a
            stolen database would give every one of them away.
    """

    def __init__(self, repos: Repositories, key: Secret[bytes]) -> None:
        self._rows = repos.one_time
        self._key = key

    def issue(
        self,
        kind: str,
        *,
        binding: str,
        account_id: str | None = None,
        target: str | None = None,
        payload: Mapping[str, Any] | None = None,
        lifetime: timedelta,
        now: datetime,
    ) -> str:
        """A new code in the place of the one before; six digits.

        Args:
            kind: what it is good for; a code of one kind is none of another.
            binding: the transaction that asks, for example the id of a sign-in on its way or of
                a session. Nobody else's code fits.
            account_id: whose it is, if that is known.
            target: the address it goes to.
            payload: JSON to be given back at the claim.
            lifetime: ten minutes at most (NIST SP 800-63B-4 §3.1.3.3); settings see to it.
            now: aware UTC time.
        """
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
        stored = _stored_kind(kind)
        self._rows.reissue(
            OneTimeRow(
                digest=_place(stored, binding),
                kind=stored,
                binding=binding,
                proof=self._proof(stored, binding, code),
                target=target,
                account_id=account_id,
                payload=dict(payload or {}),
                created_at=now,
                expires_at=now + lifetime,
            )
        )
        return code

    def waiting(self, kind: str, *, binding: str, now: datetime) -> Claimed | None:
        """What was kept with a code that can still be used, for the page that asks for it; None if none."""
        stored = _stored_kind(kind)
        row = self._rows.find(stored, _place(stored, binding))
        if row is None or row.consumed_at is not None or row.expires_at <= now:
            return None
        return Claimed.of(row)

    def claim(self, kind: str, *, binding: str, code: str, now: datetime) -> Claimed | None:
        """Use the code up; at most one caller ever succeeds, and nobody after five wrong tries.

        A wrong try is counted in the caller's transaction, which must therefore be committed.

        Args:
            kind: as it was issued.
            binding: as it was issued.
            code: as typed; spaces and dashes are ignored.
            now: aware UTC time.

        Returns:
            What was kept with it; None for wrong, used, burnt, expired and never issued alike.
        """
        typed = digits_of(code)
        if len(typed) != _DIGITS:  # a slip costs no try
            return None
        stored = _stored_kind(kind)
        row = self._rows.try_proof(
            kind=stored,
            digest=_place(stored, binding),
            binding=binding,
            proof=self._proof(stored, binding, typed),
            limit=MOST_TRIES,
            now=now,
        )
        return None if row is None else Claimed.of(row)

    def _proof(self, kind: str, binding: str, code: str) -> str:
        return b64url_encode(keyed_digest(self._key.reveal(), f"one-time-{kind}", f"{binding}\0{code}"))


def _stored_kind(kind: str) -> str:
    return f"code:{kind}"


def _place(kind: str, binding: str) -> bytes:
    return token_digest(kind, binding)
