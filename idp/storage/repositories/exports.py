"""Everything that is kept about one account, table by table and piece by piece."""

from collections.abc import Sequence

from sqlalchemy import select

from idp.storage.models import (
    AccountIdentifierRow,
    BrowserSessionRow,
    KnownDeviceRow,
    TokenFamilyRow,
)
from idp.storage.repositories.base import Repository


class ExportRepository(Repository):
    """What the repositories of single nouns have no question for."""

    def identifiers(self, account_id: str) -> Sequence[AccountIdentifierRow]:
        """The names an account is found by."""
        row = AccountIdentifierRow
        return self._session.scalars(
            select(row).where(row.account_id == account_id).order_by(row.canonical)
        ).all()

    def devices(self, account_id: str, *, limit: int) -> Sequence[KnownDeviceRow]:
        """Browsers that are known for an account, latest first."""
        row = KnownDeviceRow
        return self._session.scalars(
            select(row).where(row.account_id == account_id).order_by(row.last_seen_at.desc()).limit(limit)
        ).all()

    def sessions(self, account_id: str, *, after: str, limit: int) -> Sequence[BrowserSessionRow]:
        """Sessions in whatever state, oldest first, behind the id ``after``."""
        row = BrowserSessionRow
        return self._session.scalars(
            select(row).where(row.account_id == account_id, row.id > after).order_by(row.id).limit(limit)
        ).all()

    def families(self, account_id: str, *, after: str, limit: int) -> Sequence[TokenFamilyRow]:
        """Token families in whatever state, in the order of their ids, behind ``after``."""
        row = TokenFamilyRow
        return self._session.scalars(
            select(row).where(row.account_id == account_id, row.id > after).order_by(row.id).limit(limit)
        ).all()
