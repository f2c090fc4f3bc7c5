"""The few statements of the token path, by driver instead of ORM.

Owns: claiming a code while opening its family, advancing a family, and the one look-up
behind userinfo and introspection. Each state change is one transaction with one commit: on
PostgreSQL a single CTE, on SQLite a short ``BEGIN IMMEDIATE``. Everything else uses the
repositories. Called by oauth/.
Reading order: interface, postgresql_pool, postgresql, sqlite_pool, sqlite, factory.
"""

from idp.storage.hot.factory import HotPool, create_hot_pool, create_hot_store
from idp.storage.hot.interface import (
    AccessState,
    AccountState,
    AdvancedFamily,
    ClaimedCode,
    CodeClaim,
    FamilyAdvance,
    FamilyState,
    HotStore,
)

__all__ = [
    "AccessState",
    "AccountState",
    "AdvancedFamily",
    "ClaimedCode",
    "CodeClaim",
    "FamilyAdvance",
    "FamilyState",
    "HotPool",
    "HotStore",
    "create_hot_pool",
    "create_hot_store",
]
