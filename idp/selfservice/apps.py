"""The applications that act for a person: what they may do, and stopping that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from idp.audit import Actor, AuditEvent, Source
from idp.consents import SENTENCES
from idp.errors import NotFound
from idp.resources import OIDC_SCOPES
from idp.selfservice.services import SelfServiceServices
from idp.storage import ClientUse, ConsentRow

MOST: Final = 200
"""Applications, and answers about them, on the page."""

_BATCH: Final = 10_000
_OFFLINE: Final = "offline_access"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedApp:
    """One application, as the person sees it."""

    client_id: str
    name: str
    uri: str | None
    may: tuple[str, ...]
    """Sentences; those of resource servers are theirs, ours are to be translated."""
    at: tuple[str, ...]
    """Names of the resource servers it may call."""
    since: datetime
    last_used_at: datetime | None
    """None if it holds no tokens now."""
    offline: bool
    """Whether it keeps its access while the person is away."""
    asked: bool
    """Whether the person was asked: an application of the house is not."""


@dataclass(slots=True)
class _Found:
    consents: list[ConsentRow] = field(default_factory=list)
    use: ClientUse | None = None


class ConnectedApps:
    """Lists and stops what acts for a person (row K3)."""

    def __init__(self, services: SelfServiceServices) -> None:
        self._services = services

    def list_(self, account_id: str, now: datetime) -> tuple[ConnectedApp, ...]:
        """Every application that a person has allowed something or that holds tokens, by name."""
        overviews = self._services.repos.overviews
        found: dict[str, _Found] = {}
        with self._services.database.transaction(write=False):
            for row in overviews.consents(account_id, limit=MOST):
                found.setdefault(row.client_id, _Found()).consents.append(row)
            for use in overviews.clients_in_use(account_id, now, limit=MOST):
                found.setdefault(use.client_id, _Found()).use = use
            apps = [self._app(client_id, what) for client_id, what in found.items()]
        return tuple(sorted(apps, key=lambda app: (app.name.casefold(), app.client_id)))

    def stop(self, account_id: str, client_id: str, *, source: Source, now: datetime) -> None:
        """Withdraw everything a person allowed a client, and revoke what it holds, at once.

        Codes that are on their way are used up too, or the client would come back with one a moment later.

        Raises:
            NotFound: the client has nothing of the person's.
        """
        services, overviews = self._services, self._services.repos.overviews
        with services.database.transaction():
            consents = overviews.withdraw_consents(account_id, client_id)
            overviews.void_codes(account_id, now, client_id=client_id)
            families = revoked = overviews.revoke_client(
                account_id, client_id, reason="access_stopped", now=now, limit=_BATCH
            )
            while revoked == _BATCH:
                revoked = overviews.revoke_client(
                    account_id, client_id, reason="access_stopped", now=now, limit=_BATCH
                )
                families += revoked
            if not consents and not families:
                raise NotFound("This application has no access to your account.")
            services.audit.record(
                AuditEvent.CONSENT_WITHDRAWN,
                actor=Actor.account(account_id, source),
                account=account_id,
                client=client_id,
                detail={"consents": consents, "families": families},
                now=now,
            )

    def _app(self, client_id: str, found: _Found) -> ConnectedApp:
        client = self._services.clients.find(client_id)
        use, consents = found.use, found.consents
        scopes, resources = _granted(use, consents)
        claims = {name for row in consents for name in row.claims}
        since = [row.granted_at for row in consents] + ([] if use is None else [use.since])
        return ConnectedApp(
            client_id=client_id,
            name=client_id if client is None else client.name or client_id,
            uri=None if client is None else client.client_uri,
            may=self._sentences(scopes, resources, claims),
            at=tuple(self._server_name(identifier) for identifier in resources),
            since=min(since),
            last_used_at=None if use is None else use.last_used_at,
            offline=use is not None and use.offline,
            asked=bool(consents),
        )

    def _sentences(
        self, scopes: Iterable[str], resources: Iterable[str], claims: Iterable[str]
    ) -> tuple[str, ...]:
        servers = [self._services.resources.find(identifier) for identifier in resources]
        explained: Mapping[str, str] = {
            name: sentence for server in servers if server for name, sentence in server.scopes.items()
        }
        texts = []
        for name in (*sorted(scopes, key=_place), *sorted(claims)):
            if name in OIDC_SCOPES:
                texts.append(SENTENCES[name])
            elif name:
                known = explained.get(name) or self._services.resources.describe(name)
                texts.append(known or SENTENCES.get(name, name))
        return tuple(dict.fromkeys(texts))

    def _server_name(self, identifier: str) -> str:
        server = self._services.resources.find(identifier)
        return identifier if server is None else server.name


def _granted(use: ClientUse | None, consents: Iterable[ConsentRow]) -> tuple[set[str], list[str]]:
    """Scopes, without the one that the page tells of by itself, and resource servers."""
    scopes = {scope for row in consents for scope in row.scopes}
    resources = {row.resource for row in consents}
    if use is not None:
        scopes.update(use.grant.get("scopes", ()))
        resources.update(use.grant.get("resources", ()))
    return scopes - {_OFFLINE, ""}, sorted(resources - {""})


def _place(scope: str) -> tuple[int, str]:
    """OpenID scopes first, in the order in which they are always told."""
    names = tuple(OIDC_SCOPES)
    return (names.index(scope) if scope in names else len(names), scope)
