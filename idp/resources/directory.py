"""The process cache of resource servers."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from idp.fibers import assert_may_block
from idp.resources.rules import ResourceServer
from idp.storage import ChangeFeed, Database, Repositories, ResourceServerRow


@dataclass(frozen=True, slots=True, kw_only=True)
class _Snapshot:
    """Everything that is asked about resource servers, computed once."""

    servers: Mapping[str, ResourceServer] = field(default_factory=dict)
    owners: Mapping[str, ResourceServer] = field(default_factory=dict)
    sentences: Mapping[str, str] = field(default_factory=dict)


class ResourceDirectory:
    """Every registered resource server as a frozen object; follows the feed's topic ``resources``.

    Args:
        database: opens the short read transaction of a reload. It must not share its session
            with the flows, because a look-up may happen in the middle of their transaction.
        repos: repositories on that database's session.
        feed: announces changes.
    """

    def __init__(self, database: Database, repos: Repositories, feed: ChangeFeed) -> None:
        self._database = database
        self._repos = repos
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._snapshot = _Snapshot()
        self._announced = 1
        self._loaded = 0
        feed.subscribe("resources", self.reload)

    def version(self) -> object:
        """Another object after every change: what was worked out from one version holds for that one."""
        return self._current()

    def find(self, identifier: str) -> ResourceServer | None:
        """The resource server with this identifier, compared as a string.

        Raises:
            Unavailable: a reload is due and the database does not answer (so do all methods).
        """
        return self._current().servers.get(identifier)

    def all(self) -> tuple[ResourceServer, ...]:
        """Every resource server, by identifier."""
        return tuple(self._current().servers.values())

    def owner_of(self, scope: str) -> ResourceServer | None:
        """The one resource server that defines this scope; None if none or several do."""
        return self._current().owners.get(scope)

    def describe(self, scope: str) -> str | None:
        """The sentence people read for this scope; of several servers the first by identifier."""
        return self._current().sentences.get(scope)

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
        assert_may_block()
        with self._lock:
            announced = self._announced
            if self._loaded == announced:
                return
            with self._database.transaction(write=False):
                servers = [resource_server(row) for row in self._repos.resources.list_()]
            self._snapshot = _snapshot(servers)
            self._loaded = announced


def _snapshot(servers: list[ResourceServer]) -> _Snapshot:
    ordered = sorted(servers, key=lambda server: server.identifier)
    counts = Counter(scope for server in ordered for scope in server.scopes)
    owners = {scope: server for server in ordered for scope in server.scopes if counts[scope] == 1}
    sentences: dict[str, str] = {}
    for server in ordered:
        for scope, sentence in server.scopes.items():
            sentences.setdefault(scope, sentence)
    return _Snapshot(
        servers={server.identifier: server for server in ordered}, owners=owners, sentences=sentences
    )


def resource_server(row: ResourceServerRow) -> ResourceServer:
    """The frozen resource server of a row."""
    return ResourceServer(
        identifier=row.identifier,
        name=row.name,
        scopes={name: sentence for name, sentence in row.scopes},  # noqa: C416 - pairs are lists in JSON
        access_token_format=row.access_token_format,
    )
