"""Consents."""

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
