"""Places of sign-ins, where the operator has a database of them (MaxMind DB file format 2.0)."""

import os
from pathlib import Path

import pytest

from tests.account.people import at_home
from tests.bench import NewProvider

_EVERYWHERE = {
    "city": {"names": {"en": "Vienna", "de": "Wien"}},
    "country": {"names": {"en": "Austria", "de": "Österreich"}},
}


def _encoded(value: object) -> bytes:
    """One value of the data section, of the few kinds that are needed here."""
    if isinstance(value, str):
        text = value.encode()
        return bytes([2 << 5 | len(text)]) + text
    if isinstance(value, dict):
        pairs = b"".join(_encoded(name) + _encoded(member) for name, member in value.items())
        return bytes([7 << 5 | len(value)]) + pairs
    if isinstance(value, list):
        return bytes([len(value), 4]) + b"".join(_encoded(member) for member in value)
    assert isinstance(value, int)
    return bytes([6 << 5 | 4]) + value.to_bytes(4, "big")


def _write_places(path: Path) -> Path:
    """A file with one node, both of whose ends lead to the same place: all addresses are in Vienna."""
    leaf = (1 + 16).to_bytes(3, "big")
    head = {
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1,
        "database_type": "Test", "description": {"en": "Test"}, "ip_version": 4, "languages": ["en"],
        "node_count": 1, "record_size": 24,
    }  # fmt: skip
    path.write_bytes(
        leaf * 2 + bytes(16) + _encoded(_EVERYWHERE) + b"\xab\xcd\xefMaxMind.com" + _encoded(head)
    )
    return path


def test_the_place_is_named_in_the_language_of_the_page(new_provider: NewProvider, tmp_path: Path) -> None:
    """``sessions.geoip_file``: town and country beside the address, on the lists of sign-ins and events."""
    provider = new_provider(sessions={"geoip_file": _write_places(tmp_path / "places.mmdb")})
    provider.account("ada")
    browser = at_home(provider)

    assert "Vienna, Austria" in browser.get("/account/sessions").text
    assert "Vienna, Austria" in browser.get("/account/history").text
    german = browser.get("/account/sessions", headers=[("Accept-Language", "de")])
    assert "Wien, Österreich" in german.text


@pytest.mark.parametrize("content", [None, b"", b"no database", os.urandom(5000)])
def test_a_file_that_is_none_costs_the_places_and_not_the_page(
    new_provider: NewProvider, tmp_path: Path, content: bytes | None
) -> None:
    """Row X5: a hint for people is no reason to fail."""
    path = tmp_path / "places.mmdb"
    if content is not None:
        path.write_bytes(content)
    provider = new_provider(sessions={"geoip_file": path})
    provider.account("ada")

    page = at_home(provider).get("/account/sessions")

    assert page.status == 200
    assert page.has("session-present")
