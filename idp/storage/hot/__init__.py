"""The few statements of the token path and of the pages before it, by driver instead of ORM.

Owns: claiming a code while opening its family, advancing a family, and the one look-up
behind userinfo and introspection; for pages the session, the interaction, and the code that is
issued at once. Each state change is one transaction with one commit: on
PostgreSQL a single CTE, on SQLite a short ``BEGIN IMMEDIATE``. Everything else uses the
repositories. Called by oauth/ and sessions/.
Reading order: interface, postgresql_connection, postgresql_pool, postgresql, sqlite_pool, sqlite, factory;
browser_*.
"""

from idp.storage.hot.browser_interface import (
    BrowserStore,
    CodeIssue,
    InteractionState,
    NeededConsent,
    NewInteraction,
    SessionState,
)
from idp.storage.hot.factory import HotPool, create_browser_store, create_hot_pool, create_hot_store
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
    "BrowserStore",
    "ClaimedCode",
    "CodeClaim",
    "CodeIssue",
    "FamilyAdvance",
    "FamilyState",
    "HotPool",
    "HotStore",
    "InteractionState",
    "NeededConsent",
    "NewInteraction",
    "SessionState",
    "create_browser_store",
    "create_hot_pool",
    "create_hot_store",
]
