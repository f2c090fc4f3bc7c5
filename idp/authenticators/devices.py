"""Known devices: browsers in which the account's owner has signed in before."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.crypto import Secret, random_token, token_digest
from idp.storage import KnownDeviceRow, Repositories

LIFETIME: Final = timedelta(days=180)
"""How long a device is remembered after the last sign-in from it."""

_PREFIX: Final = "idp_dv_"
_KIND: Final = "known-device"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDevice:
    """A browser that signed in to this account before; no proof of anything by itself."""

    digest: bytes
    account_id: str
    expires_at: datetime


class KnownDevices:
    """Remembers browsers by a secret cookie value. Callers hold the transaction.

    All it gives is a failure counter of its own (row L3): the password is asked all the same.
    """

    def __init__(self, repos: Repositories) -> None:
        self._devices = repos.devices

    def find(self, cookie: str | None, account_id: str, now: datetime) -> KnownDevice | None:
        """The device of this cookie value, if it is known for this account. Never raises on junk."""
        if not cookie or not cookie.startswith(_PREFIX):
            return None
        row = self._devices.find(token_digest(_KIND, cookie), account_id, now)
        if row is None:
            return None
        return KnownDevice(digest=row.token_digest, account_id=row.account_id, expires_at=row.expires_at)

    def remember(self, cookie: str | None, account_id: str, now: datetime) -> Secret[str]:
        """Take note of a sign-in; the cookie value to set.

        A value known for this account stays; any other is replaced by one made here, so that
        nobody can plant a value of theirs in another person's browser (row S2).
        """
        if cookie and (device := self.find(cookie, account_id, now)):
            self._devices.touch(device.digest, now, now + LIFETIME)
            return Secret(cookie)
        fresh = _PREFIX + random_token()
        self._devices.add(
            KnownDeviceRow(
                token_digest=token_digest(_KIND, fresh),
                account_id=account_id,
                created_at=now,
                last_seen_at=now,
                expires_at=now + LIFETIME,
            )
        )
        return Secret(fresh)

    def forget_all(self, account_id: str) -> None:
        """Forget every device of an account, for example after a theft."""
        self._devices.delete_for_account(account_id)
