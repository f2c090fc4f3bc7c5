"""Passwords that people choose: what is refused, why, and how strong the rest is (rows P1 to P5)."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from idp.authenticators.breaches import Breaches
from idp.authenticators.password_rules import normalized_password
from idp.authenticators.passwords import Passwords
from idp.authenticators.verdict import Fault, PasswordRefused, Verdict, Weakness
from idp.errors import Invalid
from idp.languages import marked

_STRENGTH: Final = "idp.authenticators.strength"
"""By name, because its word lists are 13 MB in each worker, and only new passwords need them."""

_WORD: Final = re.compile(r"[^\W_]+")
_SHORTEST_WORD: Final = 4
_MOST_WORDS: Final = 50
_OWN_PART: Final = 4
"""Characters that must be left of a password without the words an attacker would try first."""
_TOO_WEAK: Final = 1
"""Score up to which a password is refused: less than a hundred million guesses, minutes for a stolen hash."""

_TEXTS: Final = {
    Fault.TOO_SHORT: marked("The password is too short."),
    Fault.TOO_LONG: marked("The password is too long."),
    Fault.PERSONAL: "This password is little more than your name or address, or the name of this service.",
    Fault.KNOWN: "This password is known from lists that attackers try first. Please choose another one.",
    Fault.GUESSABLE: "This password is easy to guess. Please choose another one.",
}


class NewPasswords:
    """Judges passwords that people choose, and hashes those that pass.

    There is no rule about kinds of characters (row P2). Nothing here touches the database; hashing and the
    range service take their time, so call it outside of transactions.

    Args:
        passwords: hashes.
        breaches: the operator's lists.
        least: characters (Unicode code points) that a password must have.
        max_bytes: bytes of UTF-8 that it may have.
        own_words: names of this service.
    """

    def __init__(
        self,
        *,
        passwords: Passwords,
        breaches: Breaches,
        least: int,
        max_bytes: int,
        own_words: Iterable[str],
    ) -> None:
        self._passwords = passwords
        self._breaches = breaches
        self._max_bytes = max_bytes
        self._own_words = tuple(own_words)
        self.least = least

    def judge(self, password: str, context: Iterable[str] = ()) -> Verdict:
        """What to say while somebody types: asks no service, writes nothing down.

        Args:
            password: as typed so far.
            context: the person's names and addresses.
        """
        try:
            normal = normalized_password(password, max_bytes=self._max_bytes)
        except Invalid:
            return Verdict(score=0, fault=Fault.TOO_LONG, least=self.least)
        if not normal:  # nothing to estimate
            return Verdict(score=0, fault=Fault.TOO_SHORT, least=self.least)
        strength = _strength()
        words = context_words([*context, *self._own_words])
        score, weakness = strength.estimate(normal, words)
        fault: Fault | None = None
        if len(normal) < self.least:
            fault = Fault.TOO_SHORT
        elif _is_personal(normal, words):
            fault, weakness = Fault.PERSONAL, Weakness.PERSONAL
        elif strength.is_common(normal) or self._breaches.is_listed(normal):
            fault, weakness = Fault.KNOWN, Weakness.COMMON
        elif score <= _TOO_WEAK:
            fault = Fault.GUESSABLE
        return Verdict(
            score=score if fault is None else min(score, 1), fault=fault, weakness=weakness, least=self.least
        )

    def assert_acceptable(self, password: str, context: Iterable[str] = ()) -> None:
        """Refuse a password that must not be set.

        Args:
            password: as typed.
            context: the person's names and addresses.

        Raises:
            PasswordRefused: with the reason (row P5).

        Source: NIST SP 800-63B-4 §3.1.1.2.
        """
        verdict = self.judge(password, context)
        if verdict.fault is None and self._breaches.is_known_elsewhere(
            normalized_password(password, max_bytes=self._max_bytes)
        ):
            verdict = Verdict(score=0, fault=Fault.KNOWN, weakness=Weakness.COMMON, least=self.least)
        if verdict.fault is not None:
            raise PasswordRefused(_TEXTS[verdict.fault], verdict)

    def hash(self, password: str, context: Iterable[str] = ()) -> str:
        """Hash a password that may be set.

        Raises:
            PasswordRefused: it must not be.
            Busy: too much hashing right now (row L8).
        """
        self._passwords.assert_room()
        self.assert_acceptable(password, context)
        return self._passwords.hash(password)


def context_words(texts: Iterable[str]) -> tuple[str, ...]:
    """The words in names and addresses that an attacker would try, longest first."""
    found: dict[str, None] = {}
    for text in texts:
        plain = text.casefold()
        local = plain.partition("@")[0]
        for word in (plain, local, *_WORD.findall(plain)):
            if len(word) >= _SHORTEST_WORD:
                found.setdefault(word)
    return tuple(sorted(found, key=len, reverse=True)[:_MOST_WORDS])


def _is_personal(password: str, words: Collection[str]) -> bool:
    """Whether next to nothing is left of it without these words."""
    rest = password.casefold()
    for word in words:
        rest = rest.replace(word, " ")
    letters = "".join(_WORD.findall(rest)).rstrip("0123456789")
    return len(letters) < _OWN_PART and rest != password.casefold()


@lru_cache(maxsize=1)
def _strength() -> Any:
    return import_module(_STRENGTH)
