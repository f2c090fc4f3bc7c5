"""What an account has to prove itself with, over the tables of all authenticators."""

from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select

from idp.storage.models import (
    AccountRow,
    CodeFactorRow,
    ExternalIdentityRow,
    IdentityProviderRow,
    PasskeyRow,
    PasswordRow,
    RecoveryCodeRow,
    ThrottleRow,
    TotpRow,
)
from idp.storage.records import Enrolment
from idp.storage.repositories.base import Repository


class EnrolmentRepository(Repository):
    """Questions about all authenticators of an account at once."""

    def of(self, account_id: str) -> Enrolment:
        """What it has; nothing at all for an account that does not exist. One statement."""

        def count(rows: type[PasskeyRow] | type[RecoveryCodeRow], *more: ColumnElement[bool]) -> object:
            found = select(func.count()).select_from(rows).where(rows.account_id == account_id, *more)
            return found.scalar_subquery()

        def sends_to(channel: str) -> object:
            return exists().where(CodeFactorRow.account_id == account_id, CodeFactorRow.channel == channel)

        identity, provider = ExternalIdentityRow, IdentityProviderRow
        usable = (
            select(func.count()).select_from(identity).join(provider, provider.id == identity.provider_id)
        )
        columns = (
            select(PasswordRow.updated_at).where(PasswordRow.account_id == account_id).scalar_subquery(),
            count(PasskeyRow),
            exists().where(TotpRow.account_id == account_id),
            count(RecoveryCodeRow, RecoveryCodeRow.consumed_at.is_(None)),
            sends_to("sms"),
            sends_to("email"),
            usable.where(identity.account_id == account_id, provider.disabled_at.is_(None)).scalar_subquery(),
        )
        return Enrolment._make(self._session.execute(select(*columns)).one())  # type: ignore[call-overload] # a mixture of columns

    def is_admitted(self, account_id: str, *, phc: str, counter: bytes, now: datetime) -> bool:
        """Whether a right password still counts, as the statement of ``LoginStore.admit`` asks it.

        Args:
            account_id: whose password it is.
            phc: what it was checked against; must still be its password.
            counter: must not be paused.
            now: aware UTC time.
        """
        paused = exists().where(
            ThrottleRow.key == counter, ThrottleRow.expires_at > now, ThrottleRow.blocked_until > now
        )
        statement = (
            select(AccountRow.id)
            .join(PasswordRow, PasswordRow.account_id == AccountRow.id)
            .where(AccountRow.id == account_id, AccountRow.disabled_at.is_(None), PasswordRow.phc == phc)
            .where(~paused)
        )
        return self._session.scalars(statement).first() is not None
