"""A person's accounts elsewhere that they can sign in with: look at, link, unlink."""

from dataclasses import dataclass
from datetime import datetime

from idp.accounts import Notice, assert_may_authenticate
from idp.audit import Actor, AuditEvent, Source
from idp.errors import Conflict, Refused
from idp.federation import ExternalIdentity, Provider, UpstreamIdentity
from idp.selfservice.authenticators import Authenticators
from idp.selfservice.services import SelfServiceServices
from idp.sessions import BrowserSession
from idp.storage import IntegrityConflict


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnIdentity:
    """An account elsewhere, as its owner sees it here."""

    id: str
    provider_id: str
    preset: str
    """Picks the drawing."""
    name: str
    """Of the provider."""
    label: str
    """Address or name there."""
    created_at: datetime
    last_used_at: datetime | None
    is_usable: bool
    """Whether the provider is switched on."""


class OwnIdentities:
    """Each change is one transaction, with its audit event and its notice to the person (row M13).

    Changes ask for a sign-in of a moment ago with the account's second step (rows M7, M8), and raise
    ``NotFresh`` otherwise.
    """

    def __init__(self, services: SelfServiceServices, authenticators: Authenticators) -> None:
        self._services = services
        self._authenticators = authenticators

    def list_(self, account_id: str) -> tuple[OwnIdentity, ...]:
        """Those of an account, oldest first."""
        services = self._services
        with services.database.transaction(write=False):
            links = services.identities.of_account(account_id)
        return tuple(_own(link, services.providers.find(link.provider_id)) for link in links)

    def link(
        self,
        session: BrowserSession,
        provider: Provider,
        identity: UpstreamIdentity,
        *,
        came_from_there: bool = False,
        source: Source,
        now: datetime,
    ) -> None:
        """Let the person sign in with this identity from now on; nothing if they can already.

        Args:
            session: the signed-in person's.
            provider: who said who they are there.
            identity: what it said, a moment ago.
            came_from_there: whether the person was signing in with it, so that the session counts as one
                that came from there.
            source: where the browser is.
            now: aware UTC time.

        Raises:
            NotFresh: they have to prove themself first.
            Conflict: the identity is linked to another account.
            Refused: the account may not be used.
        """
        try:
            self._link(session, provider, identity, came_from_there=came_from_there, source=source, now=now)
        except IntegrityConflict as error:
            raise _elsewhere() from error

    def _link(
        self,
        session: BrowserSession,
        provider: Provider,
        identity: UpstreamIdentity,
        *,
        came_from_there: bool,
        source: Source,
        now: datetime,
    ) -> None:
        services, account_id = self._services, session.account_id
        with services.database.transaction():
            assert_may_authenticate(services.accounts.get(account_id), now, auth_time=session.auth_time)
            self._authenticators.assert_fresh(session, now)
            link = services.identities.find(provider.id, identity.issuer, identity.subject)
            if link is not None and link.account_id != account_id:
                raise _elsewhere()
            if came_from_there:
                services.identities.bind_session(session.id, identity, now)
            if link is not None:
                return
            link = services.identities.link(identity, account_id, now)
            self._record(AuditEvent.IDENTITY_LINKED, session, link, provider.name, source, now)
            self._tell(session, Notice.IDENTITY_LINKED, provider.name, source, now)

    def unlink(self, session: BrowserSession, identity_id: str, *, source: Source, now: datetime) -> None:
        """Take an identity away, unless it is the last way in.

        Raises:
            NotFresh: they have to prove themself first.
            NotFound: the person has no such identity.
            Refused: there would be no way in any more.
        """
        services, account_id = self._services, session.account_id
        with services.database.transaction():
            self._authenticators.assert_fresh(session, now)
            services.repos.passkeys.lock_owner(account_id)
            link = services.identities.unlink(account_id, identity_id, now)
            # Asked after the change and under a lock, so that two removals at once do not leave nothing.
            left = services.repos.enrolments.of(account_id)
            if not (left.password or left.passkeys or left.identities):
                raise Refused(
                    "This is your only way to sign in. Set a password or add a passkey first.",
                    detail="last way in",
                )
            provider = services.providers.find(link.provider_id)
            name = link.provider_id if provider is None else provider.name
            self._record(AuditEvent.IDENTITY_UNLINKED, session, link, name, source, now)
            self._tell(session, Notice.IDENTITY_UNLINKED, name, source, now)

    def _record(
        self,
        event: AuditEvent,
        session: BrowserSession,
        link: ExternalIdentity,
        name: str,
        source: Source,
        now: datetime,
    ) -> None:
        self._services.audit.record(
            event,
            actor=Actor.account(session.account_id, source),
            account=session.account_id,
            session=session.id,
            detail={"provider": link.provider_id, "name": name, "identity": link.id},
            now=now,
        )

    def _tell(
        self, session: BrowserSession, notice: Notice, name: str, source: Source, now: datetime
    ) -> None:
        self._services.notices.tell(
            session.account_id, notice, source=source, now=now, detail={"provider": name}
        )


def _elsewhere() -> Conflict:
    return Conflict("This account there is linked to another account here.", detail="linked_elsewhere")


def _own(link: ExternalIdentity, provider: Provider | None) -> OwnIdentity:
    return OwnIdentity(
        id=link.id,
        provider_id=link.provider_id,
        preset="" if provider is None else provider.preset,
        name=link.provider_id if provider is None else provider.name,
        label=link.label,
        created_at=link.created_at,
        last_used_at=link.last_used_at,
        is_usable=provider is not None and provider.enabled,
    )
