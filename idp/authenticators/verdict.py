"""What is said about a new password."""

from dataclasses import dataclass
from enum import StrEnum

from idp.errors import Invalid


class Fault(StrEnum):
    """Why a new password is refused."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    """Or not valid text."""
    PERSONAL = "personal"
    """It is little more than the person's name or address, or the name of this service."""
    KNOWN = "known"
    """It is among the most common ones, or in a list of breached ones."""
    GUESSABLE = "guessable"
    """Programs that guess passwords would try it early."""


class Weakness(StrEnum):
    """What makes a password weaker than its length."""

    COMMON = "common"
    PERSONAL = "personal"
    NAME = "name"
    WORD = "word"
    KEYBOARD = "keyboard"
    REPEATED = "repeated"
    SEQUENCE = "sequence"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A new password, judged."""

    score: int
    """From 0 (guessed at once) to 4 (not in a lifetime)."""
    fault: Fault | None = None
    """Why it is refused; ``None`` for one that is not."""
    weakness: Weakness | None = None
    least: int
    """How many characters it must have at least."""


class PasswordRefused(Invalid):
    """A new password does not do; ``verdict`` says why, for pages to explain."""

    def __init__(self, description: str, verdict: Verdict) -> None:
        super().__init__(description, field="password")
        self.verdict = verdict
