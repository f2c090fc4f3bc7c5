"""Sign in with an account elsewhere. The order of the steps is the security of it."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from idp.accounts import Accounts
from idp.audit import Actor, Audit, AuditEvent, Source
from idp.errors import Conflict, IdpError, NotFound, Refused
from idp.federation import (
    ExternalIdentity,
    Identities,
    Provider,
    ProviderDirectory,
    RelyingParty,
    UpstreamIdentity,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamWish,
)
from idp.languages import marked
from idp.login.admission import Admission
from idp.login.federated_policy import (
    First,
    Missing,
    acr_values_for,
    first_step,
    missing,
    vouched_address,
)
from idp.login.goal import Goal, Visitor
from idp.login.newcomers import AccountMaker, Newcomer, Newcomers, newcomer_of
from idp.login.pending import Unfinished
from idp.login.session import SignedIn
from idp.login.trips import Errand, Purpose, StrayAnswer, Trip, Trips
from idp.ratelimit import Limit, RateLimiter
from idp.storage import Database, IntegrityConflict

TIME_TO_JOIN: Final = timedelta(hours=1)
"""How long somebody may take to say what is missing."""

_UNKNOWN: Final = marked("There is no such way to sign in here.")


class NobodyHere(Refused):
    """Nobody here has this identity, and its provider makes no accounts."""

    def __init__(self) -> None:
        super().__init__(
            "Nobody here is linked to this account, and no account is made for it.", detail="unknown_identity"
        )


class AddressTaken(Conflict):
    """The address is a name of an account here that has not shown that the address is its own."""

    def __init__(self) -> None:
        super().__init__("There is an account with this address already.", detail="address_taken")


class AnotherPerson(Refused):
    """What came back belongs to somebody else than who is signed in."""

    def __init__(self) -> None:
        super().__init__(
            "The account that you chose there is not linked to yours here.", detail="another_person"
        )


class Leaving(NamedTuple):
    """Where to send the browser."""

    provider: Provider
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FederatedServices:
    """What signing in with an account elsewhere stands on, put together once by the container."""

    database: Database
    accounts: Accounts
    providers: ProviderDirectory
    relying_party: RelyingParty
    identities: Identities
    trips: Trips
    newcomers: Newcomers
    maker: AccountMaker
    admission: Admission
    ratelimiter: RateLimiter
    audit: Audit
    asks_for_terms: bool
    """Whether people have to accept terms before they get an account."""


class FederatedFlow:
    """Signs people in who come from another provider.

    ======================================  ==============================================
    step                                    why there
    ======================================  ==============================================
    limits of the source                    cheap; protects everything behind it (L2, L4)
    claim ``state``, of this browser        first, and committed: whatever comes of the answer,
                                            nobody can show it again
    the provider's answer                   outside of transactions: it asks the provider
    whose identity it is                    by provider, issuer and ``sub`` alone (V9)
    gate, account, link, session, audit     in one transaction (X12)
    ======================================  ==============================================
    """

    def __init__(self, services: FederatedServices) -> None:
        self._services = services

    def begin(
        self,
        provider_id: str,
        errand: Errand,
        wish: UpstreamWish,
        *,
        level: int = 1,
        browser: str,
        source: Source,
        now: datetime,
    ) -> Leaving:
        """Send somebody to another provider.

        Args:
            provider_id: which one.
            errand: what for.
            wish: what to ask of the sign-in there.
            level: place in the ladder of ``acr`` that the sign-in has to come to.
            browser: value of the browser cookie, which alone can bring the answer.
            source: where the browser is; each way is kept for a while, so their number is limited.
            now: aware UTC time.

        Raises:
            NotFound: there is no such provider, or it is switched off.
            Refused: too many.
            UpstreamUnavailable: the provider cannot be asked where to go.
        """
        services = self._services
        provider = self.enabled(provider_id)
        services.ratelimiter.hit(Limit.REQUESTS_PER_SOURCE, source.address, now)
        wish = replace(wish, acr_values=acr_values_for(provider, level))
        try:
            departure = services.relying_party.begin(provider, wish, now)
        except UpstreamUnavailable as error:
            self._failed(provider.id, errand, error, source, now)
            raise
        trip = Trip(provider_id=provider.id, record=departure.record(), errand=errand)
        with services.database.transaction():
            services.trips.keep(trip, departure.state, browser=browser, now=now)
        return Leaving(provider, departure.url)

    def enabled(self, provider_id: str) -> Provider:
        """The provider.

        Raises:
            NotFound: there is none with this id, or it is switched off.
        """
        provider = self._services.providers.find(provider_id)
        if provider is None or not provider.enabled:
            raise NotFound(_UNKNOWN, detail=f"no provider {provider_id[:40]!a}")
        return provider

    def note_posted(self, provider_id: str, state: str, fields: Mapping[str, str]) -> None:
        """Keep what a provider posted, for the request that follows with the browser's cookies.

        Raises:
            NotFound: there is no such provider, or it answers by redirects.
        """
        if self.enabled(provider_id).response_mode != "form_post":
            raise NotFound(_UNKNOWN, detail="an answer by form of a provider that sends none")
        if fields:
            with self._services.database.transaction():
                self._services.trips.note_posted(state, fields)

    def returned(self, provider_id: str, state: str, *, browser: str, source: Source, now: datetime) -> Trip:
        """Claim the way that an answer belongs to, whatever the answer says.

        Raises:
            StrayAnswer: nobody in this browser waits for it.
            Refused: too many sign-ins from this source.
        """
        services = self._services
        services.ratelimiter.hit(
            Limit.LOGIN_PER_SOURCE, source.address, now, unless_exhausted=Limit.LOGIN_SPRAY
        )
        try:
            with services.database.transaction():
                trip = services.trips.claim(state, browser=browser, now=now)
        except StrayAnswer as error:
            self._failed(provider_id, error.errand or Errand(), error, source, now)
            raise
        if trip.provider_id != provider_id:
            # Security: a code of one provider must not be shown to another (RFC 9700 §4.4).
            stray = StrayAnswer(errand=trip.errand, detail="state_of_another_provider")
            self._failed(provider_id, trip.errand, stray, source, now)
            raise stray
        return trip

    def identify(
        self, trip: Trip, answer: Mapping[str, str], *, source: Source, now: datetime
    ) -> UpstreamIdentity:
        """Who the provider says it is. Asks the provider, so it is called outside of transactions.

        Args:
            trip: as claimed; it is used up, whatever comes of the answer.
            answer: the parameters that the browser brought.
            source: where the browser is.
            now: aware UTC time.

        Raises:
            UpstreamRefused: the answer does not stand, or the person said no there (``UpstreamDenied``).
            UpstreamUnavailable: the provider does not answer, or nothing that can be used.
            NotFound: the provider was switched off meanwhile.
        """
        try:
            provider = self.enabled(trip.provider_id)
            return self._services.relying_party.finish(provider, {**answer, **trip.posted}, trip.record, now)
        except (UpstreamRefused, UpstreamUnavailable, NotFound) as error:
            self._failed(trip.provider_id, trip.errand, error, source, now)
            self._count_failure(source, now)
            raise

    def sign_in(
        self, trip: Trip, identity: UpstreamIdentity, *, goal: Goal, browser: str, visitor: Visitor
    ) -> SignedIn | Unfinished | Newcomer:
        """Sign in whose identity it is; or say what its first sign-in leads to.

        Returns:
            the session, the way to the next step, or the newcomer who waits in this browser from now on.

        Raises:
            NobodyHere: nobody has it, and none is made.
            AddressTaken: its address is a name of an account that has not proved it.
            AnotherPerson: somebody else is signed in, and is to prove again who they are.
            Refused: the account may not be used (row T16).
        """
        try:
            try:
                return self._sign_in(trip, identity, goal, browser, visitor)
            except IntegrityConflict:
                # The same identity came twice at once, or its address got an account just now: look again.
                return self._sign_in(trip, identity, goal, browser, visitor)
        except IntegrityConflict as error:
            taken = AddressTaken()
            self._failed(trip.provider_id, trip.errand, taken, visitor.source, visitor.now)
            raise taken from error
        except IdpError as error:
            self._failed(trip.provider_id, trip.errand, error, visitor.source, visitor.now)
            raise

    def _sign_in(
        self, trip: Trip, identity: UpstreamIdentity, goal: Goal, browser: str, visitor: Visitor
    ) -> SignedIn | Unfinished | Newcomer:
        services = self._services
        provider = self.enabled(trip.provider_id)
        with services.database.transaction():
            link = services.identities.find(provider.id, identity.issuer, identity.subject)
            if trip.errand.purpose is not Purpose.SIGN_IN and (
                link is None or not visitor.is_signed_in_as(link.account_id)
            ):
                raise AnotherPerson
            if link is None:
                outcome = self._first(trip, provider, identity, browser, visitor)
                if isinstance(outcome, Newcomer):
                    return outcome
                link = outcome
            return services.admission.admit(link, provider, identity, goal=goal, visitor=visitor)

    def _first(
        self, trip: Trip, provider: Provider, identity: UpstreamIdentity, browser: str, visitor: Visitor
    ) -> ExternalIdentity | Newcomer:
        """What the first sign-in of this identity leads to, in the caller's transaction."""
        services, now = self._services, visitor.now
        address = vouched_address(provider, identity)
        owner = None if address is None else services.accounts.find_by_identifier(address)
        first = first_step(provider, identity, owner=owner, lacks=self.missing(provider, identity))
        if first is First.NEVER:
            raise NobodyHere
        if first is First.TAKEN:
            raise AddressTaken
        newcomer = replace(
            newcomer_of(identity, first, trip.errand, now), address=address, proved=address is not None
        )
        if first is First.CREATE:
            return services.maker.make(provider, newcomer, visitor)
        services.newcomers.keep(newcomer, browser, lifetime=TIME_TO_JOIN, now=now)
        return newcomer

    def missing(self, provider: Provider, identity: UpstreamIdentity) -> Missing:
        """What the person has to say before their account can be made."""
        return missing(provider, identity, terms=self._services.asks_for_terms)

    def ways_of(self, account_id: str) -> tuple[Provider, ...]:
        """Providers through which this account can be signed in to."""
        services = self._services
        with services.database.transaction(write=False):
            linked = {link.provider_id for link in services.identities.of_account(account_id)}
        return tuple(provider for provider in services.providers.enabled() if provider.id in linked)

    def refused(self, trip: Trip, error: IdpError, *, source: Source, now: datetime) -> None:
        """Record that a way led to nothing after all, for example because a link could not be made."""
        self._failed(trip.provider_id, trip.errand, error, source, now)

    def _failed(
        self, provider_id: str, errand: Errand, error: IdpError, source: Source, now: datetime
    ) -> None:
        services = self._services
        with services.database.transaction():
            services.audit.record(
                AuditEvent.FEDERATION_FAILED,
                actor=Actor.anonymous(source),
                detail={
                    "provider": provider_id[:40],
                    "purpose": errand.purpose.value,
                    "reason": error.detail or type(error).__name__,
                },
                now=now,
            )

    def _count_failure(self, source: Source, now: datetime) -> None:
        """Count a failure of this source; the refusal, if it is one too many, meets the next attempt."""
        with contextlib.suppress(Refused):
            self._services.ratelimiter.hit(Limit.LOGIN_SPRAY, source.address, now)
