"""Rooms and flows in one frozen object."""

import contextlib
from dataclasses import dataclass, fields

from idp.admin import Admin
from idp.clock import Clock
from idp.container.federating import Federation, build_federation, build_upstreams
from idp.container.flows import (
    build_admin,
    build_authorization,
    build_logout,
    build_oauth,
    build_own_passkeys,
    build_passkey_flow,
    build_selfservice,
    build_switch,
)
from idp.container.joining import build_recovery, build_securing, build_signup
from idp.container.rooms import Rooms, build_rooms
from idp.container.signing_in import (
    build_attempts,
    build_completion,
    build_login,
    build_pending,
    build_second_factor,
    build_sent_codes,
    build_standings,
)
from idp.errors import Unavailable
from idp.login import (
    AccountSwitch,
    AddedProof,
    Completion,
    FederatedFlow,
    JoiningFlow,
    LoginAttempts,
    LoginFlow,
    PasskeyFlow,
    PendingSignIns,
    RecoveryFlow,
    SecondFactorFlow,
    SecuringFlow,
    SentCodes,
    SignupFlow,
    UpstreamLogoutFlow,
    UpstreamSignOut,
)
from idp.oauth import LogoutFlow, OAuthServer
from idp.oauth.authorization import AuthorizationFlow
from idp.selfservice import OwnPasskeys, SelfService
from idp.settings import Settings
from idp.storage import Engine, SessionSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Container(Rooms):
    """What the entrances work with: the flows, and the rooms below them."""

    oauth: OAuthServer
    authorization: AuthorizationFlow
    logout: LogoutFlow
    login: LoginFlow
    login_attempts: LoginAttempts
    completion: Completion
    added_proof: AddedProof
    pending: PendingSignIns
    second_factor: SecondFactorFlow
    sent_codes: SentCodes
    account_switch: AccountSwitch
    passkey_flow: PasskeyFlow
    federated: FederatedFlow
    joining: JoiningFlow
    upstream_logout: UpstreamLogoutFlow
    upstream_sign_out: UpstreamSignOut
    own_passkeys: OwnPasskeys
    signup: SignupFlow
    recovery: RecoveryFlow
    securing: SecuringFlow
    selfservice: SelfService
    admin: Admin

    def read_ahead(self) -> None:
        """Take the copies that workers answer from, and leave no connection open behind it.

        For the process that workers are forked from. What has changed since is found by the first look of
        each; without a database now, all of it is.
        """
        self.feed.poll()
        self.feed.stop()
        self.database.dispose()

    def close(self) -> None:
        """Write down what is counted in memory, stop following changes, close connections."""
        self.feed.stop()
        # Without the database, what the setting's bound allows to be lost is lost.
        with contextlib.suppress(Unavailable):
            self.issue_counter.flush()
        self.passwords.close()
        self.hot_pool.close()
        self.database.dispose()


def build(settings: Settings, *, engine: Engine, session: SessionSource, clock: Clock) -> Container:
    """Put everything together; reads the root key, touches the database only later.

    Args:
        settings: checked settings.
        engine: configured engine (``idp.storage.configure_engine``).
        session: gives the session of the current request or command.
        clock: the injected time.

    Raises:
        RootKeyError: the root key is missing, damaged or open to others.
    """
    rooms = build_rooms(settings, engine=engine, session=session, clock=clock)
    attempts = build_attempts(rooms)
    upstreams = build_upstreams(rooms)
    completion = build_completion(rooms, attempts, upstreams)
    pending = build_pending(rooms, attempts, completion)
    standings = build_standings(rooms, attempts)
    passkey_flow = build_passkey_flow(rooms, completion)
    federation = build_federation(rooms, attempts=attempts, completion=completion, upstreams=upstreams)
    return Container(
        **{field.name: getattr(rooms, field.name) for field in fields(Rooms)},
        **{field.name: getattr(federation, field.name) for field in fields(Federation)},
        oauth=build_oauth(rooms),
        authorization=build_authorization(rooms),
        logout=build_logout(rooms),
        login=build_login(rooms, pending),
        login_attempts=attempts,
        completion=completion,
        added_proof=AddedProof(database=rooms.database, completion=completion),
        pending=pending,
        second_factor=build_second_factor(
            rooms, attempts=attempts, standings=standings, completion=completion, passkeys=passkey_flow
        ),
        sent_codes=build_sent_codes(rooms, attempts, standings),
        account_switch=build_switch(rooms),
        passkey_flow=passkey_flow,
        own_passkeys=build_own_passkeys(rooms),
        signup=build_signup(rooms, attempts, completion),
        recovery=build_recovery(rooms),
        securing=build_securing(rooms),
        selfservice=build_selfservice(rooms),
        admin=build_admin(rooms),
    )
