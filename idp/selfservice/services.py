"""What self-service stands on."""

from dataclasses import dataclass

from idp.accounts import Accounts
from idp.audit import Audit
from idp.authenticators import KnownDevices, Passwords, PasswordThrottle
from idp.clients import ClientDirectory
from idp.consents import Consents
from idp.resources import ResourceDirectory
from idp.sessions import Sessions
from idp.settings import Settings
from idp.storage import Database, Repositories


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfServiceServices:
    """The collaborators, put together once by the container."""

    settings: Settings
    database: Database
    repos: Repositories
    audit: Audit
    accounts: Accounts
    passwords: Passwords
    throttle: PasswordThrottle
    devices: KnownDevices
    sessions: Sessions
    clients: ClientDirectory
    resources: ResourceDirectory
    consents: Consents
