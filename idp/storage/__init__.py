"""Storage: the only room that knows SQL and Redis.

Owns models, repositories, transactions, migrations, the token path's statements (hot/) and
short-lived records (ephemeral/). Decides nothing: whether a session is alive is asked by the
rooms above; what must be atomic is one statement here. Repositories work in the caller's
transaction and never commit. Called by every floor above.
Reading order: types, base, models/, failures, connections, database, repositories/, schema,
migrations/, hot/, ephemeral/, changes, shared,
with_redis/.
"""

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from idp.storage.base import Base
from idp.storage.change_sources import ChangeSource, create_change_source
from idp.storage.changes import ChangeFeed
from idp.storage.database import (
    SESSION_OPTIONS,
    Database,
    SessionSource,
    begin_read,
    begin_write,
    configure_engine,
    create_engine,
    engine_options,
    plain_session,
)
from idp.storage.ephemeral import (
    EphemeralStore,
    FallbackEphemeral,
    SqlEphemeral,
)
from idp.storage.failures import IntegrityConflict
from idp.storage.groups import GROUPS, GROUPS_ELSEWHERE, groups_in, with_groups_elsewhere
from idp.storage.models import (
    AccountDeletionRow,
    AccountIdentifierRow,
    AccountRow,
    AuditEventRow,
    BrowserSessionRow,
    ChangeCounterRow,
    ClientLogoRow,
    ClientRow,
    ClientSecretRow,
    CodeFactorRow,
    ConsentRow,
    DeploymentRow,
    EphemeralRow,
    ExternalIdentityRow,
    FederatedSessionRow,
    IdentityProviderRow,
    InteractionRow,
    IssueCountRow,
    KnownDeviceRow,
    LoginAttemptRow,
    OneTimeRow,
    OutboxRow,
    PasskeyRow,
    PasswordRow,
    RecoveryCodeRow,
    ResourceServerRow,
    RevokedAccessTokenRow,
    SigningKeyRow,
    ThrottleRow,
    TokenFamilyRow,
    TotpRow,
    UpstreamTokenRow,
)
from idp.storage.records import (
    AuditEntry,
    ClearedLinks,
    ClearedRows,
    ClientUse,
    Enrolment,
    FederatedLogin,
    Tally,
    Tries,
    Window,
)
from idp.storage.repositories import Repositories, repositories
from idp.storage.schema import current_revision, head_revision, is_current, revisions
from idp.storage.shared import connect_shared
from idp.storage.statements import Measured, StatementCounter
from idp.storage.types import Bytes, Count, Flag, Instant, Json, Text

__all__ = [
    "GROUPS",
    "GROUPS_ELSEWHERE",
    "SESSION_OPTIONS",
    "AccountDeletionRow",
    "AccountIdentifierRow",
    "AccountRow",
    "AuditEntry",
    "AuditEventRow",
    "Base",
    "BrowserSessionRow",
    "Bytes",
    "ChangeCounterRow",
    "ChangeFeed",
    "ChangeSource",
    "ClearedLinks",
    "ClearedRows",
    "ClientLogoRow",
    "ClientRow",
    "ClientSecretRow",
    "ClientUse",
    "CodeFactorRow",
    "ConsentRow",
    "Count",
    "Database",
    "DeploymentRow",
    "Engine",
    "Enrolment",
    "EphemeralRow",
    "EphemeralStore",
    "ExternalIdentityRow",
    "FallbackEphemeral",
    "FederatedLogin",
    "FederatedSessionRow",
    "Flag",
    "IdentityProviderRow",
    "Instant",
    "IntegrityConflict",
    "InteractionRow",
    "IssueCountRow",
    "Json",
    "KnownDeviceRow",
    "LoginAttemptRow",
    "Measured",
    "OneTimeRow",
    "OutboxRow",
    "PasskeyRow",
    "PasswordRow",
    "RecoveryCodeRow",
    "Repositories",
    "ResourceServerRow",
    "RevokedAccessTokenRow",
    "Session",
    "SessionSource",
    "SigningKeyRow",
    "SqlEphemeral",
    "StatementCounter",
    "Tally",
    "Text",
    "ThrottleRow",
    "TokenFamilyRow",
    "TotpRow",
    "Tries",
    "UpstreamTokenRow",
    "Window",
    "begin_read",
    "begin_write",
    "configure_engine",
    "connect_shared",
    "create_change_source",
    "create_engine",
    "current_revision",
    "engine_options",
    "groups_in",
    "head_revision",
    "is_current",
    "plain_session",
    "repositories",
    "revisions",
    "with_groups_elsewhere",
]
