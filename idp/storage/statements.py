"""Counting statements and commits, so that tests can hold the hot paths to their budget."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_FRAMES = ("BEGIN", "COMMIT", "ROLLBACK")


@dataclass(slots=True)
class Measured:
    """What one thread sent to the database inside `StatementCounter.measure`."""

    statements: list[str] = field(default_factory=list)
    """The SQL texts in order, without BEGIN, COMMIT and ROLLBACK."""
    commits: int = 0


class _PerThread(threading.local):
    def __init__(self) -> None:
        self.statements = 0
        self.commits = 0
        self.measured: Measured | None = None


class StatementCounter:
    """Statements and commits of the current thread, whether through SQLAlchemy or the hot store."""

    def __init__(self) -> None:
        self._here = _PerThread()

    @property
    def statements(self) -> int:
        """Statements since the last `reset`, without BEGIN, COMMIT and ROLLBACK."""
        return self._here.statements

    @property
    def commits(self) -> int:
        """Commits since the last `reset`; a single autocommitted write is one."""
        return self._here.commits

    def reset(self) -> None:
        """Start again at zero in this thread."""
        self._here.statements = 0
        self._here.commits = 0

    def statement(self, sql: str) -> None:
        """Note one statement; what only opens or closes a transaction does not count."""
        if sql.startswith(_FRAMES):
            return
        here = self._here
        here.statements += 1
        if here.measured is not None:
            here.measured.statements.append(sql)

    def commit(self) -> None:
        """Note one commit of a transaction that may have written."""
        here = self._here
        here.commits += 1
        if here.measured is not None:
            here.measured.commits += 1

    @contextmanager
    def measure(self) -> Iterator[Measured]:
        """Collect what this thread sends while the block runs. Not nestable: the inner block takes over."""
        before, measured = self._here.measured, Measured()
        self._here.measured = measured
        try:
            yield measured
        finally:
            self._here.measured = before
