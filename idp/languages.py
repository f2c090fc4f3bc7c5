"""The languages that pages and messages speak.

Texts go through gettext; the catalogues live in ``idp/translations``. English is the language of
the source and needs none. Which language to take is decided by the pages and by whoever writes a
message; this is what they share.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from gettext import NullTranslations, translation
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FOLDER = Path(__file__).resolve().parent / "translations"
SOURCE_LANGUAGE = "en"

# Babel knows it too, but its data about all languages are 4 MiB in each worker for this alone.
_RIGHT_TO_LEFT = frozenset(
    "apc ar bal bgn ckb dv fa he ks lrc mzn nqo ps rhg sd sdh skr syr trw ug ur yi".split()  # noqa: SIM905
)
"""Languages written from right to left unless a script is named. Source: Unicode CLDR, ``characterOrder``."""
_SCRIPTS_RIGHT_TO_LEFT = frozenset({"Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"})


def marked(message: str) -> str:
    """Mark a text for the catalogues where it stands; it is looked up where it is shown."""
    return message


_MONTHS = (
    marked("January"),
    marked("February"),
    marked("March"),
    marked("April"),
    marked("May"),
    marked("June"),
    marked("July"),
    marked("August"),
    marked("September"),
    marked("October"),
    marked("November"),
    marked("December"),
)
_DATE_AND_TIME = marked("%(day)s %(month)s %(year)s, %(time)s (%(zone)s)")


def available_languages(default: str) -> tuple[str, ...]:
    """Every language there is, as catalogues are named (``pt_BR``): the default first, then the source's.

    Args:
        default: a language tag as settings have it (``pt-BR``).
    """
    found = sorted(path.parts[-3] for path in FOLDER.glob("*/LC_MESSAGES/messages.mo"))
    return tuple(dict.fromkeys((default.replace("-", "_"), SOURCE_LANGUAGE, *found)))


def best_language(wishes: Sequence[str], available: Sequence[str]) -> str:
    """The first wish that can be met, a regional one by its language too; else the first there is."""
    for wish in wishes:
        tag = wish.replace("-", "_")
        for candidate in (tag, tag.partition("_")[0]):
            for language in available:
                if language.lower() == candidate.lower():
                    return language
    return available[0]


def text_direction(name: str) -> str:
    """``ltr`` or ``rtl``, for a language with or without script and region: ``pt_BR``, ``az_Arab``."""
    spoken, *rest = name.split("_")
    scripts = [part for part in rest if len(part) == 4]  # noqa: PLR2004 - a script's length (RFC 5646 §2.2.3)
    is_rtl = scripts[0] in _SCRIPTS_RIGHT_TO_LEFT if scripts else spoken in _RIGHT_TO_LEFT
    return "rtl" if is_rtl else "ltr"


@lru_cache(maxsize=64)
def catalogue(name: str) -> NullTranslations:
    """The texts of a language; those of the source if there is no catalogue."""
    return translation("messages", FOLDER, [name], fallback=True)


def date_and_time(moment: datetime, language: str, zone: str | None = None) -> str:
    """A moment in a person's words: ``1 March 2026, 14:05 (UTC)``.

    Args:
        moment: aware.
        language: as a catalogue is named.
        zone: a time zone such as ``Europe/Berlin``; an unknown one, or none, gives UTC.
    """
    texts = catalogue(language)
    place = _zone(zone)
    local = moment.astimezone(place)
    return texts.gettext(_DATE_AND_TIME) % {
        "day": local.day,
        "month": texts.gettext(_MONTHS[local.month - 1]),
        "year": local.year,
        "time": f"{local:%H:%M}",
        "zone": "UTC" if place is UTC else zone,
    }


@lru_cache(maxsize=64)
def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown, not a name, or the name of a folder
        return UTC
