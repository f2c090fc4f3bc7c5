"""Passkeys."""

from datetime import datetime

from sqlalchemy import delete, select, update

from idp.storage.models import PasskeyRow
from idp.storage.repositories.base import FRESH, Repository

_TAKEN = "This passkey is registered already."


class PasskeyRepository(Repository):
    """Rows of WebAuthn credentials."""

    def add(self, row: PasskeyRow) -> None:
        """Write a new passkey.

        Raises:
            IntegrityConflict: its credential id is registered, to whomever (row M12). The transaction
                cannot go on.
        """
        self._insert(row, conflict=_TAKEN)

    def find_by_credential(self, credential_id: bytes) -> PasskeyRow | None:
        """The passkey with this credential id, or None."""
        statement = select(PasskeyRow).where(PasskeyRow.credential_id == credential_id)
        return self._session.scalars(statement, execution_options=FRESH).one_or_none()

    def list_(self, account_id: str) -> list[PasskeyRow]:
        """Those of an account, oldest first."""
        statement = select(PasskeyRow).where(PasskeyRow.account_id == account_id).order_by(PasskeyRow.id)
        return list(self._session.scalars(statement, execution_options=FRESH))

    def note_use(self, passkey_id: str, *, sign_count: int, backed_up: bool, now: datetime) -> None:
        """Note what the authenticator said when it was used."""
        self._session.execute(
            update(PasskeyRow)
            .where(PasskeyRow.id == passkey_id)
            .values(sign_count=sign_count, backed_up=backed_up, last_used_at=now)
        )

    def rename(self, account_id: str, passkey_id: str, name: str) -> bool:
        """Give it another name; False if the account has no such passkey."""
        statement = (
            update(PasskeyRow)
            .where(PasskeyRow.id == passkey_id, PasskeyRow.account_id == account_id)
            .values(name=name)
            .returning(PasskeyRow.id)
        )
        return self._session.execute(statement).first() is not None

    def delete(self, account_id: str, passkey_id: str) -> bool:
        """Remove it; False if the account has no such passkey."""
        statement = (
            delete(PasskeyRow)
            .where(PasskeyRow.id == passkey_id, PasskeyRow.account_id == account_id)
            .returning(PasskeyRow.id)
        )
        return self._session.execute(statement).first() is not None
