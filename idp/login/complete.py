"""The end of a sign-in: the one place where a browser session begins outside the password's statement."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.accounts import Accounts, Notice, Notices, assert_may_authenticate
from idp.audit import Actor, Audit, AuditEvent, Source
from idp.authenticators import (
    GUESSABLE,
    FactorThrottle,
    KnownDevice,
    KnownDevices,
    PasswordThrottle,
)
from idp.errors import Conflict
from idp.federation import UpstreamIdentity
from idp.login.assurance import FEDERATED, Achieved, Factor, assurance_of
from idp.login.attempt import LoginAttempt, LoginAttempts
from idp.login.session import Seat, SessionDesk, SignedIn
from idp.login.upstreams import Upstreams
from idp.sessions import BrowserSession, Sessions
from idp.storage import Repositories

_SECOND_STEPS: Final = frozenset(Factor) - {Factor.PASSWORD, *FEDERATED}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionServices:
    """What the end of a sign-in stands on, put together once by the container."""

    repos: Repositories
    accounts: Accounts
    sessions: Sessions
    devices: KnownDevices
    throttle: PasswordThrottle
    factor_throttle: FactorThrottle
    attempts: LoginAttempts
    upstreams: Upstreams
    notices: Notices
    audit: Audit
    remember_device: timedelta
    """``settings.login.remember_device``."""


class Completion:
    """Turns proofs into a browser session. Whether they suffice, the caller has asked the policy."""

    def __init__(self, services: CompletionServices) -> None:
        self._services = services
        self._desk = SessionDesk(sessions=services.sessions, audit=services.audit)

    def complete(  # noqa: PLR0913 - all that a sign-in ends with, by keyword
        self,
        *,
        account_id: str,
        achieved: tuple[Achieved, ...],
        attempt: LoginAttempt | None,
        present: BrowserSession | None,
        park_present: bool = False,
        device_cookie: str | None,
        trust_device: bool = False,
        only_renews: bool = False,
        upstream: UpstreamIdentity | None = None,
        source: Source,
        now: datetime,
    ) -> SignedIn:
        """Sign the person in, in the caller's transaction.

        Args:
            account_id: who has proved who they are.
            achieved: the proofs, each once.
            attempt: what they were kept in; it is used up. ``None`` for a sign-in of one step.
            present: the session this browser had. The same person's is renewed and keeps its ``sid``;
                another person's ends, unless it is parked.
            park_present: whether another person's session goes on beside the new one.
            device_cookie: what the browser sent.
            trust_device: whether the person asked not to be asked for a second step here again; counts only
                if one was taken.
            only_renews: some of the proofs are those of the present session, so without it they are worth
                nothing.
            upstream: what another provider has just said of them; what an attempt has kept counts as well.
            source: where the browser is.
            now: aware UTC time; becomes ``auth_time``.

        Raises:
            Refused: the account may not be used (row T16).
            Conflict: the attempt was used up, or took a step meanwhile; or the session that was to be renewed
                has ended.
            NotFound: no such account.
        """
        services = self._services
        assert_may_authenticate(services.accounts.get(account_id), now)
        if attempt is not None:
            services.attempts.finish(attempt, now)
        device = services.devices.find(device_cookie, account_id, now)
        self._forget_failures(account_id, device, _given_now(achieved, account_id, present))
        seat = self._desk.prepare(
            account_id=account_id,
            present=present,
            assurance=assurance_of(achieved),
            known_device=device is not None,
            source=source,
            now=now,
        )
        session = self._take(seat, park_present=park_present, only_renews=only_renews)
        if upstream is not None:
            services.upstreams.note(session.id, upstream, now)
        elif attempt is not None:
            services.upstreams.note_kept(session.id, attempt.detail, now)
        if device is None and services.devices.knows_any(account_id):
            services.notices.tell(account_id, Notice.NEW_DEVICE, source=source, now=now)
        trusted_until = self._trusted_until(achieved, now) if trust_device else None
        kept, _ = services.devices.remember(device_cookie, account_id, now, trusted_until=trusted_until)
        if trusted_until is not None:
            services.audit.record(
                AuditEvent.DEVICE_TRUSTED,
                actor=Actor.account(account_id, source),
                account=account_id,
                session=session.id,
                detail={"until": trusted_until},
                now=now,
            )
        return SignedIn(session=session, session_cookie=seat.cookie, device_cookie=kept)

    def _take(self, seat: Seat, *, park_present: bool, only_renews: bool) -> BrowserSession:
        services, present = self._services, seat.present
        if present is not None and seat.renewed is not None:
            renewed = services.sessions.renew(seat.draft, present, seat.now)
            if renewed is not None:
                services.repos.audit.add(seat.renewed._replace(session_id=renewed.id))
                return renewed
        if only_renews:
            raise Conflict("This account is not signed in any more.", detail="ended meanwhile")
        if present is not None and seat.ended is not None and not park_present:
            self._end(present, seat)
        begun = services.sessions.begin(seat.draft, seat.account_id, seat.now)
        services.repos.audit.add(seat.started._replace(session_id=begun.id))
        return begun

    def _end(self, present: BrowserSession, seat: Seat) -> None:
        """End another person's session, with the token families that end with it (row S2)."""
        services = self._services
        if seat.ended is None or not services.sessions.end(present.id, "replaced", seat.now):
            return
        families = services.repos.families.revoke_for_session(present.id, seat.now)
        detail = {**seat.ended.detail, "families": families}
        services.repos.audit.add(seat.ended._replace(session_id=present.id, detail=detail))

    def _forget_failures(
        self, account_id: str, device: KnownDevice | None, factors: frozenset[Factor]
    ) -> None:
        """Forget wrong tries with what was proved right, under the counters that this sign-in ran under."""
        services = self._services
        if Factor.PASSWORD in factors:
            services.throttle.forget(account_id, device_digest=None if device is None else device.digest)
        kinds = (factor.value for factor in factors if factor.value in GUESSABLE)
        services.factor_throttle.forget(account_id, device, *kinds)

    def _trusted_until(self, achieved: tuple[Achieved, ...], now: datetime) -> datetime | None:
        """Security: only a browser in which the second step was taken can be let off it (row M8)."""
        lifetime = self._services.remember_device
        took_it = any(proof.factor in _SECOND_STEPS for proof in achieved)
        return now + lifetime if lifetime and took_it else None


def _given_now(
    achieved: tuple[Achieved, ...], account_id: str, present: BrowserSession | None
) -> frozenset[Factor]:
    """What was proved in this sign-in, and not in the one that began the session it continues.

    Security: a step-up must not reset what counts guesses of the password, which it did not ask for.
    """
    since = None if present is None or present.account_id != account_id else present.auth_time
    return frozenset(proof.factor for proof in achieved if since is None or proof.at > since)
