"""Where a network address is, in words, if the operator has a database of places."""

import importlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from idp.languages import SOURCE_LANGUAGE
from idp.observability import get_logger

_log = get_logger(__name__)


class Places:
    """Names towns and countries. A hint for people, never a reason for anything."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: Any = None

    def name(self, address: str, language: str) -> str | None:
        """``Vienna, Austria`` in a language, else in English; None if it is not known."""
        file = self._opened()
        found = None if file is None else file.find(address)
        if found is None:
            return None
        names = (_name(found.get(part), language) for part in ("city", "country"))
        return ", ".join(name for name in names if name) or None

    def _opened(self) -> Any:
        if self._path is None:
            return None
        with self._lock:
            if self._file is None:
                # By name, at the first look: the reader is not needed to start, and by most never.
                reader = importlib.import_module("idp.selfservice.mmdb")
                try:
                    self._file = reader.PlaceFile(self._path)
                except (OSError, ValueError) as error:
                    _log.warning("places.unreadable", extra={"fields": {"detail": str(error)}})
                    self._path = None
            return self._file


def _name(part: object, language: str) -> str | None:
    names = part.get("names") if isinstance(part, Mapping) else None
    if not isinstance(names, Mapping):
        return None
    tag = language.replace("_", "-")
    found = names.get(tag) or names.get(tag.partition("-")[0]) or names.get(SOURCE_LANGUAGE)
    return found if isinstance(found, str) else None
