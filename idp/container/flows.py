"""The flows on top of the rooms: how each is built."""

from functools import partial

from idp.admin import Admin, AdminContext, FederationServices
from idp.audit import Actor
from idp.clients import Clients, Logos
from idp.container.joining import build_account_links
from idp.container.rooms import Rooms, client_secret_key
from idp.federation import Checkup, Providers, RelyingParty
from idp.login import (
    AccountSwitch,
    Completion,
    Enrolments,
    PasskeyFlow,
    PasskeyServices,
    SwitchServices,
    reachable_level,
)
from idp.oauth import LogoutFlow, LogoutServices, OAuthServer, OAuthServices
from idp.oauth.authorization import AuthorizationFlow, AuthorizationServices
from idp.resources import Resources
from idp.selfservice import OwnPasskeys, OwnPasskeyServices, SelfService, SelfServiceServices


def build_oauth(rooms: Rooms) -> OAuthServer:
    """The token side of the protocol."""
    return OAuthServer(
        OAuthServices(
            settings=rooms.settings,
            clock=rooms.clock,
            database=rooms.database,
            repos=rooms.repos,
            hot=rooms.hot,
            feed=rooms.feed,
            ratelimiter=rooms.ratelimiter,
            audit=rooms.audit,
            issue_counter=rooms.issue_counter,
            keyring=rooms.keyring,
            clients=rooms.clients,
            scopes=rooms.scopes,
            epochs=rooms.epochs,
            access_tokens=rooms.access_tokens,
            refresh_tokens=rooms.refresh_tokens,
            codes=rooms.codes,
        )
    )


def build_authorization(rooms: Rooms) -> AuthorizationFlow:
    """The authorization endpoint."""
    enrolments = Enrolments(rooms.repos)
    return AuthorizationFlow(
        AuthorizationServices(
            settings=rooms.settings,
            database=rooms.database,
            repos=rooms.repos,
            store=rooms.browser_store,
            feed=rooms.feed,
            hints=rooms.hints,
            clients=rooms.clients,
            resources=rooms.resources,
            scopes=rooms.scopes,
            accounts=rooms.accounts,
            consents=rooms.consents,
            codes=rooms.codes,
            audit=rooms.audit,
            reachable_level=lambda account_id: reachable_level(enrolments.of(account_id)),
            provider_of=lambda session_id: _provider_of(rooms, session_id),
        )
    )


def _provider_of(rooms: Rooms, session_id: str) -> str | None:
    came = rooms.identities.session_of(session_id)
    return None if came is None else came.provider_id


def build_logout(rooms: Rooms) -> LogoutFlow:
    """Signing out."""
    return LogoutFlow(
        LogoutServices(
            database=rooms.database,
            repos=rooms.repos,
            feed=rooms.feed,
            clients=rooms.clients,
            hints=rooms.hints,
            sessions=rooms.sessions,
            audit=rooms.audit,
        )
    )


def build_selfservice(rooms: Rooms) -> SelfService:
    """What people do with their own account."""
    return SelfService.build(
        SelfServiceServices(
            settings=rooms.settings,
            database=rooms.database,
            repos=rooms.repos,
            audit=rooms.audit,
            accounts=rooms.accounts,
            notices=rooms.notices,
            links=build_account_links(rooms),
            outbox=rooms.outbox,
            sms_sender=rooms.sms_sender,
            codes_once=rooms.codes_once,
            passwords=rooms.passwords,
            new_passwords=rooms.new_passwords,
            ratelimiter=rooms.ratelimiter,
            login_store=rooms.login_store,
            throttle=rooms.throttle,
            devices=rooms.devices,
            totp=rooms.totp,
            totp_enrolment=rooms.totp_enrolment,
            recovery_codes=rooms.recovery_codes,
            code_factors=rooms.code_factors,
            sessions=rooms.sessions,
            clients=rooms.clients,
            resources=rooms.resources,
            consents=rooms.consents,
            providers=rooms.providers,
            identities=rooms.identities,
        )
    )


def build_passkey_flow(rooms: Rooms, completion: Completion) -> PasskeyFlow:
    """Signing in with a passkey."""
    return PasskeyFlow(
        PasskeyServices(
            database=rooms.database,
            passkeys=rooms.passkeys,
            enrolments=Enrolments(rooms.repos),
            completion=completion,
            ratelimiter=rooms.ratelimiter,
            audit=rooms.audit,
        )
    )


def build_own_passkeys(rooms: Rooms) -> OwnPasskeys:
    """What people do with their own passkeys."""
    return OwnPasskeys(
        OwnPasskeyServices(
            database=rooms.database,
            repos=rooms.repos,
            accounts=rooms.accounts,
            passkeys=rooms.passkeys,
            audit=rooms.audit,
            notices=rooms.notices,
            fresh_for=rooms.settings.login.fresh_for,
            ask_to_add=rooms.settings.passkeys.ask_to_add,
        )
    )


def build_switch(rooms: Rooms) -> AccountSwitch:
    """Several accounts in one browser."""
    return AccountSwitch(
        SwitchServices(
            database=rooms.database,
            repos=rooms.repos,
            accounts=rooms.accounts,
            sessions=rooms.sessions,
            audit=rooms.audit,
        )
    )


def build_admin(rooms: Rooms) -> Admin:
    """What operators do."""
    return Admin.build(
        AdminContext(
            database=rooms.database,
            repos=rooms.repos,
            feed=rooms.feed,
            audit=rooms.audit,
            clock=rooms.clock,
            actor=Actor.operator("command line"),
            accounts=rooms.accounts,
            notices=rooms.notices,
            links=build_account_links(rooms),
            passwords=rooms.passwords,
            throttle=rooms.throttle,
            factor_throttle=rooms.factor_throttle,
            devices=rooms.devices,
            totp=rooms.totp,
            recovery_codes=rooms.recovery_codes,
            code_factors=rooms.code_factors,
            sessions=rooms.sessions,
            clients=Clients(rooms.repos, client_secret_key(rooms.root_key)),
            logos=Logos(rooms.repos),
            resources=Resources(rooms.repos),
            keystore=rooms.keystore,
            identities=rooms.identities,
            http=rooms.http,
            access_token_lifetime=rooms.settings.tokens.access_token_lifetime,
        ),
        outbox=rooms.outbox,
        mail=rooms.mail_sender,
        federation=FederationServices(
            providers=Providers(
                rooms.repos, rooms.provider_secrets, plain_hosts=rooms.settings.http.allowed_private_hosts
            ),
            checkup=Checkup(
                rooms.http,
                partial(RelyingParty, rooms.http, issuer=rooms.settings.issuer, clock=rooms.clock),
            ),
            issuer=rooms.settings.issuer,
        ),
    )
