"""Somebody whom another provider has sent and whom nobody here knows yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from idp.accounts import Account, Accounts
from idp.audit import Actor, Audit, AuditEvent
from idp.crypto import b64url_encode, random_token, token_digest
from idp.errors import Invalid
from idp.federation import ExternalIdentity, Identities, Provider, UpstreamIdentity
from idp.ids import new_id
from idp.login.assurance import Factor
from idp.login.federated_policy import First
from idp.login.goal import Visitor
from idp.login.trips import Errand
from idp.login.upstreams import Upstreams
from idp.onetime import Claimed, OneTimeDrafts

_KIND: Final = "federation"
_NAME_SIZE: Final = 8
"""Random bytes behind the name of an account that has no address to be called by."""

_NOT_TAKEN_OVER: Final = frozenset(
    {
        "email",
        "email_verified",
        "phone_number",
        "phone_number_verified",
        "preferred_username",
        "sub",
        "updated_at",
    }
)
"""What people sign in with here or what has to be proved here, so that nobody else's word makes it so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Somebody who waits for their account, or for the proof of the one they have."""

    account_id: str
    """Of the account that may be made."""
    identity: UpstreamIdentity
    first: First
    errand: Errand
    address: str | None = None
    """The e-mail address of their account: vouched for, or typed and still to be proved."""
    proved: bool = False
    typed: Mapping[str, str] = field(default_factory=dict)
    """Claims that they filled in."""
    accepts_terms: bool = False


class Newcomers:
    """Keeps one newcomer for each browser, found by its cookie. Callers hold the transaction.

    Args:
        drafts: where they wait.
        upstreams: seals what their provider said.
    """

    def __init__(self, drafts: OneTimeDrafts, upstreams: Upstreams) -> None:
        self._drafts = drafts
        self._upstreams = upstreams

    @staticmethod
    def binding(browser: str) -> str:
        """What belongs to this browser's newcomer, and to nobody else's (row M3)."""
        return b64url_encode(token_digest("newcomer-browser", browser))

    def keep(self, newcomer: Newcomer, browser: str, *, lifetime: timedelta, now: datetime) -> None:
        """Keep them, in the place of the one before."""
        binding = self.binding(browser)
        self._drafts.keep(
            _KIND,
            binding=binding,
            account_id=None,
            payload={
                "account": newcomer.account_id,
                "identity": self._upstreams.seal(newcomer.identity, context=binding),
                "first": newcomer.first.value,
                "errand": newcomer.errand.to_json(),
                "address": newcomer.address,
                "proved": newcomer.proved,
                "typed": dict(newcomer.typed),
                "accepts_terms": newcomer.accepts_terms,
            },
            lifetime=lifetime,
            now=now,
        )

    def find(self, browser: str, now: datetime) -> Newcomer | None:
        """Who waits in this browser; ``None`` if nobody, or too long."""
        binding = self.binding(browser)
        draft = self._drafts.find(_KIND, binding=binding, now=now)
        return None if draft is None else self._read(draft, binding)

    def claim(self, browser: str, now: datetime) -> Newcomer | None:
        """Use it up, in the transaction of its effect; at most one caller ever succeeds."""
        binding = self.binding(browser)
        draft = self._drafts.claim(_KIND, binding=binding, now=now)
        return None if draft is None else self._read(draft, binding)

    def _read(self, draft: Claimed, binding: str) -> Newcomer:
        stored = draft.payload
        return Newcomer(
            account_id=stored["account"],
            identity=self._upstreams.open(stored["identity"], context=binding),
            first=First(stored["first"]),
            errand=Errand.from_json(stored["errand"]),
            address=stored["address"],
            proved=stored["proved"] is True,
            typed=stored["typed"],
            accepts_terms=stored["accepts_terms"] is True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMaker:
    """Makes the accounts of newcomers. Callers hold the transaction."""

    accounts: Accounts
    identities: Identities
    audit: Audit
    terms_version: str | None
    """Which terms people accept here; ``None`` for none."""

    def make(self, provider: Provider, newcomer: Newcomer, visitor: Visitor) -> ExternalIdentity:
        """The account of a newcomer, with the link that leads to it.

        Args:
            provider: who sent them.
            newcomer: with an address only if it is proved.
            visitor: the browser.

        Raises:
            IntegrityConflict: the address is a name of another account by now, or the identity has an
                account already. The transaction cannot go on.
            Invalid: what was typed cannot be a claim.
        """
        now, address = visitor.now, newcomer.address if newcomer.proved else None
        account = self.accounts.create(
            account_id=newcomer.account_id,
            # Security: a name from elsewhere might be somebody's here, and an answer would say so (row L6).
            username=address or f"{provider.id}-{random_token(_NAME_SIZE).lower()}",
            email=address,
            email_verified=address is not None,
            claims={**self._at_first(provider, newcomer.identity), **newcomer.typed},
            terms_version=self.terms_version if newcomer.accepts_terms else None,
            now=now,
        )
        link = self.identities.link(newcomer.identity, account.id, now)
        if provider.profile_sync != "never":
            self.identities.bring_groups(link, newcomer.identity.groups, now)
        self._record(provider, account, visitor)
        return link

    def _at_first(self, provider: Provider, identity: UpstreamIdentity) -> dict[str, Any]:
        """The claims that a new account gets: of a provider that is never followed, the required ones."""
        taken = taken_over(identity.claims, self.accounts)
        if provider.profile_sync == "never":
            return {name: value for name, value in taken.items() if name in provider.required_claims}
        return taken

    def _record(self, provider: Provider, account: Account, visitor: Visitor) -> None:
        self.audit.record(
            AuditEvent.ACCOUNT_CREATED,
            actor=Actor.account(account.id, visitor.source),
            account=account.id,
            detail={
                "username": account.username,
                "way": "federation",
                "provider": provider.id,
                "factor": Factor.FEDERATED.value,
                "terms": account.terms_version,
            },
            now=visitor.now,
        )


def newcomer_of(identity: UpstreamIdentity, first: First, errand: Errand, now: datetime) -> Newcomer:
    """Somebody who has just come."""
    return Newcomer(account_id=new_id("acc", now), identity=identity, first=first, errand=errand)


def taken_over(claims: Mapping[str, Any], accounts: Accounts) -> dict[str, Any]:
    """The claims of a provider that an account here may carry."""
    taken = {}
    for name, value in claims.items():
        if not accounts.knows_claim(name) or name in _NOT_TAKEN_OVER:
            continue
        try:
            taken.update(accounts.validate_claims({name: value}))
        except Invalid:
            continue
    return taken
