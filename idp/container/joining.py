"""Coming in and coming back: registration, recovery, and taking an account back."""

from idp.accounts import AccountLinks
from idp.container.rooms import Rooms
from idp.crypto import Sealer
from idp.login import (
    Completion,
    Enrolments,
    EverythingOfAccount,
    LoginAttempts,
    RecoveryFlow,
    RecoveryServices,
    Registrations,
    SecondProofs,
    SecuringFlow,
    SecuringServices,
    SignupFlow,
    SignupServices,
)


def build_account_links(rooms: Rooms) -> AccountLinks:
    """Links that lead into accounts."""
    return AccountLinks(
        rooms.links_once,
        rooms.outbox,
        issuer=rooms.settings.issuer,
        settings=rooms.settings.registration,
    )


def build_signup(rooms: Rooms, attempts: LoginAttempts, completion: Completion) -> SignupFlow:
    """Registration."""
    return SignupFlow(
        SignupServices(
            settings=rooms.settings,
            database=rooms.database,
            accounts=rooms.accounts,
            links=build_account_links(rooms),
            codes=rooms.codes_once,
            registrations=Registrations(rooms.drafts_once, Sealer(rooms.root_key.derive("registrations"))),
            outbox=rooms.outbox,
            passwords=rooms.passwords,
            new_passwords=rooms.new_passwords,
            passkeys=rooms.passkeys,
            attempts=attempts,
            completion=completion,
            ratelimiter=rooms.ratelimiter,
            audit=rooms.audit,
        )
    )


def build_recovery(rooms: Rooms) -> RecoveryFlow:
    """The way to a new password."""
    return RecoveryFlow(
        RecoveryServices(
            database=rooms.database,
            accounts=rooms.accounts,
            links=build_account_links(rooms),
            outbox=rooms.outbox,
            notices=rooms.notices,
            passwords=rooms.passwords,
            new_passwords=rooms.new_passwords,
            second_proofs=SecondProofs(
                enrolments=Enrolments(rooms.repos),
                totp=rooms.totp,
                recovery_codes=rooms.recovery_codes,
                code_factors=rooms.code_factors,
                codes=rooms.codes_once,
                outbox=rooms.outbox,
                throttle=rooms.factor_throttle,
                devices=rooms.devices,
                notices=rooms.notices,
                audit=rooms.audit,
                code_lifetime=rooms.settings.login.one_time_code_lifetime,
            ),
            everything=_everything(rooms),
            ratelimiter=rooms.ratelimiter,
            audit=rooms.audit,
        )
    )


def build_securing(rooms: Rooms) -> SecuringFlow:
    """Taking an account back."""
    return SecuringFlow(
        SecuringServices(
            database=rooms.database,
            repos=rooms.repos,
            accounts=rooms.accounts,
            links=build_account_links(rooms),
            links_once=rooms.links_once,
            notices=rooms.notices,
            passkeys=rooms.passkeys,
            totp=rooms.totp,
            recovery_codes=rooms.recovery_codes,
            code_factors=rooms.code_factors,
            identities=rooms.identities,
            everything=_everything(rooms),
            ratelimiter=rooms.ratelimiter,
            audit=rooms.audit,
        )
    )


def _everything(rooms: Rooms) -> EverythingOfAccount:
    return EverythingOfAccount(
        repos=rooms.repos, sessions=rooms.sessions, devices=rooms.devices, throttle=rooms.throttle
    )
