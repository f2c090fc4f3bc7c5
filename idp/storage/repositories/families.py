"""Token families and single revoked access tokens. Opening and advancing a family is the hot store's."""

from datetime import datetime

from sqlalchemy import ColumnElement, not_, select, update

from idp.storage.models import RevokedAccessTokenRow, TokenFamilyRow
from idp.storage.repositories.base import FRESH, Repository, at_most


class FamilyRepository(Repository):
    """Rows of token families: looked at and revoked."""

    def add(self, row: TokenFamilyRow) -> None:
        """Open a family outside the hot path.

        Raises:
            IntegrityConflict: the id exists, or the account does not. The transaction cannot go on.
        """
        self._insert(row)

    def get(self, family_id: str) -> TokenFamilyRow | None:
        """The family in whatever state, or None."""
        return self._session.get(TokenFamilyRow, family_id, execution_options=FRESH)

    def revoke(self, family_id: str, reason: str, now: datetime) -> bool:
        """Revoke a family; False if it was revoked before or does not exist."""
        return self._revoke(TokenFamilyRow.id == family_id, reason=reason, now=now) == 1

    def revoke_for_session(
        self, session_id: str, now: datetime, *, keep_offline: bool = True, reason: str = "session_ended"
    ) -> int:
        """Revoke what was issued in a browser session, but for offline_access unless told; how many."""
        conditions = [TokenFamilyRow.session_id == session_id]
        if keep_offline:
            conditions.append(not_(TokenFamilyRow.offline))
        return self._revoke(*conditions, reason=reason, now=now)

    def revoke_for_account(self, account_id: str, reason: str, now: datetime, *, limit: int) -> int:
        """Revoke at most ``limit`` families of a person that are not yet; how many."""
        of_account = (TokenFamilyRow.account_id == account_id, TokenFamilyRow.revoked_at.is_(None))
        some = at_most(limit, select(TokenFamilyRow.id).where(*of_account))
        return self._revoke(TokenFamilyRow.id.in_(some), reason=reason, now=now)

    def revoke_access_token(self, jti: str, now: datetime, expires_at: datetime) -> bool:
        """Mark one access token as revoked (RFC 7009); False if it was before."""
        values = {"jti": jti, "revoked_at": now, "expires_at": expires_at}
        statement = self._upsert(RevokedAccessTokenRow, values).on_conflict_do_nothing()
        marked = self._session.scalars(statement.returning(RevokedAccessTokenRow.jti)).one_or_none()
        return marked is not None

    def is_access_token_revoked(self, jti: str) -> bool:
        """Whether this very token was revoked; its family is another question."""
        return self._session.get(RevokedAccessTokenRow, jti) is not None

    def _revoke(self, *conditions: ColumnElement[bool], reason: str, now: datetime) -> int:
        statement = (
            update(TokenFamilyRow)
            .where(*conditions, TokenFamilyRow.revoked_at.is_(None))
            .values(revoked_at=now, revoked_reason=reason)
            .returning(TokenFamilyRow.id)
        )
        # Only the ids come back: grants are large, and `get` reads the row anew in any case.
        return len(self._session.scalars(statement, execution_options={"synchronize_session": False}).all())
