"""Another provider says that somebody is signed out there: what came from there ends here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from idp.audit import Actor, Audit, AuditEvent, Source
from idp.crypto import token_digest
from idp.federation import (
    Identities,
    Provider,
    ProviderDirectory,
    RelyingParty,
    UpstreamLogout,
    UpstreamRefused,
)
from idp.ratelimit import Limit, RateLimiter
from idp.sessions import Sessions
from idp.storage import Database, IntegrityConflict, OneTimeRow, Repositories

_KIND: Final = "federation-logout"
_REASON: Final = "upstream_logout"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamLogoutServices:
    """What it stands on, put together once by the container."""

    database: Database
    repos: Repositories
    providers: ProviderDirectory
    relying_party: RelyingParty
    identities: Identities
    sessions: Sessions
    ratelimiter: RateLimiter
    audit: Audit


class UpstreamLogoutFlow:
    """Takes logout tokens (row K11).

    Source: OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8.
    """

    def __init__(self, services: UpstreamLogoutServices) -> None:
        self._services = services

    def receive(self, provider_id: str, token: str, *, source: Source, now: datetime) -> int:
        """End what came from a session there, or from every session of a person; how many ended.

        Tokens given for ``offline_access`` stay, as after a sign-out here.

        Args:
            provider_id: whose endpoint was called.
            token: as posted.
            source: who calls.
            now: aware UTC time.

        Raises:
            UpstreamRefused: the token does not hold, or was shown before; nothing has happened.
            UpstreamUnavailable: the provider's keys cannot be had; it may try again.
            Refused: too many bad ones from this source.
        """
        try:
            provider = self._enabled(provider_id)
            said = self._services.relying_party.verify_logout_token(provider, token, now)
            return self._end(provider.id, said, now)
        except IntegrityConflict as error:
            replayed = UpstreamRefused("replayed")
            self._refuse(provider_id, replayed, source, now)
            raise replayed from error
        except UpstreamRefused as error:
            self._refuse(provider_id, error, source, now)
            raise

    def _enabled(self, provider_id: str) -> Provider:
        provider = self._services.providers.find(provider_id)
        if provider is None or not provider.enabled:
            raise UpstreamRefused("unknown_provider")
        return provider

    def _end(self, provider_id: str, said: UpstreamLogout, now: datetime) -> int:
        services, actor = self._services, Actor.system("federation")
        with services.database.transaction():
            self._once(provider_id, said, now)
            found = services.identities.sessions_for_logout(
                provider_id=provider_id, issuer=said.issuer, subject=said.subject, upstream_sid=said.sid
            )
            ended = 0
            for session_id, account_id in found:
                if not services.sessions.end(session_id, _REASON, now):
                    continue
                ended += 1
                families = services.repos.families.revoke_for_session(session_id, now, keep_offline=True)
                services.audit.record(
                    AuditEvent.SESSION_ENDED,
                    actor=actor,
                    account=account_id,
                    session=session_id,
                    detail={"reason": _REASON, "families": families},
                    now=now,
                )
            services.audit.record(
                AuditEvent.UPSTREAM_LOGOUT_RECEIVED,
                actor=actor,
                detail={"provider": provider_id, "sessions": ended},
                now=now,
            )
        return ended

    def _once(self, provider_id: str, said: UpstreamLogout, now: datetime) -> None:
        """Remember the token for as long as it would be accepted; a second one fails the transaction."""
        self._services.repos.one_time.issue(
            OneTimeRow(
                digest=token_digest(_KIND, f"{provider_id}\0{said.jti}"),
                kind=_KIND,
                binding=provider_id,
                created_at=now,
                expires_at=max(said.expires_at, now),
                consumed_at=now,
            )
        )

    def _refuse(self, provider_id: str, error: UpstreamRefused, source: Source, now: datetime) -> None:
        services = self._services
        with services.database.transaction():
            services.audit.record(
                AuditEvent.UPSTREAM_LOGOUT_REFUSED,
                actor=Actor.anonymous(source),
                detail={"provider": provider_id[:40], "reason": error.detail},
                now=now,
            )
        services.ratelimiter.hit(Limit.CLIENT_AUTH_FAILURES, source.address, now)
