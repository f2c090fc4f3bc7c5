"""Failure counters and known devices: what slows down guessing."""

from datetime import datetime

from sqlalchemy import delete, select

from idp.storage.models import KnownDeviceRow, ThrottleRow
from idp.storage.repositories.base import FRESH, Repository


class ThrottleRepository(Repository):
    """Consecutive failures by key; `hot/` counts them. They outlive restarts and a flushed Redis."""

    def get(self, key: bytes) -> ThrottleRow | None:
        """The counter, expired or not, or None."""
        return self._session.get(ThrottleRow, key, execution_options=FRESH)

    def clear(self, key: bytes) -> None:
        """Forget the failures, after a success."""
        self._session.execute(delete(ThrottleRow).where(ThrottleRow.key == key))


class DeviceRepository(Repository):
    """Browsers that signed in before."""

    def add(self, row: KnownDeviceRow) -> None:
        """Write a new device.

        Raises:
            IntegrityConflict: the digest exists, or the account does not. The transaction cannot go on.
        """
        self._insert(row)

    def find(self, digest: bytes, account_id: str, now: datetime) -> KnownDeviceRow | None:
        """The device, if it belongs to this account and has not expired."""
        statement = select(KnownDeviceRow).where(
            KnownDeviceRow.token_digest == digest,
            KnownDeviceRow.account_id == account_id,
            KnownDeviceRow.expires_at > now,
        )
        return self._session.scalars(statement, execution_options=FRESH).one_or_none()

    def delete_for_account(self, account_id: str) -> int:
        """Forget every device of a person; how many."""
        statement = delete(KnownDeviceRow).where(KnownDeviceRow.account_id == account_id)
        return len(self._session.scalars(statement.returning(KnownDeviceRow.token_digest)).all())
