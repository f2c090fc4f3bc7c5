"""The MMDB reader, in a file of its own: it is loaded by name where places are configured and looked up."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import maxminddb


class PlaceFile:
    """One open database of places; mapped, so that it takes no memory of ours.

    Raises:
        OSError: it cannot be read.
        ValueError: it is none.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._reader = maxminddb.open_database(str(path), maxminddb.MODE_MMAP)
        except maxminddb.InvalidDatabaseError as error:
            raise ValueError(str(error)) from error

    def find(self, address: str) -> Mapping[str, Any] | None:
        """What is known of an address; None for nothing, and for what is no address."""
        try:
            found = self._reader.get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):
            return None
        return found if isinstance(found, dict) else None
