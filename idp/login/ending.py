"""Ending everything an account is signed in to, after a proof that its owner wants that."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from idp.authenticators import KnownDevices, PasswordThrottle
from idp.sessions import Sessions
from idp.storage import Repositories

_MOST: Final = 10_000
"""Sessions, and families, ended in this transaction; the rest are dead by the account's epoch."""


class Ended(NamedTuple):
    """How many there were; 10 000 mean that many or more."""

    sessions: int
    families: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EverythingOfAccount:
    """What an account is signed in to; callers hold the transaction."""

    repos: Repositories
    sessions: Sessions
    devices: KnownDevices
    throttle: PasswordThrottle

    def end(self, account_id: str, reason: str, now: datetime) -> Ended:
        """End sessions and token families, forget devices and failures (rows V3, L3).

        From now on nothing counts that was signed in or issued before, on whatever worker (decision D13).
        """
        self.repos.accounts.set_not_before(account_id, now)
        self.throttle.forget(account_id)
        self.devices.forget_all(account_id)
        return Ended(
            self.sessions.end_for_account(account_id, reason, now, limit=_MOST),
            self.repos.families.revoke_for_account(account_id, reason, now, limit=_MOST),
        )
