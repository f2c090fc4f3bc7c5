r"""Passwords known from breaches: the operator's Bloom file and an optional range service.

The file, made by ``idp breach-list``:

    8 bytes   ``IDPBLM01``
    8 bytes   m, how many bits follow (big endian, as all numbers)
    8 bytes   n, how many passwords were put in
    8 bytes   k, how many bits stand for each
    m bits    rounded up to whole bytes; bit i is bit ``i mod 8`` of byte ``i div 8``

A password is in it by its SHA-1, because lists of breached passwords come as such: with
``h = SHA-256("idp:breach\\0" + sha1)``, ``a`` its first and ``b`` its next 8 bytes (``b`` made odd), its bits
are ``(a + j·b) mod m`` for j from 0 to k-1. A password of the list is always found; any other is found with
the probability that the file was made for, by default one in a thousand.

Source: Kirsch and Mitzenmacher, "Less Hashing, Same Performance" (2006).
"""

import hashlib
import math
import mmap
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from idp.errors import Invalid, Refused, Unavailable
from idp.http import HttpClient
from idp.observability import get_logger
from idp.settings import BreachSettings, SettingsError

_log = get_logger(__name__)

_MAGIC: Final = b"IDPBLM01"
_HEADER: Final = struct.Struct(">8sQQQ")
_MOST_HASHES: Final = 64
_LABEL: Final = b"idp:breach\0"
_SHA1_LINE: Final = re.compile(rb"([0-9A-Fa-f]{40})(?::[0-9]+)?")
_PREFIX: Final = 5
_MAX_RANGE_BYTES: Final = 256 * 1024
"""Answers have some 800 lines of 40 bytes."""

ERROR_RATE: Final = 0.001
"""How often a password that is in no list is taken for one that is."""


class Breaches:
    """Answers whether a password is known from a breach, as far as the operator gave sources.

    Raises:
        SettingsError: the Bloom file cannot be read, or is none.
    """

    def __init__(self, settings: BreachSettings, http: HttpClient) -> None:
        self._file = None if settings.bloom_file is None else BloomFile(settings.bloom_file)
        self._range_url = settings.range_url
        self._http = http

    def is_listed(self, password: str) -> bool:
        """Whether the operator's file holds it. Reads a page of a mapped file, asks nobody."""
        return self._file is not None and _sha1(password) in self._file

    def is_known_elsewhere(self, password: str) -> bool:
        """Whether the range service knows it; False if there is none, or it does not answer.

        Only five hexadecimal digits of the SHA-1 leave this server: the service cannot tell which of
        some hundred thousand passwords was meant. Takes as long as ``http.timeout`` at most: call it
        outside of transactions.
        """
        if self._range_url is None:
            return False
        digest = _sha1(password).hex().upper()
        try:
            answer = self._http.get(
                self._range_url + digest[:_PREFIX], accept="text/plain", max_bytes=_MAX_RANGE_BYTES
            )
        except (Refused, Unavailable) as error:
            # Security: fails open, because nobody could choose a password while the service is away; the
            # lists here were asked before (row P5).
            _log.warning("breaches.range.unavailable", extra={"fields": {"detail": error.detail}})
            return False
        return _holds(answer.body, digest[_PREFIX:].encode())


class BloomFile:
    """The operator's list, mapped into memory: its pages are shared by all workers."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._bits = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise SettingsError([f"breaches.bloom_file: {path} cannot be read: {error}"]) from error
        if len(self._bits) < _HEADER.size:
            raise SettingsError([f"breaches.bloom_file: {path} was not made by idp breach-list"])
        magic, self._size, self.entries, self._hashes = _HEADER.unpack_from(self._bits)
        whole = _HEADER.size + (self._size + 7) // 8
        if magic != _MAGIC or len(self._bits) != whole or not 1 <= self._hashes <= _MOST_HASHES:
            raise SettingsError(
                [f"breaches.bloom_file: {path} was not made by idp breach-list, or is cut off"]
            )

    def __contains__(self, sha1: bytes) -> bool:
        """Whether the list holds this SHA-1, or seems to."""
        bits, start = self._bits, _HEADER.size
        return all(
            bits[start + (place >> 3)] & 1 << (place & 7) for place in _places(sha1, self._size, self._hashes)
        )


def write_bloom_file(source: Path, target: Path, *, error_rate: float = ERROR_RATE) -> int:
    """Make a Bloom file of a list of passwords; how many lines went in.

    Args:
        source: one on each line: a SHA-1 in hexadecimal, with or without ``:count``, or the password itself.
        target: the file to make.
        error_rate: between 0 and 1, both excluded.

    Raises:
        Invalid: the list is empty, or the rate is none.
        OSError: a file cannot be read or written.
    """
    if not 0 < error_rate < 1:
        raise Invalid("The error rate must lie between 0 and 1.", field="error_rate")
    count = sum(1 for _ in _digests(source))
    if count == 0:
        raise Invalid("The list holds no passwords.", field="input")
    size = max(8, math.ceil(-count * math.log(error_rate) / math.log(2) ** 2))
    hashes = min(_MOST_HASHES, max(1, round(size / count * math.log(2))))
    with target.open("w+b") as file:
        file.write(_HEADER.pack(_MAGIC, size, count, hashes))
        file.truncate(_HEADER.size + (size + 7) // 8)
        with mmap.mmap(file.fileno(), 0) as bits:
            for sha1 in _digests(source):
                for place in _places(sha1, size, hashes):
                    bits[_HEADER.size + (place >> 3)] |= 1 << (place & 7)
    return count


def _digests(source: Path) -> Iterator[bytes]:
    with source.open("rb") as lines:
        for line in lines:
            text = line.rstrip(b"\r\n")
            if text:
                listed = _SHA1_LINE.fullmatch(text)
                yield bytes.fromhex(listed[1].decode()) if listed else _sha1_of(text)


def _places(sha1: bytes, size: int, hashes: int) -> Iterator[int]:
    digest = hashlib.sha256(_LABEL + sha1).digest()
    first, step = int.from_bytes(digest[:8]), int.from_bytes(digest[8:16]) | 1
    return ((first + number * step) % size for number in range(hashes))


def _holds(body: bytes, suffix: bytes) -> bool:
    for line in body.upper().splitlines():
        name, _, count = line.partition(b":")
        # Services add lines with the count 0, so that the length of an answer says nothing.
        if name.strip() == suffix:
            return count.strip() != b"0"
    return False


def _sha1(password: str) -> bytes:
    return _sha1_of(password.encode())


def _sha1_of(text: bytes) -> bytes:
    return hashlib.sha1(text, usedforsecurity=False).digest()
