"""How sure a sign-in is: from the proofs that were given to ``acr`` and ``amr``."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from idp.sessions import ACR_SINGLE_FACTOR


class Factor(StrEnum):
    """A proof a person can give; the value is its ``amr`` name. Source: RFC 8176 §2."""

    PASSWORD = "pwd"
    """Something they know."""


@dataclass(frozen=True, slots=True)
class Assurance:
    """What tokens say about a sign-in."""

    acr: str
    amr: tuple[str, ...]


def assurance_of(factors: Collection[Factor]) -> Assurance:
    """The assurance that these proofs together give. ``acr`` tells the truth, whatever was asked for."""
    return Assurance(acr=ACR_SINGLE_FACTOR, amr=tuple(sorted(factors)))
