"""The example set-up keeps the promises that the documents make about proxies."""

import itertools
from pathlib import Path

CADDYFILE = (Path(__file__).resolve().parents[2] / "deploy" / "Caddyfile").read_text(encoding="utf-8")


def test_the_proxy_drops_every_look_alike_of_the_forwarding_header() -> None:
    """Row L5: a WSGI server makes one name of hyphens and underscores, and the last header counts."""
    spellings = {f"X{one}Forwarded{two}For" for one, two in itertools.product("-_", repeat=2)}

    kept = {name for name in spellings if f"\trequest_header -{name}\n" not in CADDYFILE}

    assert kept == {"X-Forwarded-For"}  # this one the proxy writes itself
