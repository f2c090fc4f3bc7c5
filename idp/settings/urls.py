"""Rules for the three kinds of URL among the settings: issuer, database, Redis."""

import ipaddress
import re
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import GetCoreSchemaHandler, GetPydanticSchema
from pydantic_core import CoreSchema, core_schema

_HIDDEN = "**********"
_PASSWORD = re.compile(r"(://[^/?#@:]*:)[^/?#]*@")
_SECRET_PARAMETER = re.compile(r"([?&](?:password|sslpassword|passfile)=)[^&#]*", re.IGNORECASE)
_POSTGRESQL_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_REDIS_SCHEMES = frozenset({"redis", "rediss", "unix"})
_ISSUER_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/\[\]@%!$&'()*+,;=?#-]+")


class SecretUrl(str):
    """A URL that may carry a password: a plain ``str`` to drivers, hidden in ``repr``."""

    __slots__ = ()

    @property
    def hidden(self) -> str:
        """The URL with its passwords replaced, safe to show."""
        # Replaced in the text itself: urlunsplit() would respell sqlite:///path.
        text = _PASSWORD.sub(rf"\1{_HIDDEN}@", self)
        return _SECRET_PARAMETER.sub(rf"\1{_HIDDEN}", text)

    def __repr__(self) -> str:
        """Hide passwords in logs and tracebacks."""
        return f"SecretUrl({self.hidden!r})"


def is_loopback_host(host: str) -> bool:
    """Whether a host name or address literal means this machine. Source: RFC 6761 §6.3."""
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_issuer(text: str) -> str:
    """The issuer, if it may be one.

    Raises:
        ValueError: says which rule it breaks.

    Source: OpenID Connect Discovery 1.0 §3, RFC 8414 §2 (https, no query, no fragment). Plain
    http is allowed for loopback hosts, because nothing can be read on the way there.
    """
    parts = _split(text)
    host = parts.hostname
    problem = next(
        (
            reason
            for broken, reason in (
                (not _ISSUER_CHARACTERS.fullmatch(text), "holds characters that do not belong in a URL"),
                (
                    not text.startswith(("https://", "http://")) or not host,
                    "must look like https://idp.example.com",
                ),
                ("@" in parts.netloc, "must not hold a user name or password"),
                ("?" in text or "#" in text, "must not have a query or a fragment"),
                (text.endswith("/"), "must not end with a slash"),
                ("//" in parts.path or "/." in parts.path, "must not have empty or dotted path segments"),
                (parts.netloc != parts.netloc.lower(), "must be written in lower case up to the path"),
                (parts.netloc.endswith(":"), "has an empty port"),
                (
                    parts.scheme == "http" and not is_loopback_host(host or ""),
                    "must use https (plain http is for localhost only)",
                ),
            )
            if broken
        ),
        None,
    )
    if problem:
        raise ValueError(problem)
    return text


def check_database_url(text: str) -> SecretUrl:
    """A database URL in its one spelling: ``sqlite:///path`` or ``postgresql://…``.

    Raises:
        ValueError: another scheme, SQLite without a file, or an unencoded slash in the password.
    """
    scheme, separator, rest = text.partition("://")
    if "@" in _split(text).path:
        raise ValueError("holds a password with special characters; percent-encode them (/ is %2F)")
    if separator and scheme in _POSTGRESQL_SCHEMES:
        return SecretUrl(f"postgresql://{rest}")
    if separator and scheme == "sqlite":
        if not rest.startswith("/") or rest in {"/", "/:memory:"} or "mode=memory" in rest:
            # Each connection would see an empty database of its own.
            raise ValueError("needs a file: sqlite:///relative/path or sqlite:////absolute/path")
        return SecretUrl(text)
    raise ValueError("must start with sqlite:/// or postgresql://")


def check_redis_url(text: str) -> SecretUrl:
    """A Redis URL.

    Raises:
        ValueError: not one of redis://, rediss:// (TLS) and unix://, or an unencoded slash in the password.
    """
    parts = _split(text)
    if "@" in parts.path:
        raise ValueError("holds a password with special characters; percent-encode them (/ is %2F)")
    if parts.scheme not in _REDIS_SCHEMES:
        raise ValueError("must start with redis://, rediss:// or unix://")
    return SecretUrl(text)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError as error:
        raise ValueError("is not a URL") from error
    return parts


def _database_schema(_source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
    return core_schema.no_info_after_validator_function(check_database_url, core_schema.str_schema())


def _redis_schema(_source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
    return core_schema.no_info_after_validator_function(check_redis_url, core_schema.str_schema())


DatabaseUrl = Annotated[SecretUrl, GetPydanticSchema(_database_schema)]
"""A field of this type passes :func:`check_database_url`."""

RedisUrl = Annotated[SecretUrl, GetPydanticSchema(_redis_schema)]
"""A field of this type passes :func:`check_redis_url`."""
