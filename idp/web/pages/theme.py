"""The installation's accent colour, made readable on light and on dark pages.

An operator picks one colour; text and buttons need a contrast of 4.5 to 1 (WCAG 2.2, 1.4.3).
So the colour is darkened for the light theme and lightened for the dark one until it has it.
"""

import re
from dataclasses import dataclass

_COLOUR = re.compile(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")

Rgb = tuple[int, int, int]

LIGHT_CARD: Rgb = (255, 255, 255)
DARK_CARD: Rgb = (24, 27, 33)
DEFAULT: Rgb = (47, 91, 234)

_READABLE = 4.5
_STEPS = 40
_LINEAR_END = 0.03928


@dataclass(frozen=True, slots=True)
class Accent:
    """The colour for the light theme and for the dark one, as CSS writes them."""

    light: str
    dark: str

    def css(self) -> str:
        """Custom properties for both themes."""
        return (
            f":root{{--accent:{self.light};--on-accent:#fff}}\n"
            f"@media (prefers-color-scheme:dark){{:root{{--accent:{self.dark};--on-accent:#0b0d12}}}}\n"
        )


def accent(text: str) -> Accent:
    """The accent of the pages from a setting like ``#2f5bea``; another text gives the default."""
    match = _COLOUR.fullmatch(text.strip())
    base: Rgb = DEFAULT if match is None else (int(match[1], 16), int(match[2], 16), int(match[3], 16))
    return Accent(
        light=_css(_towards(base, (0, 0, 0), LIGHT_CARD)),
        dark=_css(_towards(base, (255, 255, 255), DARK_CARD)),
    )


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colours, 1 to 21. Source: WCAG 2.2, relative luminance."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _towards(colour: Rgb, end: Rgb, background: Rgb) -> Rgb:
    """Mix ``colour`` with ``end`` just enough to be readable on ``background``."""
    for step in range(_STEPS + 1):
        share = step / _STEPS
        red, green, blue = (
            round(here + (there - here) * share) for here, there in zip(colour, end, strict=True)
        )
        if contrast((red, green, blue), background) >= _READABLE:
            return red, green, blue
    return end


def _luminance(colour: Rgb) -> float:
    red, green, blue = (
        value / 12.92 if value <= _LINEAR_END else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _css(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
