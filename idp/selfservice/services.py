"""What self-service stands on."""

from dataclasses import dataclass

from idp.accounts import AccountLinks, Accounts, Notices
from idp.audit import Audit
from idp.authenticators import (
    CodeFactors,
    KnownDevices,
    NewPasswords,
    Passwords,
    PasswordThrottle,
    RecoveryCodes,
    Totp,
    TotpEnrolment,
)
from idp.clients import ClientDirectory
from idp.consents import Consents
from idp.delivery import Outbox, SmsSender
from idp.federation import Identities, ProviderDirectory
from idp.onetime import OneTimeCodes
from idp.ratelimit import RateLimiter
from idp.resources import ResourceDirectory
from idp.sessions import Sessions
from idp.settings import Settings
from idp.storage import Database, Repositories
from idp.storage.hot import LoginStore


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfServiceServices:
    """The collaborators, put together once by the container."""

    settings: Settings
    database: Database
    repos: Repositories
    audit: Audit
    accounts: Accounts
    notices: Notices
    links: AccountLinks
    outbox: Outbox
    sms_sender: SmsSender
    codes_once: OneTimeCodes
    passwords: Passwords
    new_passwords: NewPasswords
    ratelimiter: RateLimiter
    login_store: LoginStore
    throttle: PasswordThrottle
    devices: KnownDevices
    totp: Totp
    totp_enrolment: TotpEnrolment
    recovery_codes: RecoveryCodes
    code_factors: CodeFactors
    sessions: Sessions
    clients: ClientDirectory
    resources: ResourceDirectory
    consents: Consents
    providers: ProviderDirectory
    identities: Identities
