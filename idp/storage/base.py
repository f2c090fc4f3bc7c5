"""Base of all models, and how tables and constraints are named."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass
from sqlalchemy.schema import SchemaItem

from idp.storage.types import Bytes, Count, Flag, Instant, Json, Text

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
"""Names are chosen, not left to the database, so that later migrations can name what they change."""


def table_args(*items: SchemaItem, fillfactor: int | None = None) -> tuple[Any, ...]:
    """``__table_args__`` of a model with further indexes; the other models inherit those of `Base`.

    Args:
        items: indexes over several columns.
        fillfactor: per cent of a page that PostgreSQL fills with new rows. With room beside it, a row whose
            indexed columns stay as they are is updated in its page and touches no index (README.HOT in
            PostgreSQL's source); in a full page every index gets a new entry.
    """
    room = {} if fillfactor is None else {"postgresql_with": {"fillfactor": fillfactor}}
    return (*items, {"sqlite_strict": True, **room})


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True, repr=False, eq=False):
    """Base of all models: keyword-only constructors, no ``repr`` (rows hold digests), equal if identical."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        int: Count,
        bool: Flag,
        bytes: Bytes,
        datetime: Instant,
        dict[str, Any]: Json,
        list[str]: Json,
        list[list[str]]: Json,
        list[Any]: Json,
    }
    __table_args__ = table_args()
