"""Column types: what a value is in Python and how each database keeps it.

SQLite tables are STRICT, so every type compiles to INTEGER, TEXT or BLOB there. Text that PostgreSQL cannot
hold (NUL, lone surrogates) is refused on both databases alike, before a statement is sent.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Boolean, Dialect, Integer, LargeBinary, types
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.types import TypeEngine

from idp.errors import Invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(moment: datetime) -> int:
    """An aware time as whole microseconds since 1970-01-01T00:00Z: how SQLite keeps it.

    Raises:
        ValueError: the time is naive.
    """
    if moment.tzinfo is None:
        raise ValueError("a stored time must be aware")
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The aware UTC time of `to_microseconds`."""
    return _EPOCH + microseconds * _MICROSECOND


class Instant(types.TypeDecorator[datetime]):
    """A moment, aware UTC: timestamptz on PostgreSQL, INTEGER microseconds since 1970 on SQLite."""

    impl = types.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of the database at hand."""
        if dialect.name == "sqlite":
            return Integer()
        return TIMESTAMP(timezone=True)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Python to database; naive times raise ValueError."""
        if value is None:
            return None
        microseconds = to_microseconds(value)
        return microseconds if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Database to Python."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return from_microseconds(value)
        moment: datetime = value
        return moment.astimezone(UTC)


class Text(types.TypeDecorator[str]):
    """Text of any length; compared and sorted by code point on both databases."""

    impl = types.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of the database at hand."""
        if dialect.name == "postgresql":
            return types.Text(collation="C")
        return types.Text()

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 -- fixed by SQLAlchemy
        """Python to database; raises Invalid for NUL and lone surrogates."""
        if value is not None:
            check_text(value)
        return value


class Json(types.TypeDecorator[Any]):
    """A JSON document: jsonb on PostgreSQL, TEXT on SQLite. Replace the value; edits inside are not seen."""

    impl = types.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of the database at hand."""
        if dialect.name == "sqlite":
            return types.Text()
        return JSONB()

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> Any:
        """Python to database; raises Invalid for text that cannot be stored and for NaN."""
        text = dump_json(value)
        return text if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:
        """Database to Python."""
        return json.loads(value) if dialect.name == "sqlite" and value is not None else value


class Flag(types.TypeDecorator[bool]):
    """Yes or no: boolean on PostgreSQL, INTEGER 0 or 1 on SQLite."""

    impl = types.Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of the database at hand."""
        return Integer() if dialect.name == "sqlite" else Boolean()

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:  # noqa: FBT001 -- fixed by SQLAlchemy
        """Python to database."""
        if value is None:
            return None
        return int(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> bool | None:  # noqa: ARG002 -- as above
        """Database to Python."""
        return None if value is None else bool(value)


class Bytes(types.TypeDecorator[bytes]):
    """Bytes: bytea on PostgreSQL, BLOB on SQLite."""

    impl = LargeBinary
    cache_ok = True


class Count(types.TypeDecorator[int]):
    """A whole number of 64 bits: bigint on PostgreSQL, INTEGER on SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of the database at hand."""
        return Integer() if dialect.name == "sqlite" else BigInteger()


def check_text(value: str) -> None:
    """Refuse text that one of the databases cannot hold.

    Raises:
        Invalid: NUL or a lone surrogate. The edge refuses both with a better field name; this is the net.
    """
    if "\0" in value:
        raise Invalid("Text must not contain NUL characters.", field="text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Invalid("Text must be valid Unicode.", field="text") from error


def dump_json(value: Any) -> str:
    """A JSON document as compact text, checked to fit both databases.

    Raises:
        Invalid: NUL or a lone surrogate somewhere inside, or a number JSON does not know.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
    except (UnicodeEncodeError, ValueError) as error:
        raise Invalid("The document holds a value that cannot be stored.", field="json") from error
    if "\\u0000" in text:
        _check_inside(value)
    return text


def _check_inside(value: Any) -> None:
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _check_inside(key)
            _check_inside(item)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for item in value:
            _check_inside(item)
