"""What registration stands on, and what people wish."""

from dataclasses import dataclass

from idp.accounts import AccountLinks, Accounts
from idp.audit import Audit
from idp.authenticators import NewPasswords, Passkeys, Passwords
from idp.delivery import Outbox
from idp.login.attempt import LoginAttempts
from idp.login.complete import Completion
from idp.login.registration import Registrations
from idp.onetime import OneTimeCodes
from idp.ratelimit import RateLimiter
from idp.settings import Settings
from idp.storage import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupServices:
    """What registration stands on, put together once by the container."""

    settings: Settings
    database: Database
    accounts: Accounts
    links: AccountLinks
    codes: OneTimeCodes
    registrations: Registrations
    outbox: Outbox
    passwords: Passwords
    new_passwords: NewPasswords
    passkeys: Passkeys
    attempts: LoginAttempts
    completion: Completion
    ratelimiter: RateLimiter
    audit: Audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What people say on the first page, besides their address."""

    name: str = ""
    """What they want to be called."""
    accepts_terms: bool = False
    wants_passkey: bool = False
    """Whether they want to sign in with a passkey rather than a password."""
