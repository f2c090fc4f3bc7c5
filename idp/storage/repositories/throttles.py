"""Failure counters and known devices: what slows down guessing."""

from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, func, literal, select, update

from idp.storage.models import KnownDeviceRow, ThrottleRow
from idp.storage.records import Tries
from idp.storage.repositories.base import FRESH, Repository
from idp.storage.types import Instant


class ThrottleRepository(Repository):
    """Consecutive failures by key. They outlive restarts and a flushed Redis.

    Those of passwords are counted by `hot/`, after the hash; those of short codes here, before the look.
    """

    def get(self, key: bytes) -> ThrottleRow | None:
        """The counter, expired or not, or None."""
        return self._session.get(ThrottleRow, key, execution_options=FRESH)

    def count(self, key: bytes, now: datetime, expires_at: datetime) -> Tries:
        """Count a try before it is looked at; others under the key wait until the transaction ends.

        Returns:
            the tries in a row with this one, and the end of the pause that was set before it.
        """
        forgotten = ThrottleRow.expires_at <= literal(now, Instant())
        values = {
            "key": key,
            "failures": 1,
            "last_failure_at": now,
            "blocked_until": None,
            "expires_at": expires_at,
        }
        statement = (
            self._upsert(ThrottleRow, values)
            .on_conflict_do_update(
                index_elements=["key"],
                set_={
                    "failures": case((forgotten, 1), else_=ThrottleRow.failures + 1),
                    "blocked_until": case((forgotten, None), else_=ThrottleRow.blocked_until),
                    "last_failure_at": now,
                    "expires_at": expires_at,
                },
            )
            .returning(ThrottleRow.failures, ThrottleRow.blocked_until)
        )
        return Tries._make(self._session.execute(statement).one())

    def pause(self, key: bytes, until: datetime | None) -> None:
        """Let nobody try again before ``until``."""
        self._session.execute(
            update(ThrottleRow).where(ThrottleRow.key == key).values(blocked_until=until),
            execution_options={"synchronize_session": False},
        )

    def clear(self, key: bytes, *more: bytes) -> None:
        """Forget the failures under these keys, after a success."""
        self._session.execute(delete(ThrottleRow).where(ThrottleRow.key.in_([key, *more])))


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

    def note_use(
        self,
        digest: bytes,
        account_id: str,
        now: datetime,
        *,
        expires_at: datetime,
        trusted_until: datetime | None,
    ) -> bool:
        """Note that it was used; False if it does not belong to this account or has expired.

        Args:
            digest: of the device's secret.
            account_id: who signs in.
            now: aware UTC time.
            expires_at: its new end.
            trusted_until: how long it is trusted from now on; None leaves that as it is.
        """
        values: dict[str, Any] = {"last_seen_at": now, "expires_at": expires_at}
        if trusted_until is not None:
            values["trusted_until"] = trusted_until
        statement = (
            update(KnownDeviceRow)
            .where(
                KnownDeviceRow.token_digest == digest,
                KnownDeviceRow.account_id == account_id,
                KnownDeviceRow.expires_at > now,
            )
            .values(**values)
            .returning(KnownDeviceRow.token_digest)
        )
        found = self._session.scalars(statement, execution_options={"synchronize_session": False})
        return found.first() is not None

    def has_any(self, account_id: str) -> bool:
        """Whether the account has signed in anywhere."""
        statement = (
            select(KnownDeviceRow.token_digest).where(KnownDeviceRow.account_id == account_id).limit(1)
        )
        return self._session.scalars(statement).first() is not None

    def count_trusted(self, account_id: str, now: datetime) -> int:
        """How many of a person's are trusted."""
        statement = select(func.count()).where(
            KnownDeviceRow.account_id == account_id,
            KnownDeviceRow.expires_at > now,
            KnownDeviceRow.trusted_until > now,
        )
        return self._session.scalar(statement) or 0

    def distrust_all(self, account_id: str, now: datetime) -> int:
        """Trust none of a person's any more; how many were."""
        statement = (
            update(KnownDeviceRow)
            .where(KnownDeviceRow.account_id == account_id, KnownDeviceRow.trusted_until > now)
            .values(trusted_until=None)
            .returning(KnownDeviceRow.token_digest)
        )
        found = self._session.scalars(statement, execution_options={"synchronize_session": False})
        return len(found.all())

    def delete_for_account(self, account_id: str) -> int:
        """Forget every device of a person; how many."""
        statement = delete(KnownDeviceRow).where(KnownDeviceRow.account_id == account_id)
        return len(self._session.scalars(statement.returning(KnownDeviceRow.token_digest)).all())
