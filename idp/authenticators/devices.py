"""Known devices: browsers in which the account's owner has signed in before."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from idp.crypto import Secret, random_token, token_digest
from idp.storage import KnownDeviceRow, Repositories

LIFETIME: Final = timedelta(days=180)
"""How long a device is remembered after the last sign-in from it."""

_PREFIX: Final = "idp_dv_"
_KIND: Final = "known-device"


class KnownDevice(NamedTuple):
    """A browser in which the account's owner has signed in before."""

    digest: bytes
    is_trusted: bool
    """Whether no second step is asked for here."""


class KnownDevices:
    """Remembers browsers by a secret cookie value; ``LoginStore`` finds them.

    A known browser has a failure counter of its own (row L3): the password is asked all the same. One that
    its person trusts is not asked for a second step (row M8). A value that is known for the account
    stays; any other is replaced by one made here, so that nobody can plant a value of theirs in another
    person's browser (row S2).
    """

    def __init__(self, repos: Repositories) -> None:
        self._devices = repos.devices

    def digest(self, cookie: str | None) -> bytes | None:
        """What a cookie value is stored under; ``None`` for none, and for what we did not make."""
        if not cookie or not cookie.startswith(_PREFIX):
            return None
        return token_digest(_KIND, cookie)

    def new(self) -> tuple[Secret[str], bytes]:
        """A value for a device that is not known yet, and its digest."""
        fresh = _PREFIX + random_token()
        return Secret(fresh), token_digest(_KIND, fresh)

    def remember(
        self, cookie: str | None, account_id: str, now: datetime, *, trusted_until: datetime | None = None
    ) -> tuple[Secret[str], bool]:
        """Note that the account's owner signed in here. In the caller's transaction.

        Args:
            cookie: what the browser sent.
            account_id: who signed in.
            now: aware UTC time.
            trusted_until: how long no second step is asked for here; ``None`` leaves that as it is.

        Returns:
            the value that the browser keeps, and whether it was known for the account before.
        """
        digest, expires_at = self.digest(cookie), now + LIFETIME
        if (
            cookie is not None
            and digest is not None
            and self._devices.note_use(
                digest, account_id, now, expires_at=expires_at, trusted_until=trusted_until
            )
        ):
            return Secret(cookie), True
        fresh, fresh_digest = self.new()
        self._devices.add(
            KnownDeviceRow(
                token_digest=fresh_digest,
                account_id=account_id,
                created_at=now,
                last_seen_at=now,
                expires_at=expires_at,
                trusted_until=trusted_until,
            )
        )
        return fresh, False

    def find(self, cookie: str | None, account_id: str, now: datetime) -> KnownDevice | None:
        """What is known of this browser and this account; ``None`` for nothing. In a transaction."""
        digest = self.digest(cookie)
        row = None if digest is None else self._devices.find(digest, account_id, now)
        if row is None:
            return None
        return KnownDevice(row.token_digest, row.trusted_until is not None and row.trusted_until > now)

    def knows_any(self, account_id: str) -> bool:
        """Whether the account's owner has signed in anywhere before. In the caller's transaction."""
        return self._devices.has_any(account_id)

    def count_trusted(self, account_id: str, now: datetime) -> int:
        """In how many browsers no second step is asked for. In a transaction."""
        return self._devices.count_trusted(account_id, now)

    def distrust_all(self, account_id: str, now: datetime) -> int:
        """Trust no browser any more; how many were trusted. In the caller's transaction."""
        return self._devices.distrust_all(account_id, now)

    def forget_all(self, account_id: str) -> None:
        """Forget every device of an account, for example after a theft. In the caller's transaction."""
        self._devices.delete_for_account(account_id)
