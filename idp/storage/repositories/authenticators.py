"""Generators of one-time passwords, recovery codes, and addresses that codes are sent to."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update

from idp.storage.models import CodeFactorRow, RecoveryCodeRow, TotpRow
from idp.storage.repositories.base import FRESH, Repository


class TotpRepository(Repository):
    """The generator of each account."""

    def find(self, account_id: str) -> TotpRow | None:
        """The account's generator, or None."""
        statement = select(TotpRow).where(TotpRow.account_id == account_id)
        return self._session.scalars(statement, execution_options=FRESH).one_or_none()

    def set(self, row: TotpRow) -> None:
        """Make it the account's only one."""
        self._replace(row)

    def claim_step(self, account_id: str, step: int, now: datetime) -> bool:
        """Use a time step up, and every one before it; at most one caller ever succeeds (row M1)."""
        statement = (
            update(TotpRow)
            .where(TotpRow.account_id == account_id, TotpRow.last_step < step)
            .values(last_step=step, last_used_at=now)
            .returning(TotpRow.account_id)
        )
        found = self._session.scalars(statement, execution_options={"synchronize_session": False})
        return found.first() is not None

    def delete(self, account_id: str) -> bool:
        """Remove it; False if there was none."""
        statement = delete(TotpRow).where(TotpRow.account_id == account_id).returning(TotpRow.account_id)
        return self._session.execute(statement).first() is not None


class RecoveryCodeRepository(Repository):
    """Sets of recovery codes."""

    def replace(self, account_id: str, digests: Sequence[bytes], now: datetime) -> None:
        """Make these the account's only codes; an empty sequence removes them."""
        self._session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.account_id == account_id))
        self._insert(
            *(RecoveryCodeRow(digest=digest, account_id=account_id, created_at=now) for digest in digests)
        )

    def claim(self, account_id: str, digest: bytes, now: datetime) -> bool:
        """Use a code up; at most one caller ever succeeds (row M2)."""
        statement = (
            update(RecoveryCodeRow)
            .where(
                RecoveryCodeRow.digest == digest,
                RecoveryCodeRow.account_id == account_id,
                RecoveryCodeRow.consumed_at.is_(None),
            )
            .values(consumed_at=now)
            .returning(RecoveryCodeRow.account_id)
        )
        found = self._session.scalars(statement, execution_options={"synchronize_session": False})
        return found.first() is not None

    def count_left(self, account_id: str) -> int:
        """How many can still be used."""
        statement = select(func.count()).where(
            RecoveryCodeRow.account_id == account_id, RecoveryCodeRow.consumed_at.is_(None)
        )
        return self._session.scalar(statement) or 0


class CodeFactorRepository(Repository):
    """Addresses that one-time codes are sent to as a second factor."""

    def list_(self, account_id: str) -> list[CodeFactorRow]:
        """Those of an account, by channel."""
        statement = (
            select(CodeFactorRow)
            .where(CodeFactorRow.account_id == account_id)
            .order_by(CodeFactorRow.channel)
        )
        return list(self._session.scalars(statement, execution_options=FRESH))

    def set(self, row: CodeFactorRow) -> None:
        """Make it the account's only one of its channel."""
        self._replace(row)

    def move(self, account_id: str, channel: str, *, former: str, address: str) -> bool:
        """Put another address in the place of this one; False if codes do not go there."""
        statement = (
            update(CodeFactorRow)
            .where(
                CodeFactorRow.account_id == account_id,
                CodeFactorRow.channel == channel,
                CodeFactorRow.address == former,
            )
            .values(address=address)
            .returning(CodeFactorRow.channel)
        )
        found = self._session.scalars(statement, execution_options={"synchronize_session": False})
        return found.first() is not None

    def note_use(self, account_id: str, channel: str, now: datetime) -> None:
        """Note that a code sent there was right."""
        self._session.execute(
            update(CodeFactorRow)
            .where(CodeFactorRow.account_id == account_id, CodeFactorRow.channel == channel)
            .values(last_used_at=now)
        )

    def delete(self, account_id: str, channel: str) -> bool:
        """Remove it; False if there was none."""
        statement = (
            delete(CodeFactorRow)
            .where(CodeFactorRow.account_id == account_id, CodeFactorRow.channel == channel)
            .returning(CodeFactorRow.channel)
        )
        return self._session.execute(statement).first() is not None
