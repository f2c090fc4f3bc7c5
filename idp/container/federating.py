"""Signing in with accounts elsewhere: how it is built."""

from dataclasses import dataclass

from idp.container.rooms import Rooms
from idp.crypto import Sealer
from idp.login import (
    AccountMaker,
    Admission,
    AdmissionServices,
    Completion,
    Enrolments,
    FederatedFlow,
    FederatedServices,
    JoiningFlow,
    JoiningServices,
    LoginAttempts,
    Newcomers,
    Trips,
    UpstreamLogoutFlow,
    UpstreamLogoutServices,
    Upstreams,
    UpstreamSignOut,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Federation:
    """The flows of people who come from other providers."""

    federated: FederatedFlow
    joining: JoiningFlow
    upstream_logout: UpstreamLogoutFlow
    upstream_sign_out: UpstreamSignOut


def build_upstreams(rooms: Rooms) -> Upstreams:
    """What providers said, sealed."""
    return Upstreams(rooms.identities, Sealer(rooms.root_key.derive("upstream-answers")))


def build_federation(
    rooms: Rooms, *, attempts: LoginAttempts, completion: Completion, upstreams: Upstreams
) -> Federation:
    """Put it together."""
    registration = rooms.settings.registration
    asks_for_terms = registration.terms_uri is not None
    newcomers = Newcomers(rooms.drafts_once, upstreams)
    maker = AccountMaker(
        accounts=rooms.accounts,
        identities=rooms.identities,
        audit=rooms.audit,
        terms_version=registration.terms_version if asks_for_terms else None,
    )
    admission = Admission(
        AdmissionServices(
            repos=rooms.repos,
            accounts=rooms.accounts,
            identities=rooms.identities,
            upstreams=upstreams,
            enrolments=Enrolments(rooms.repos),
            attempts=attempts,
            devices=rooms.devices,
            completion=completion,
            audit=rooms.audit,
        )
    )
    return Federation(
        federated=_flow(rooms, newcomers, maker, admission, asks_for_terms=asks_for_terms),
        joining=_joining(rooms, newcomers, maker, admission, asks_for_terms=asks_for_terms),
        upstream_logout=UpstreamLogoutFlow(
            UpstreamLogoutServices(
                database=rooms.database,
                repos=rooms.repos,
                providers=rooms.providers,
                relying_party=rooms.relying_party,
                identities=rooms.identities,
                sessions=rooms.sessions,
                ratelimiter=rooms.ratelimiter,
                audit=rooms.audit,
            )
        ),
        upstream_sign_out=UpstreamSignOut(
            database=rooms.database,
            providers=rooms.providers,
            relying_party=rooms.relying_party,
            identities=rooms.identities,
            drafts=rooms.drafts_once,
            returns_to=f"{rooms.settings.issuer}/logged-out",
        ),
    )


def _flow(
    rooms: Rooms, newcomers: Newcomers, maker: AccountMaker, admission: Admission, *, asks_for_terms: bool
) -> FederatedFlow:
    return FederatedFlow(
        FederatedServices(
            database=rooms.database,
            accounts=rooms.accounts,
            providers=rooms.providers,
            relying_party=rooms.relying_party,
            identities=rooms.identities,
            trips=Trips(
                rooms.repos,
                Sealer(rooms.root_key.derive("federation-trips")),
                lifetime=rooms.settings.login.attempt_lifetime,
            ),
            newcomers=newcomers,
            maker=maker,
            admission=admission,
            ratelimiter=rooms.ratelimiter,
            audit=rooms.audit,
            asks_for_terms=asks_for_terms,
        )
    )


def _joining(
    rooms: Rooms, newcomers: Newcomers, maker: AccountMaker, admission: Admission, *, asks_for_terms: bool
) -> JoiningFlow:
    return JoiningFlow(
        JoiningServices(
            issuer=rooms.settings.issuer,
            database=rooms.database,
            accounts=rooms.accounts,
            providers=rooms.providers,
            newcomers=newcomers,
            maker=maker,
            admission=admission,
            codes=rooms.codes_once,
            outbox=rooms.outbox,
            ratelimiter=rooms.ratelimiter,
            audit=rooms.audit,
            code_lifetime=rooms.settings.login.one_time_code_lifetime,
            asks_for_terms=asks_for_terms,
        )
    )
