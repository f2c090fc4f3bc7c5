"""The few statements of the token path and of the pages before it, by driver instead of ORM.

Owns: claiming a code while opening its family, advancing a family, and the one look-up
behind userinfo and introspection; for pages the session, the interaction, and the code that is
issued at once; for sign-ins what is known before the password is checked, and what either end
of it writes. Each state change is one statement or one short transaction: on PostgreSQL a single CTE,
which may share its commit with those of other requests, on SQLite ``BEGIN IMMEDIATE``. Everything
else uses the repositories. Called by oauth/, sessions/ and login/.
Reading order: interface, postgresql_connection, postgresql_pool, postgresql_lane, postgresql, sqlite_pool,
sqlite, factory; browser_*, login_*, windows.
"""

from idp.storage.hot.browser_interface import (
    BrowserStore,
    CodeIssue,
    InteractionState,
    LoweredSession,
    NeededConsent,
    NewInteraction,
    SessionState,
)
from idp.storage.hot.factory import (
    HotPool,
    create_browser_store,
    create_hot_pool,
    create_hot_store,
    create_login_store,
    create_window_store,
)
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
from idp.storage.hot.login_interface import (
    ACCOUNT_COUNTER,
    Failure,
    LoginQuestion,
    LoginState,
    LoginStore,
    NewSession,
    PresentSession,
    SignedIn,
    SignIn,
)
from idp.storage.hot.windows import WindowStore

__all__ = [
    "ACCOUNT_COUNTER",
    "AccessState",
    "AccountState",
    "AdvancedFamily",
    "BrowserStore",
    "ClaimedCode",
    "CodeClaim",
    "CodeIssue",
    "Failure",
    "FamilyAdvance",
    "FamilyState",
    "HotPool",
    "HotStore",
    "InteractionState",
    "LoginQuestion",
    "LoginState",
    "LoginStore",
    "LoweredSession",
    "NeededConsent",
    "NewInteraction",
    "NewSession",
    "PresentSession",
    "SessionState",
    "SignIn",
    "SignedIn",
    "WindowStore",
    "create_browser_store",
    "create_hot_pool",
    "create_hot_store",
    "create_login_store",
    "create_window_store",
]
