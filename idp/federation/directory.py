"""The process cache of providers: looking one up costs a dictionary access."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from idp.federation.domains import ascii_domain
from idp.federation.provider import Provider
from idp.federation.provider_secrets import ProviderSecrets
from idp.federation.stored import stored_provider
from idp.storage import ChangeFeed, Database, Repositories


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot:
    """Everything that is asked about providers, computed once."""

    providers: Mapping[str, Provider] = field(default_factory=dict)
    enabled: tuple[Provider, ...] = ()
    homes: Mapping[str, Provider] = field(default_factory=dict)


class ProviderDirectory:
    """Every provider as a frozen object; follows the feed's topic ``providers``.

    Whether the feed can be relied upon is asked by the flows (``feed.assert_available()``), once per request.

    Args:
        database: opens the short read transaction of a reload. It must not share its session
            with the flows, because a look-up may happen in the middle of their transaction.
        repos: repositories on that database's session.
        feed: announces changes.
        secrets: opens their secrets.
    """

    def __init__(
        self, database: Database, repos: Repositories, feed: ChangeFeed, secrets: ProviderSecrets
    ) -> None:
        self._database = database
        self._repos = repos
        self._secrets = secrets
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._snapshot = _Snapshot()
        self._announced = 1
        self._loaded = 0
        feed.subscribe("providers", self.reload)

    def find(self, provider_id: str) -> Provider | None:
        """The provider with this id, disabled ones included; None if there is none.

        Raises:
            Unavailable: a reload is due and the database does not answer (so do all methods).
        """
        return self._current().providers.get(provider_id)

    def enabled(self) -> tuple[Provider, ...]:
        """Those that can be used, hidden ones too, in the order of their buttons."""
        return self._current().enabled

    @property
    def has_homes(self) -> bool:
        """Whether any domain leads elsewhere; mostly none does."""
        return bool(self._current().homes)

    def for_email_domain(self, domain: str) -> Provider | None:
        """Where people with an address of this domain are at home, hidden or not; None if here."""
        homes = self._current().homes
        canonical = ascii_domain(domain) if homes else None
        return None if canonical is None else homes.get(canonical)

    def invalidate(self) -> None:
        """Load again before the next answer."""
        with self._counting:
            self._announced += 1

    def reload(self) -> None:
        """Load now: at start-up, and on the feed's thread when a change was announced."""
        self.invalidate()
        self._current()

    def _current(self) -> _Snapshot:
        if self._loaded != self._announced:
            self._load_once()
        return self._snapshot

    def _load_once(self) -> None:
        """One thread loads, the others wait for its result."""
        with self._lock:
            announced = self._announced
            if self._loaded == announced:
                return
            with self._database.transaction(write=False):
                providers = [stored_provider(row, self._secrets) for row in self._repos.providers.load_all()]
            # Complete before it is seen, and a change announced meanwhile stays due.
            self._snapshot = _snapshot(providers)
            self._loaded = announced


def _snapshot(providers: list[Provider]) -> _Snapshot:
    usable = sorted(
        (provider for provider in providers if provider.enabled),
        key=lambda provider: (provider.position, provider.name.casefold(), provider.id),
    )
    return _Snapshot(
        providers={provider.id: provider for provider in providers},
        enabled=tuple(usable),
        homes={domain: provider for provider in usable for domain in provider.home_domains},
    )
