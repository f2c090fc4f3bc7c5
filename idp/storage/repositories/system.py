"""Change counters, and the row about the whole deployment."""

from datetime import datetime

from sqlalchemy import select

from idp.storage.models import ChangeCounterRow, DeploymentRow
from idp.storage.repositories.base import FRESH, Repository

_ONLY = 1


class ChangeRepository(Repository):
    """A version per topic; what workers compare with what they cached."""

    def bump(self, topic: str, now: datetime) -> None:
        """Raise the topic's version in the transaction of the change itself.

        Two changes of one topic wait for each other, so versions become visible in order.
        """
        values = {"topic": topic, "version": 1, "changed_at": now}
        self._session.execute(
            self._upsert(ChangeCounterRow, values).on_conflict_do_update(
                index_elements=["topic"],
                set_={"version": ChangeCounterRow.version + 1, "changed_at": now},
            )
        )

    def versions(self) -> dict[str, int]:
        """Every topic that was ever changed, with its version."""
        rows = self._session.execute(select(ChangeCounterRow.topic, ChangeCounterRow.version))
        return {row.topic: row.version for row in rows}


class DeploymentRepository(Repository):
    """The one row about the whole deployment."""

    def get(self) -> DeploymentRow | None:
        """The row; None as long as nothing was set."""
        return self._session.get(DeploymentRow, _ONLY, execution_options=FRESH)

    def not_before(self) -> datetime | None:
        """The revocation epoch of everything, or None."""
        row = self.get()
        return None if row is None else row.not_before

    def set_not_before(self, at: datetime) -> None:
        """Raise the revocation epoch of everything; it never goes back."""
        before = self.not_before()
        if before is None or before < at:
            self._replace(DeploymentRow(id=_ONLY, not_before=at))
