"""From a newcomer to an account: what is missing, the proof of an address, and the first session."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from idp.accounts import Account, Accounts, canonical_email, normalized_email, validate_claims
from idp.audit import Actor, Audit, AuditEvent, Source
from idp.delivery import Outbox
from idp.errors import Invalid, NotFound, Refused
from idp.federation import Provider, ProviderDirectory
from idp.languages import marked
from idp.login.admission import Admission
from idp.login.federated import TIME_TO_JOIN, AddressTaken
from idp.login.federated_policy import First, Missing, first_step, missing, vouched_address
from idp.login.goal import Goal, Visitor
from idp.login.newcomers import AccountMaker, Newcomer, Newcomers
from idp.login.pending import Unfinished
from idp.login.session import SignedIn
from idp.onetime import OneTimeCodes
from idp.ratelimit import Limit, RateLimiter
from idp.storage import Database, IntegrityConflict

TYPED: Final = ("name", "given_name", "family_name")
"""Claims that people can be asked for, besides their address."""

_KIND: Final = "newcomer"
_NOTHING: Final = Missing(claims=(), terms=False)
_LONGEST_NAME: Final = 200
_OVER: Final = marked("This registration has come to its end. Please begin again.")
_NO_ADDRESS: Final = marked("Enter your e-mail address.")
_MISSING: Final = {
    "name": marked("Enter your name."),
    "given_name": marked("Enter your first name."),
    "family_name": marked("Enter your last name."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JoiningServices:
    """What it stands on, put together once by the container."""

    issuer: str
    database: Database
    accounts: Accounts
    providers: ProviderDirectory
    newcomers: Newcomers
    maker: AccountMaker
    admission: Admission
    codes: OneTimeCodes
    outbox: Outbox
    ratelimiter: RateLimiter
    audit: Audit
    code_lifetime: timedelta
    asks_for_terms: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the page asks a newcomer for."""

    newcomer: Newcomer
    provider: Provider
    lacks: Missing
    asks_for_name: bool
    """Whether a name may be given, though none is required."""
    asks_for_address: bool
    """Whether an e-mail address may be given, which a code then confirms."""


class JoiningFlow:
    """Makes the accounts of newcomers who have to say something first.

    What their provider said waits on the server, found by the browser's cookie. Whether the address that
    they type has an account, only its owner learns, from the message (row L6).
    """

    def __init__(self, services: JoiningServices) -> None:
        self._services = services

    def waiting(self, browser: str, now: datetime) -> Newcomer | None:
        """Who waits in this browser; ``None`` if nobody, or too long."""
        with self._services.database.transaction(write=False):
            return self._services.newcomers.find(browser, now)

    def question(self, browser: str, now: datetime) -> Question:
        """What to ask the newcomer for.

        Raises:
            NotFound: nobody waits here.
        """
        newcomer = self._asked(self.waiting(browser, now))
        provider = self._provider(newcomer)
        lacks = self._missing(provider, newcomer)
        return Question(
            newcomer=newcomer,
            provider=provider,
            lacks=lacks,
            asks_for_address=not newcomer.proved
            and self._services.outbox.can_mail
            and (provider.creates == "ask" or "email" in lacks.claims),
            asks_for_name="name" not in newcomer.identity.claims,
        )

    def fill_in(
        self,
        typed: Mapping[str, str],
        *,
        accepts_terms: bool,
        browser: str,
        locale: str,
        goal: Goal,
        visitor: Visitor,
    ) -> SignedIn | Unfinished | None:
        """Take what was missing: make the account, or send a code to the address that was typed.

        Returns:
            ``None`` if a code was sent, or a message that there is an account already.

        Raises:
            NotFound: nobody waits here.
            Invalid: something is missing or cannot be used.
            AddressTaken: the address that the provider vouches for is somebody's name by now.
            Refused: too many steps from this source, or the account may not be used.
        """
        services, now = self._services, visitor.now
        self._limit(visitor.source, now)
        with services.database.transaction():
            newcomer = self._asked(services.newcomers.find(browser, now))
            provider = self._provider(newcomer)
            newcomer = self._with(newcomer, self._missing(provider, newcomer), typed, terms=accepts_terms)
            services.newcomers.keep(newcomer, browser, lifetime=TIME_TO_JOIN, now=now)
            if newcomer.address is not None and not newcomer.proved:
                self._send(newcomer.address, newcomer, browser, locale, visitor.source, now)
                return None
        return self._finish(browser, goal, visitor)

    def resend(self, *, browser: str, locale: str, source: Source, now: datetime) -> None:
        """Send a new code, which takes the place of the one before.

        Raises:
            NotFound: nobody waits here for one.
            Refused: too many steps from this source.
        """
        self._limit(source, now)
        with self._services.database.transaction():
            newcomer = self._asked(self._services.newcomers.find(browser, now))
            if newcomer.address is None or newcomer.proved:
                raise NotFound(_OVER)
            self._send(newcomer.address, newcomer, browser, locale, source, now)

    def confirm(
        self, code: str, *, browser: str, goal: Goal, visitor: Visitor
    ) -> SignedIn | Unfinished | None:
        """Take the code, and make the account; ``None`` if the code was wrong.

        Raises:
            NotFound: nobody waits here.
            AddressTaken: the address got an account meanwhile.
            Refused: too many steps from this source, or the account may not be used.
        """
        services, now = self._services, visitor.now
        self._limit(visitor.source, now)
        with services.database.transaction():
            newcomer = self._asked(services.newcomers.find(browser, now))
            claimed = services.codes.claim(
                _KIND, binding=services.newcomers.binding(browser), code=code, now=now
            )
            # Security: the code of an address that has an account was told to nobody, and one of another
            # address is not of this (rows L6, V4).
            if (
                claimed is None
                or claimed.payload["decoy"]
                or claimed.payload["account"] != newcomer.account_id
                or claimed.target != newcomer.address
            ):
                return None
            services.newcomers.keep(replace(newcomer, proved=True), browser, lifetime=TIME_TO_JOIN, now=now)
        return self._finish(browser, goal, visitor)

    def known(self, browser: str, account: Account, now: datetime) -> tuple[Provider, Newcomer]:
        """Who waits in this browser to be linked to this account, which has the address they came with.

        Raises:
            NotFound: nobody does.
            Refused: the address is another account's.
        """
        newcomer = self.waiting(browser, now)
        if newcomer is None or newcomer.first is not First.KNOWN:
            raise NotFound(_OVER)
        provider = self._provider(newcomer)
        if first_step(provider, newcomer.identity, owner=account, lacks=_NOTHING) is not First.KNOWN:
            raise Refused("The address belongs to another account.", detail="another_account")
        return provider, newcomer

    def forget(self, browser: str, now: datetime) -> None:
        """Nobody waits in this browser any more."""
        with self._services.database.transaction():
            self._services.newcomers.claim(browser, now)

    def _finish(self, browser: str, goal: Goal, visitor: Visitor) -> SignedIn | Unfinished:
        """Use the newcomer up and make the account; of parallel tries one succeeds."""
        try:
            return self._make(browser, goal, visitor)
        except IntegrityConflict:
            # The identity got an account a moment ago, in another tab, or the address did: look again.
            pass
        try:
            return self._make(browser, goal, visitor)
        except IntegrityConflict as error:
            raise AddressTaken from error

    def _make(self, browser: str, goal: Goal, visitor: Visitor) -> SignedIn | Unfinished:
        services, now = self._services, visitor.now
        with services.database.transaction():
            newcomer = self._asked(services.newcomers.claim(browser, now))
            identity, provider = newcomer.identity, self._provider(newcomer)
            link = services.maker.identities.find(provider.id, identity.issuer, identity.subject)
            if link is None:
                link = services.maker.make(provider, newcomer, visitor)
            return services.admission.admit(link, provider, identity, goal=goal, visitor=visitor)

    def _with(self, newcomer: Newcomer, lacks: Missing, typed: Mapping[str, str], *, terms: bool) -> Newcomer:
        """The newcomer with what was typed.

        Raises:
            Invalid: ``field`` has to change.
        """
        claims = {name: text for name in TYPED if (text := typed.get(name, "").strip())}
        for name in lacks.claims:
            if name != "email" and name not in claims:
                raise Invalid(_MISSING[name], field=name)
        for name, text in claims.items():
            _assert_name(name, text)
        if lacks.terms and not terms:
            raise Invalid("Please accept the terms to go on.", field="terms")
        newcomer = replace(newcomer, typed=claims, accepts_terms=terms)
        vouched = vouched_address(self._provider(newcomer), newcomer.identity)
        if vouched is not None:
            return replace(newcomer, address=vouched, proved=True)
        written = typed.get("email", "").strip()
        if "email" in lacks.claims and not self._services.outbox.can_mail:
            raise Invalid("No mail can be sent here, so your address cannot be confirmed.", field="email")
        if "email" in lacks.claims and not written:
            raise Invalid(_NO_ADDRESS, field="email")
        if not written or not self._services.outbox.can_mail:
            return replace(newcomer, address=None, proved=False)
        canonical_email(written)
        return replace(newcomer, address=normalized_email(written), proved=False)

    def _send(
        self, address: str, newcomer: Newcomer, browser: str, locale: str, source: Source, now: datetime
    ) -> None:
        """The same work whether the address has an account or not (row L6)."""
        services, lifetime = self._services, self._services.code_lifetime
        owner = services.accounts.find_by_identifier(address)
        code = services.codes.issue(
            _KIND,
            binding=services.newcomers.binding(browser),
            target=address,
            payload={"account": newcomer.account_id, "decoy": owner is not None},
            lifetime=lifetime,
            now=now,
        )
        said: dict[str, Any] = (
            {"code": code, "minutes": int(lifetime.total_seconds()) // 60}
            if owner is None
            else {"link": f"{services.issuer}/login"}
        )
        services.outbox.mail(
            "signup_code" if owner is None else "account_exists",
            to=address,
            locale=locale,
            values=said,
            account_id=None if owner is None else owner.id,
            now=now,
            expires_at=now + lifetime,
            source=source.address,
        )
        services.audit.record(
            AuditEvent.SIGNUP_REQUESTED,
            actor=Actor.anonymous(source),
            account=None if owner is None else owner.id,
            detail={"channel": "mail", "resent": False, "provider": newcomer.identity.provider_id},
            now=now,
        )

    def _missing(self, provider: Provider, newcomer: Newcomer) -> Missing:
        return missing(provider, newcomer.identity, terms=self._services.asks_for_terms)

    def _provider(self, newcomer: Newcomer) -> Provider:
        provider = self._services.providers.find(newcomer.identity.provider_id)
        if provider is None or not provider.enabled:
            raise NotFound(_OVER)
        return provider

    @staticmethod
    def _asked(newcomer: Newcomer | None) -> Newcomer:
        if newcomer is None or newcomer.first is not First.ASK:
            raise NotFound(_OVER)
        return newcomer

    def _limit(self, source: Source, now: datetime) -> None:
        self._services.ratelimiter.hit(Limit.ACCOUNT_REQUESTS, source.address, now)


def _assert_name(name: str, text: str) -> None:
    """Refuse what cannot be a name, in words for people."""
    if len(text) > _LONGEST_NAME:
        raise Invalid("This name is too long.", field=name)
    try:
        validate_claims({name: text})
    except Invalid as error:
        raise Invalid("This name cannot be used. Please choose another spelling.", field=name) from error
