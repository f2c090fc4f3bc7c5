"""Consents."""

from sqlalchemy import delete, select

from idp.storage.models import ConsentRow
from idp.storage.repositories.base import Repository


class ConsentRepository(Repository):
    """Rows of what people allowed clients."""

    def find(self, account_id: str, client_id: str, resource: str = "") -> ConsentRow | None:
        """The standing answer, or None. ``resource`` is empty for scopes of no resource server."""
        return self._session.get(ConsentRow, (account_id, client_id, resource))

    def save(self, row: ConsentRow) -> None:
        """Store an answer in the place of the one before; the first ``granted_at`` stays."""
        self._replace(row, kept=["granted_at"])

    def list_for_account(self, account_id: str) -> list[ConsentRow]:
        """All answers of one person, by client and resource."""
        statement = select(ConsentRow).where(ConsentRow.account_id == account_id)
        return list(self._session.scalars(statement.order_by(ConsentRow.client_id, ConsentRow.resource)))

    def delete(self, account_id: str, client_id: str) -> int:
        """Forget what the person allowed the client; how many answers there were."""
        statement = (
            delete(ConsentRow)
            .where(ConsentRow.account_id == account_id, ConsentRow.client_id == client_id)
            .returning(ConsentRow.resource)
        )
        return len(self._session.scalars(statement).all())
