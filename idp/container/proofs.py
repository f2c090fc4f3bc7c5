"""What people prove themselves with, and what protects it; how it is built."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from idp.authenticators import (
    Breaches,
    CodeFactors,
    FactorThrottle,
    KnownDevices,
    NewPasswords,
    Passkeys,
    Passwords,
    PasswordThrottle,
    RecoveryCodes,
    Totp,
    TotpEnrolment,
    relying_party,
)
from idp.crypto import Argon2Parameters, PasswordHasher, RootKey, Sealer, Secret
from idp.http import HttpClient
from idp.onetime import OneTimeCodes, OneTimeDrafts, OneTimeLinks
from idp.settings import Settings
from idp.storage import Repositories


@dataclass(frozen=True, kw_only=True)
class Proofs:
    """Authenticators, their counters, and what works once."""

    passwords: Passwords
    new_passwords: NewPasswords
    throttle: PasswordThrottle
    factor_throttle: FactorThrottle
    devices: KnownDevices
    totp: Totp
    totp_enrolment: TotpEnrolment
    recovery_codes: RecoveryCodes
    code_factors: CodeFactors
    passkeys: Passkeys
    codes_once: OneTimeCodes
    links_once: OneTimeLinks
    drafts_once: OneTimeDrafts


def build_proofs(settings: Settings, *, repos: Repositories, root: RootKey, http: HttpClient) -> Proofs:
    """Put the authenticators together; every key has its own label."""
    passwords = _passwords(settings, repos, root)
    throttle = PasswordThrottle(repos, Secret(root.derive("throttle")))
    totp = Totp(repos, Sealer(root.derive("totp")), issuer_name=settings.pages.brand_name)
    drafts = OneTimeDrafts(repos)
    return Proofs(
        passwords=passwords,
        new_passwords=_new_passwords(settings, passwords, http),
        throttle=throttle,
        factor_throttle=FactorThrottle(repos, throttle),
        devices=KnownDevices(repos),
        totp=totp,
        totp_enrolment=TotpEnrolment(totp, drafts, Sealer(root.derive("totp-enrolment"))),
        recovery_codes=RecoveryCodes(repos, Secret(root.derive("recovery-codes"))),
        code_factors=CodeFactors(repos),
        passkeys=_passkeys(settings, repos),
        codes_once=OneTimeCodes(repos, Secret(root.derive("one-time-codes"))),
        links_once=OneTimeLinks(repos),
        drafts_once=drafts,
    )


def _passwords(settings: Settings, repos: Repositories, root: RootKey) -> Passwords:
    chosen = settings.passwords
    parameters = Argon2Parameters(
        memory_kib=chosen.argon2_memory_kib, passes=chosen.argon2_passes, lanes=chosen.argon2_lanes
    )
    return Passwords(repos, PasswordHasher(parameters, root.derive("password-pepper")), chosen)


def _passkeys(settings: Settings, repos: Repositories) -> Passkeys:
    chosen = settings.passkeys
    party = relying_party(chosen, issuer=settings.issuer, name=settings.pages.brand_name)
    return Passkeys(repos, party, timeout=chosen.timeout)


def _new_passwords(settings: Settings, passwords: Passwords, http: HttpClient) -> NewPasswords:
    return NewPasswords(
        passwords=passwords,
        breaches=Breaches(settings.breaches, http),
        least=settings.new_password_length,
        max_bytes=settings.passwords.max_bytes,
        own_words=(settings.pages.brand_name, urlsplit(settings.issuer).hostname or ""),
    )
