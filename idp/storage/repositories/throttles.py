"""Failure counters and known devices: what slows down guessing."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import case, delete, select, update

from idp.storage.models import KnownDeviceRow, ThrottleRow
from idp.storage.repositories.base import FRESH, Repository


class ThrottleRepository(Repository):
    """Consecutive failures by key. They outlive restarts and a flushed Redis."""

    def get(self, key: bytes) -> ThrottleRow | None:
        """The counter, expired or not, or None."""
        return self._session.get(ThrottleRow, key, execution_options=FRESH)

    def record_failure(
        self,
        key: bytes,
        now: datetime,
        *,
        expires_at: datetime,
        blocked_until: Callable[[int], datetime | None] | None = None,
    ) -> ThrottleRow:
        """Count one failure, atomically; parallel failures are all counted.

        Args:
            key: a digest of what was attacked.
            now: aware UTC time; a counter that had expired starts again at one.
            expires_at: when the counter may be forgotten.
            blocked_until: the rule from the number of failures to the end of the pause.

        Returns:
            the counter as it is now.
        """
        values = {
            "key": key,
            "failures": 1,
            "last_failure_at": now,
            "blocked_until": None,
            "expires_at": expires_at,
        }
        counted = case((ThrottleRow.expires_at <= now, 1), else_=ThrottleRow.failures + 1)
        statement = self._upsert(ThrottleRow, values).on_conflict_do_update(
            index_elements=["key"],
            set_={"failures": counted, "last_failure_at": now, "expires_at": expires_at},
        )
        row = self._session.scalars(statement.returning(ThrottleRow), execution_options=FRESH).one()
        if blocked_until is not None:
            # The upsert holds the row, so nobody counts in between.
            row.blocked_until = blocked_until(row.failures)
            self._session.flush()
        return row

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

    def touch(self, digest: bytes, now: datetime, expires_at: datetime) -> None:
        """Note that the device was used to sign in."""
        self._session.execute(
            update(KnownDeviceRow)
            .where(KnownDeviceRow.token_digest == digest)
            .values(last_seen_at=now, expires_at=expires_at)
        )

    def delete_for_account(self, account_id: str) -> int:
        """Forget every device of a person; how many."""
        statement = delete(KnownDeviceRow).where(KnownDeviceRow.account_id == account_id)
        return len(self._session.scalars(statement.returning(KnownDeviceRow.token_digest)).all())
