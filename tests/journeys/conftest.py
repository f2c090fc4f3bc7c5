"""The providers of the protocol tests; see tests/protocol/conftest.py."""

from tests.protocol.conftest import (
    ada,
    dialect,
    new_provider,
    postgresql_bench,
    postgresql_template,
    provider,
    shop,
    spa,
    sqlite_bench,
    sqlite_template,
)

__all__ = [
    "ada",
    "dialect",
    "new_provider",
    "postgresql_bench",
    "postgresql_template",
    "provider",
    "shop",
    "spa",
    "sqlite_bench",
    "sqlite_template",
]
