"""Sections about the server process: listening, proxies, outbound fetches, logs, pages."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from idp.settings.values import SECOND, Duration, Names, Section

_BIND = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
_LARGEST_PORT = 65535
_LOGO_SUFFIXES = (".svg", ".png", ".jpg", ".jpeg", ".webp")


def _check_bind(text: str) -> str:
    match = _BIND.fullmatch(text)
    if not match or int(match[1]) > _LARGEST_PORT:
        raise ValueError("must be HOST:PORT, for example 127.0.0.1:8000 or [::]:8000")
    return text


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in names)


def _check_logo(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("is not a file that can be read")
    if path.suffix.lower() not in _LOGO_SUFFIXES:
        raise ValueError(f"must end with one of {', '.join(_LOGO_SUFFIXES)}")
    return path


HostNames = Annotated[Names, AfterValidator(_lower_names)]
"""A list of host names, compared in lower case."""


class ServerSettings(Section):
    """The web server that `idp serve` runs."""

    bind: Annotated[str, AfterValidator(_check_bind)] = "127.0.0.1:8000"
    """Address and port to listen on, `HOST:PORT`."""

    workers: int = Field(default=1, ge=1, le=256)
    """Worker processes; about one for each processor."""

    blocking_threads: int = Field(default=32, ge=6, le=256)
    """Requests that occupy a thread of one worker at a time: all but those token requests that only wait for
    the database, which need none. At least four more than `passwords.max_concurrent_hashes` and
    `passwords.max_waiting_hashes` together, so that a flood of sign-ins leaves threads for the other
    requests."""

    drain_timeout: Duration = Field(default=10 * SECOND, ge=0 * SECOND, le=600 * SECOND)
    """How long running requests may finish after SIGTERM."""

    max_body_bytes: int = Field(default=65536, ge=4096, le=16777216)
    """Largest request body in bytes; larger ones are answered with 413."""


class ProxySettings(Section):
    """What stands between the internet and this server."""

    trusted_hops: int = Field(default=0, ge=0, le=10)
    """How many reverse proxies append to `X-Forwarded-For`. 0: the header is ignored and the peer's address
    counts. A number too high lets anyone choose the address that limits and audit see."""

    trusted_hosts: HostNames = ()
    """Host names accepted in the `Host` header besides the issuer's, for health checks inside a cluster.
    Links are built from the issuer in any case."""


class HttpSettings(Section):
    """The one egress, for clients' logos and the like: public addresses and https only, no redirects."""

    ca_file: Path | None = None
    """PEM file with the certificate authorities to trust instead of the system's."""

    allowed_private_hosts: HostNames = ()
    """Host names that may have private addresses and plain http. Closed by default, against requests forged
    through a client's metadata."""

    timeout: Duration = Field(default=5 * SECOND, gt=0 * SECOND, le=60 * SECOND)
    """How long one fetch may take in all."""

    max_bytes: int = Field(default=262144, ge=1024, le=16777216)
    """Largest answer in bytes, counted after decompression."""


class LogSettings(Section):
    """Logs on standard error. Tokens, codes, passwords and secrets are left out at every level."""

    level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    """Least severe level that is written."""

    format: Literal["json", "text"] = "json"
    """`json`: one object a line. `text`: for reading at a terminal."""


class PageSettings(Section):
    """The look of the pages that people see."""

    brand_name: str = Field(default="Identity", min_length=1, max_length=60)
    """Name shown at the top of every page."""

    accent: str = Field(default="#2f5bea", pattern=r"^#[0-9a-fA-F]{6}$")
    """Colour of buttons and links as `#rrggbb`. Choose one that white text can be read on."""

    logo_file: Annotated[Path, AfterValidator(_check_logo)] | None = None
    """Image shown beside the name: SVG, PNG, JPEG or WebP."""

    default_locale: str = Field(default="en", pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    """Language of the pages when the browser asks for none that exists."""
