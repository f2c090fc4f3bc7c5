"""Rates, as an operator writes them: a count per time."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator

_RATE: Final = re.compile(
    r"(?P<count>[1-9]\d{0,8})\s*(?:/|per)\s*(?:(?P<number>[1-9]\d{0,4})\s*)?(?P<unit>second|minute|hour|day)s?"
)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in every window of this length."""

    count: int
    window: timedelta
    name: str
    """The same for however it was written, such as ``100/15 minute``."""


def parse_rate(text: str) -> Rate:
    """What ``20/minute``, ``5 per second`` or ``100/15 minutes`` says; ValueError if it says nothing."""
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError("not a limit: write a count per time, such as 20/minute or 100/15 minutes")
    count, number, unit = int(found["count"]), int(found["number"] or 1), found["unit"]
    return Rate(count, timedelta(**{f"{unit}s": number}), f"{count}/{number} {unit}")


def _checked(text: str) -> str:
    parse_rate(text)
    return text


RateText = Annotated[str, AfterValidator(_checked)]
"""A rate such as ``20/minute`` or ``100/15 minutes``, as it was written."""
