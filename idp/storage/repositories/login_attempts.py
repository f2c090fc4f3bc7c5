"""Sign-ins on their way."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from idp.storage.models import LoginAttemptRow
from idp.storage.repositories.base import FRESH, Repository


class LoginAttemptRepository(Repository):
    """Rows of attempts; every change names the version it was decided on."""

    def add(self, row: LoginAttemptRow) -> None:
        """Write a new attempt."""
        self._insert(row)

    def find(self, token_digest: bytes) -> LoginAttemptRow | None:
        """The attempt in whatever state, or None."""
        statement = select(LoginAttemptRow).where(LoginAttemptRow.token_digest == token_digest)
        return self._session.scalars(statement, execution_options=FRESH).one_or_none()

    def advance(
        self,
        token_digest: bytes,
        *,
        version: int,
        account_id: str | None,
        achieved: Sequence[Mapping[str, Any]],
        detail: Mapping[str, Any],
        now: datetime,
    ) -> bool:
        """Write how far it has come; False if it changed meanwhile, ended or expired."""
        return self._change(
            token_digest,
            version,
            now,
            account_id=account_id,
            achieved=list(achieved),
            detail=dict(detail),
        )

    def finish(self, token_digest: bytes, *, version: int, now: datetime) -> bool:
        """Use the attempt up; at most one caller ever succeeds."""
        return self._change(token_digest, version, now, finished_at=now)

    def _change(self, token_digest: bytes, version: int, now: datetime, **values: Any) -> bool:
        statement = (
            update(LoginAttemptRow)
            .where(
                LoginAttemptRow.token_digest == token_digest,
                LoginAttemptRow.version == version,
                LoginAttemptRow.finished_at.is_(None),
                LoginAttemptRow.expires_at > now,
            )
            .values(version=version + 1, **values)
            .returning(LoginAttemptRow.id)
        )
        return (
            self._session.scalars(statement, execution_options={"synchronize_session": False}).first()
            is not None
        )
