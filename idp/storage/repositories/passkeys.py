"""Passkeys."""

from datetime import datetime

from sqlalchemy import delete, exists, or_, select, update

from idp.storage.models import AccountRow, PasskeyRow
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

    def note_use(
        self,
        passkey_id: str,
        *,
        known_count: int,
        sign_count: int,
        backed_up: bool,
        now: datetime,
    ) -> bool:
        """Note what the authenticator said when it was used; False if it was used meanwhile.

        Args:
            passkey_id: which one.
            known_count: the counter that ``sign_count`` was compared with.
            sign_count: the new counter.
            backed_up: whether the key has a copy elsewhere by now.
            now: aware UTC time.
        """
        statement = (
            update(PasskeyRow)
            .where(PasskeyRow.id == passkey_id, PasskeyRow.sign_count == known_count)
            .values(sign_count=sign_count, backed_up=backed_up, last_used_at=now)
            .returning(PasskeyRow.id)
        )
        return self._session.execute(statement).first() is not None

    def set_user_verified(self, passkey_id: str) -> None:
        """Note that it verifies the person, which its registration did not show."""
        self._session.execute(
            update(PasskeyRow).where(PasskeyRow.id == passkey_id).values(user_verified=True)
        )

    def lock_owner(self, account_id: str) -> None:
        """Let changes to one account's passkeys happen one after another, until the transaction ends."""
        self._session.execute(select(AccountRow.id).where(AccountRow.id == account_id).with_for_update())

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

    def is_missing(self, account_id: str, *, declined_before: datetime) -> bool:
        """Whether the account has none, and did not decline one since ``declined_before``."""
        statement = select(AccountRow.id).where(
            AccountRow.id == account_id,
            or_(AccountRow.passkey_declined_at.is_(None), AccountRow.passkey_declined_at <= declined_before),
            ~exists().where(PasskeyRow.account_id == AccountRow.id),
        )
        return self._session.execute(statement).first() is not None

    def note_declined(self, account_id: str, now: datetime) -> None:
        """Note that the person does not want one now."""
        self._session.execute(
            update(AccountRow).where(AccountRow.id == account_id).values(passkey_declined_at=now)
        )
