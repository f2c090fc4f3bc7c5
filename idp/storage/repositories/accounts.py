"""Accounts, the names they are found by, and their passwords."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from idp.storage.groups import with_groups_elsewhere
from idp.storage.models import AccountIdentifierRow, AccountRow, PasswordRow
from idp.storage.repositories.base import FRESH, Repository

_TAKEN = "The username or e-mail address is already taken."


class AccountRepository(Repository):
    """Rows of people. Canonical names come in canonical: that rule lives above."""

    def add(self, row: AccountRow, identifiers: Iterable[tuple[str, str]]) -> None:
        """Write a new account with its ``(canonical, kind)`` names.

        Raises:
            IntegrityConflict: a name is taken. The transaction cannot go on.
        """
        self._insert(row)
        self._insert(*_identifiers(row.id, identifiers), conflict=_TAKEN)

    def get(self, account_id: str) -> AccountRow | None:
        """The account, or None."""
        return self._session.get(AccountRow, account_id)

    def lock(self, account_id: str) -> AccountRow | None:
        """The account as it is now, kept from other changes until the transaction ends; or None."""
        statement = select(AccountRow).where(AccountRow.id == account_id).with_for_update()
        return self._session.scalars(statement, execution_options=FRESH).one_or_none()

    def find_by_identifier(self, canonical: str) -> AccountRow | None:
        """The account a canonical name leads to, or None."""
        statement = (
            select(AccountRow)
            .join(AccountIdentifierRow, AccountIdentifierRow.account_id == AccountRow.id)
            .where(AccountIdentifierRow.canonical == canonical)
        )
        return self._session.execute(statement).scalar_one_or_none()

    def list_(self, limit: int = 100, after: str | None = None) -> list[AccountRow]:
        """Accounts in the order of their ids, at most ``limit``, behind the id ``after``."""
        statement = select(AccountRow).order_by(AccountRow.id).limit(limit)
        if after is not None:
            statement = statement.where(AccountRow.id > after)
        return list(self._session.scalars(statement))

    def set_disabled(self, account_id: str, at: datetime | None) -> bool:
        """Disable from ``at`` on, or enable with None; False if there is no such account."""
        row = self.get(account_id)
        if row is None:
            return False
        row.disabled_at = at
        self._session.flush()
        return True

    def set_not_before(self, account_id: str, at: datetime) -> bool:
        """Raise the revocation epoch; it never goes back. False if there is no such account."""
        row = self.get(account_id)
        if row is None:
            return False
        if row.not_before is None or row.not_before < at:
            row.not_before = at
            self._session.flush()
        return True

    def set_email(self, account_id: str, email: str | None, *, verified: bool, now: datetime) -> None:
        """Write the address; its canonical form is an identifier of its own."""
        self._update(account_id, email=email, email_verified=verified, updated_at=now)

    def set_username(self, account_id: str, username: str, now: datetime) -> None:
        """Write the name that is shown; its canonical form is an identifier of its own."""
        self._update(account_id, username=username, updated_at=now)

    def set_claims(self, account_id: str, claims: Mapping[str, Any], now: datetime) -> None:
        """Write the claims in place of those that are there."""
        self._update(account_id, claims=dict(claims), updated_at=now)

    def set_groups_elsewhere(
        self, account_id: str, identity_id: str, groups: Sequence[str], now: datetime
    ) -> bool:
        """Let a linked identity bring exactly these groups; False if nothing is other than before."""
        row = self.lock(account_id)
        if row is None:
            return False
        claims = with_groups_elsewhere(row.claims, identity_id, groups)
        if claims == row.claims:
            return False
        self.set_claims(account_id, claims, now)
        return True

    def set_terms(self, account_id: str, version: str, now: datetime) -> None:
        """Write down which terms the person accepted."""
        self._update(account_id, terms_version=version, terms_accepted_at=now)

    def list_identifiers(self, account_id: str) -> list[tuple[str, str]]:
        """The ``(canonical, kind)`` names that lead to an account."""
        statement = select(AccountIdentifierRow.canonical, AccountIdentifierRow.kind).where(
            AccountIdentifierRow.account_id == account_id
        )
        return [(row.canonical, row.kind) for row in self._session.execute(statement)]

    def replace_identifiers(self, account_id: str, identifiers: Iterable[tuple[str, str]]) -> None:
        """Make these ``(canonical, kind)`` names the account's only ones.

        Raises:
            IntegrityConflict: a name is another account's. The transaction cannot go on.
        """
        session = self._session
        session.execute(delete(AccountIdentifierRow).where(AccountIdentifierRow.account_id == account_id))
        # The rows may be known to the session; it must not take the new ones for those it deleted.
        session.expire_all()
        self._insert(*_identifiers(account_id, identifiers), conflict=_TAKEN)

    def delete_password(self, account_id: str) -> bool:
        """Leave the account without a password; False if it had none."""
        statement = delete(PasswordRow).where(PasswordRow.account_id == account_id)
        return self._session.execute(statement.returning(PasswordRow.account_id)).first() is not None

    def _update(self, account_id: str, **values: Any) -> None:
        statement = update(AccountRow).where(AccountRow.id == account_id).values(**values)
        self._session.scalars(statement.returning(AccountRow), execution_options=FRESH).one_or_none()

    def get_password(self, account_id: str) -> PasswordRow | None:
        """The account's password hash, or None if it has no password."""
        return self._session.get(PasswordRow, account_id)

    def has_passwords(self) -> bool:
        """Whether any account has a password."""
        return self._session.scalars(select(PasswordRow.account_id).limit(1)).first() is not None

    def set_password(self, account_id: str, phc: str, now: datetime) -> None:
        """Store a new password hash in the place of the old one."""
        row = PasswordRow(account_id=account_id, phc=phc, created_at=now, updated_at=now)
        self._replace(row, kept=["created_at"])

    def rehash(self, account_id: str, *, phc: str, new_phc: str, now: datetime) -> None:
        """Store the same password under another hash, unless it has been changed meanwhile (row P6)."""
        self._session.execute(
            update(PasswordRow)
            .where(PasswordRow.account_id == account_id, PasswordRow.phc == phc)
            .values(phc=new_phc, updated_at=now),
            execution_options={"synchronize_session": False},
        )


def _identifiers(account_id: str, identifiers: Iterable[tuple[str, str]]) -> list[AccountIdentifierRow]:
    return [
        AccountIdentifierRow(canonical=canonical, account_id=account_id, kind=kind)
        for canonical, kind in identifiers
    ]
