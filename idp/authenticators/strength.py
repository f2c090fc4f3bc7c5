"""How easily a password is guessed, by zxcvbn.

Loaded by name when the first new password is judged (new_passwords.py): its word lists are 13 MB in each
worker that chooses passwords, and most never do.
"""

import threading
from collections.abc import Collection, Mapping
from typing import Any, Final

import zxcvbn
from zxcvbn.matching import RANKED_DICTIONARIES

from idp.authenticators.verdict import Weakness

_JUDGED: Final = 40
"""Characters that are looked at: the work grows with the square, and what is this long is not guessed
because of what follows."""

_SYMBOLS: Final = "@({[<!|$+%"
"""Signs that may stand for letters. All of their combinations are tried, which takes 20 s for a password that
is made of them."""
_MOST_SYMBOLS: Final = 2
_NEUTRAL: Final = "\N{MIDDLE DOT}"
"""Stands for no letter."""

_COMMON: Final = RANKED_DICTIONARIES["passwords"]

_lock = threading.Lock()

_PATTERNS: Final[Mapping[str, Weakness]] = {
    "spatial": Weakness.KEYBOARD,
    "repeat": Weakness.REPEATED,
    "sequence": Weakness.SEQUENCE,
    "date": Weakness.DATE,
    "regex": Weakness.DATE,  # recent years are the only ones
}
_DICTIONARIES: Final[Mapping[str, Weakness]] = {
    "passwords": Weakness.COMMON,
    "user_inputs": Weakness.PERSONAL,
    "male_names": Weakness.NAME,
    "female_names": Weakness.NAME,
    "surnames": Weakness.NAME,
}


def is_common(password: str) -> bool:
    """Whether it is among the 30 000 most common ones, in whatever case."""
    return password.casefold() in _COMMON


def estimate(password: str, context: Collection[str]) -> tuple[int, Weakness | None]:
    """The score from 0 to 4, and what makes the password weaker than its length.

    Args:
        password: in its normal form.
        context: words that an attacker would try first.
    """
    if not password:  # the library fails on it
        return 0, None
    judged = _bounded(password[:_JUDGED])
    with _lock:  # it keeps the context words in a dictionary of the module
        result = zxcvbn.zxcvbn(judged, user_inputs=list(context), max_length=_JUDGED)
    return result["score"], _weakness(result["sequence"])


def _bounded(password: str) -> str:
    """The password with a few kinds of ambiguous signs at most, so that the work stays small (row P4)."""
    present = dict.fromkeys(character for character in password if character in _SYMBOLS)
    surplus = list(present)[_MOST_SYMBOLS:]
    return password.translate(dict.fromkeys(map(ord, surplus), _NEUTRAL)) if surplus else password


def _weakness(sequence: list[dict[str, Any]]) -> Weakness | None:
    """The weakness of the longest guessable part."""
    guessable = [match for match in sequence if match["pattern"] != "bruteforce"]
    if not guessable:
        return None
    longest = max(guessable, key=lambda match: len(match["token"]))
    if longest["pattern"] == "dictionary":
        return _DICTIONARIES.get(longest["dictionary_name"], Weakness.WORD)
    return _PATTERNS.get(longest["pattern"])
