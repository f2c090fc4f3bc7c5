"""The flows of signing in: how each is built."""

from idp.container.rooms import Rooms
from idp.login import (
    Completion,
    CompletionServices,
    Enrolments,
    LoginAttempts,
    LoginFlow,
    LoginServices,
    PasskeyFlow,
    PendingServices,
    PendingSignIns,
    SecondFactorFlow,
    SecondFactorServices,
    SentCodes,
    SentCodeServices,
    Standings,
    StandingServices,
    Upstreams,
)


def build_attempts(rooms: Rooms) -> LoginAttempts:
    """Sign-ins on their way."""
    return LoginAttempts(rooms.repos, lifetime=rooms.settings.login.attempt_lifetime)


def build_completion(rooms: Rooms, attempts: LoginAttempts, upstreams: Upstreams) -> Completion:
    """The end of sign-ins."""
    return Completion(
        CompletionServices(
            repos=rooms.repos,
            accounts=rooms.accounts,
            sessions=rooms.sessions,
            devices=rooms.devices,
            throttle=rooms.throttle,
            factor_throttle=rooms.factor_throttle,
            attempts=attempts,
            upstreams=upstreams,
            notices=rooms.notices,
            audit=rooms.audit,
            remember_device=rooms.settings.login.remember_device,
        )
    )


def build_pending(rooms: Rooms, attempts: LoginAttempts, completion: Completion) -> PendingSignIns:
    """From the right password to the second step."""
    return PendingSignIns(
        PendingServices(
            database=rooms.database,
            repos=rooms.repos,
            enrolments=Enrolments(rooms.repos),
            attempts=attempts,
            devices=rooms.devices,
            completion=completion,
            outbox=rooms.outbox,
            audit=rooms.audit,
        )
    )


def build_login(rooms: Rooms, pending: PendingSignIns) -> LoginFlow:
    """Signing in with a password."""
    return LoginFlow(
        LoginServices(
            store=rooms.login_store,
            passwords=rooms.passwords,
            throttle=rooms.throttle,
            devices=rooms.devices,
            sessions=rooms.sessions,
            ratelimiter=rooms.ratelimiter,
            audit=rooms.audit,
            pending=pending,
        )
    )


def build_standings(rooms: Rooms, attempts: LoginAttempts) -> Standings:
    """Where sign-ins on their way stand."""
    return Standings(
        StandingServices(repos=rooms.repos, accounts=rooms.accounts, attempts=attempts, devices=rooms.devices)
    )


def build_second_factor(
    rooms: Rooms,
    *,
    attempts: LoginAttempts,
    standings: Standings,
    completion: Completion,
    passkeys: PasskeyFlow,
) -> SecondFactorFlow:
    """The second step."""
    return SecondFactorFlow(
        SecondFactorServices(
            database=rooms.database,
            accounts=rooms.accounts,
            standings=standings,
            attempts=attempts,
            enrolments=Enrolments(rooms.repos),
            completion=completion,
            throttle=rooms.factor_throttle,
            totp=rooms.totp,
            totp_enrolment=rooms.totp_enrolment,
            recovery_codes=rooms.recovery_codes,
            code_factors=rooms.code_factors,
            codes=rooms.codes_once,
            passkeys=passkeys,
            notices=rooms.notices,
            ratelimiter=rooms.ratelimiter,
            audit=rooms.audit,
        )
    )


def build_sent_codes(rooms: Rooms, attempts: LoginAttempts, standings: Standings) -> SentCodes:
    """Sending codes."""
    return SentCodes(
        SentCodeServices(
            database=rooms.database,
            standings=standings,
            attempts=attempts,
            code_factors=rooms.code_factors,
            codes=rooms.codes_once,
            outbox=rooms.outbox,
            sms_sender=rooms.sms_sender,
            audit=rooms.audit,
            settings=rooms.settings.login,
        )
    )
