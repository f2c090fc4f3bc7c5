"""The one primitive for everything that may be used once."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, literal, or_, select, update

from idp.storage.models import OneTimeRow
from idp.storage.models.one_time import IS_LINK
from idp.storage.repositories.base import FRESH, Repository
from idp.storage.types import Instant


class OneTimeRepository(Repository):
    """Codes, links, challenges: issued, claimed by at most one caller, recognised when shown again."""

    def issue(self, row: OneTimeRow) -> None:
        """Write something that may be used once.

        Raises:
            IntegrityConflict: the digest exists already. The transaction cannot go on.
        """
        self._insert(row)

    def reissue(self, row: OneTimeRow) -> None:
        """Write it in the place of the one with the same digest, used up or not; the former is gone."""
        self._replace(row)

    def claim(
        self,
        *,
        kind: str,
        digest: bytes,
        binding: str,
        proof: str | None,
        target: str | None,
        now: datetime,
    ) -> OneTimeRow | None:
        """Use it up; at most one caller ever succeeds, on every database and from every node.

        One conditional UPDATE: the losers wait for the winner's row and then find it consumed. The effect
        belongs into the same transaction.

        Args:
            kind: which kind of thing it must be.
            digest: names it.
            binding: who uses it; must be whom it was issued to.
            proof: must equal what was stored; None if nothing was shown, and then nothing may be stored.
            target: must equal what was stored; None is not compared.
            now: aware UTC time; it must not have expired.

        Returns:
            the row, consumed; None says only that the claim failed.
        """
        conditions = [
            OneTimeRow.digest == digest,
            OneTimeRow.kind == kind,
            OneTimeRow.binding == binding,
            OneTimeRow.proof.is_not_distinct_from(proof),
            OneTimeRow.consumed_at.is_(None),
            OneTimeRow.expires_at > now,
        ]
        if target is not None:
            conditions.append(OneTimeRow.target == target)
        statement = update(OneTimeRow).where(*conditions).values(consumed_at=now).returning(OneTimeRow)
        return self._session.scalars(statement, execution_options=FRESH).one_or_none()

    def find(self, kind: str, digest: bytes) -> OneTimeRow | None:
        """The row in whatever state, or None; for telling a replay from a stranger."""
        statement = select(OneTimeRow).where(OneTimeRow.digest == digest, OneTimeRow.kind == kind)
        return self._session.scalars(statement, execution_options=FRESH).one_or_none()

    def count_attempt(self, kind: str, digest: bytes, limit: int, now: datetime) -> int:
        """Count a wrong try; the try that reaches ``limit`` burns the row.

        Returns:
            the tries so far; ``limit`` if there is nothing (left) to try.
        """
        attempts = OneTimeRow.attempts + 1
        statement = (
            update(OneTimeRow)
            .where(
                OneTimeRow.digest == digest,
                OneTimeRow.kind == kind,
                OneTimeRow.consumed_at.is_(None),
                OneTimeRow.expires_at > now,
            )
            .values(
                attempts=attempts, consumed_at=case((attempts >= limit, literal(now, Instant())), else_=None)
            )
            .returning(OneTimeRow)
        )
        row = self._session.scalars(statement, execution_options=FRESH).one_or_none()
        return limit if row is None else row.attempts

    def try_proof(
        self, *, kind: str, digest: bytes, binding: str, proof: str, limit: int, now: datetime
    ) -> OneTimeRow | None:
        """Count a try at something short enough to guess; the right proof, or the last try, uses it up.

        Security: counting and comparing are one statement, so that of any number of parallel guesses no
        more than ``limit`` are ever compared (row M3).

        Args:
            kind: which kind of thing it must be.
            digest: names it.
            binding: who uses it; must be whom it was issued to.
            proof: what was shown.
            limit: how many tries there are.
            now: aware UTC time; it must not have expired.

        Returns:
            the row, if the proof was right; None says only that the try failed.
        """
        attempts = OneTimeRow.attempts + 1
        statement = (
            update(OneTimeRow)
            .where(
                OneTimeRow.digest == digest,
                OneTimeRow.kind == kind,
                OneTimeRow.binding == binding,
                OneTimeRow.consumed_at.is_(None),
                OneTimeRow.expires_at > now,
            )
            .values(
                attempts=attempts,
                consumed_at=case(
                    (or_(OneTimeRow.proof == proof, attempts >= limit), literal(now, Instant())), else_=None
                ),
            )
            .returning(OneTimeRow)
        )
        row = self._session.scalars(statement, execution_options=FRESH).one_or_none()
        return row if row is not None and row.proof == proof else None

    def burn(self, account_id: str, kinds: Sequence[str], now: datetime) -> None:
        """Make every link of these kinds that an account could still use useless; each is ``link:…``."""
        self._session.execute(
            update(OneTimeRow)
            .where(
                OneTimeRow.account_id == account_id,
                IS_LINK,
                OneTimeRow.kind.in_(kinds),
                OneTimeRow.consumed_at.is_(None),
            )
            .values(consumed_at=now),
            execution_options={"synchronize_session": False},
        )

    def set_outcome(self, kind: str, digest: bytes, outcome: str) -> None:
        """Note what using it led to, so that a replay can undo that."""
        self._session.execute(
            update(OneTimeRow)
            .where(OneTimeRow.digest == digest, OneTimeRow.kind == kind)
            .values(outcome=outcome)
        )
