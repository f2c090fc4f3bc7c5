"""Answers that depend on frozen objects alone, worked out once.

Clients ask for the same scopes again and again. A registered client and the resource servers are
frozen: what was worked out from them holds until one of them is replaced by another object.
"""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")

_MOST = 1024


class Remembered(Generic[Answer]):
    """A bounded memory of answers; thread-safe, because each step on the dictionary is atomic.

    Args:
        version: another object after every change of what the questions do not name themselves.
    """

    def __init__(self, version: Callable[[], object]) -> None:
        self._version = version
        self._answers: dict[Hashable, tuple[object, Answer]] = {}

    def of(self, question: Hashable, work_out: Callable[[], Answer]) -> Answer:
        """The answer, from memory or worked out. What ``work_out`` raises is not remembered."""
        version = self._version()
        known = self._answers.get(question)
        if known is not None and known[0] is version:
            return known[1]
        answer = work_out()
        if len(self._answers) >= _MOST:
            self._answers.clear()
        self._answers[question] = (version, answer)
        return answer
