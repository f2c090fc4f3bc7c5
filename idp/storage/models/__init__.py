"""Models: one class per table, one file per noun; plain declarative classes without behaviour.

Rows stay in this room and in the rooms above that convert them to frozen values at once; they are never
handed further up. Constructors are keyword-only and typed.
"""

from idp.storage.models.account import (
    AccountDeletionRow,
    AccountIdentifierRow,
    AccountRow,
    KnownDeviceRow,
    PasswordRow,
    ThrottleRow,
)
from idp.storage.models.audit import AuditEventRow, IssueCountRow
from idp.storage.models.authenticator import CodeFactorRow, PasskeyRow, RecoveryCodeRow, TotpRow
from idp.storage.models.client import ClientLogoRow, ClientRow, ClientSecretRow, ResourceServerRow
from idp.storage.models.consent import ConsentRow
from idp.storage.models.federation import (
    ExternalIdentityRow,
    FederatedSessionRow,
    IdentityProviderRow,
    UpstreamTokenRow,
)
from idp.storage.models.key import SigningKeyRow
from idp.storage.models.login_attempt import LoginAttemptRow
from idp.storage.models.one_time import OneTimeRow
from idp.storage.models.outbox import OutboxRow
from idp.storage.models.session import BrowserSessionRow, InteractionRow
from idp.storage.models.system import ChangeCounterRow, DeploymentRow, EphemeralRow
from idp.storage.models.token import RevokedAccessTokenRow, TokenFamilyRow

__all__ = [
    "AccountDeletionRow",
    "AccountIdentifierRow",
    "AccountRow",
    "AuditEventRow",
    "BrowserSessionRow",
    "ChangeCounterRow",
    "ClientLogoRow",
    "ClientRow",
    "ClientSecretRow",
    "CodeFactorRow",
    "ConsentRow",
    "DeploymentRow",
    "EphemeralRow",
    "ExternalIdentityRow",
    "FederatedSessionRow",
    "IdentityProviderRow",
    "InteractionRow",
    "IssueCountRow",
    "KnownDeviceRow",
    "LoginAttemptRow",
    "OneTimeRow",
    "OutboxRow",
    "PasskeyRow",
    "PasswordRow",
    "RecoveryCodeRow",
    "ResourceServerRow",
    "RevokedAccessTokenRow",
    "SigningKeyRow",
    "ThrottleRow",
    "TokenFamilyRow",
    "TotpRow",
    "UpstreamTokenRow",
]
