"""Codes as people type them."""

from typing import Final

_DASHES: Final = "-\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}"
_LONGEST: Final = 100
"""Characters of which more than any code has are junk; the rest is not looked at."""


def without_separators(code: str) -> str:
    """A code without its spaces and dashes, whichever of them a keyboard or a printer made."""
    kept = (character for character in code[:_LONGEST] if not character.isspace())
    return "".join(character for character in kept if character not in _DASHES)


def digits_of(code: str) -> str:
    """A code of digits without spaces and dashes; empty if anything else is in it."""
    bare = without_separators(code)
    return bare if bare.isascii() and bare.isdigit() else ""
