"""The building blocks of the sections: the base class, durations, lists of names."""

import json
import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*(ms|s|m|h|d|w)?")
_ISO_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?"
)
_DURATION_HELP = 'not a duration: write seconds (300), a unit (500ms, 10s, 5m, 8h, 30d) or ISO 8601 ("PT5M")'


class Section(BaseModel):
    """Base of all sections: frozen, and an unknown key is an error.

    The string under a field is its manual; the reference page is made of these strings.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_default=True,
        hide_input_in_errors=True,
    )


def parse_duration(value: object) -> timedelta:
    """A duration from seconds, ``5m``, ``8h``, ``30d``, ``500ms`` or ISO 8601 (days and smaller).

    Raises:
        ValueError: anything else; also months and years, whose length is not fixed.
    """
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return timedelta(seconds=value)
        except (OverflowError, ValueError) as error:
            raise ValueError(_DURATION_HELP) from error
    if not isinstance(value, str):
        raise ValueError(_DURATION_HELP)  # noqa: TRY004 - pydantic turns ValueError, not TypeError, into a report
    text = value.strip()
    if match := _DURATION.fullmatch(text):
        return float(match[1]) * _UNITS[match[2] or "s"]
    if match := _ISO_DURATION.fullmatch(text):
        days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    raise ValueError(_DURATION_HELP)


def format_duration(value: timedelta) -> str:
    """The shortest spelling that :func:`parse_duration` reads back: ``5m``, ``90d``, ``500ms``."""
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(value, _UNITS[unit])
        if not rest and (count or unit == "ms"):
            return f"{count}{unit}" if count else "0s"
    return f"{value.total_seconds():.6f}".rstrip("0") + "s"


def parse_names(value: object) -> object:
    """A list from ``a,b`` or ``["a", "b"]`` in the environment; anything else passes through.

    Raises:
        ValueError: looks like JSON and is none.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith("["):
        try:
            return json.loads(text)
        except ValueError as error:
            raise ValueError('not a list: write a,b or ["a", "b"]') from error
    return [part.strip() for part in text.split(",") if part.strip()]


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
"""A length of time; see :func:`parse_duration` for the spellings."""

Names = Annotated[tuple[str, ...], BeforeValidator(parse_names)]
"""A list of names; see :func:`parse_names` for the spellings."""

SECOND = _UNITS["s"]
MINUTE = _UNITS["m"]
HOUR = _UNITS["h"]
DAY = _UNITS["d"]
