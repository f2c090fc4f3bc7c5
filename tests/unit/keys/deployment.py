"""A deployment of its own for tests about keys: a SQLite file, a root key, a clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from idp.clock import FixedClock
from idp.crypto import RootKey, Sealer
from idp.keys import KeyRing, KeyStore
from idp.settings import DatabaseSettings
from idp.storage import Base, Database, Repositories, create_engine, plain_session, repositories

START = datetime(2030, 1, 1, 12, tzinfo=UTC)
MAX_AGE = timedelta(seconds=60)
LEAD = timedelta(minutes=5)
LONGEST = timedelta(hours=1)
ROOT = RootKey(bytes(range(32)))


@dataclass(frozen=True)
class Deployment:
    """What a worker holds, put together by hand."""

    database: Database
    repos: Repositories
    store: KeyStore
    clock: FixedClock

    def worker(self) -> KeyRing:
        """A loaded key ring, as each worker process has one."""
        ring = KeyRing(self.database, self.store, self.clock)
        ring.reload()
        return ring


def store_for(repos: Repositories, root: RootKey = ROOT) -> KeyStore:
    return KeyStore(
        repos,
        Sealer(root.derive("signing keys")),
        jwks_max_age=MAX_AGE,
        publication_lead=LEAD,
        longest_lifetime=LONGEST,
    )


def assembled(database: Database, repos: Repositories) -> Deployment:
    """A deployment that was never started."""
    return Deployment(database, repos, store_for(repos), FixedClock(START))


def started(database: Database, repos: Repositories) -> Deployment:
    """A deployment that has started once."""
    made = assembled(database, repos)
    with database.transaction():
        made.store.ensure_keys(START)
    return made


@contextmanager
def deployment(folder: Path) -> Iterator[Deployment]:
    engine = create_engine(DatabaseSettings(url=f"sqlite:///{folder}/idp.sqlite3"))
    Base.metadata.create_all(engine)
    session = plain_session(engine)
    database, repos = Database(engine, session), repositories(session)
    try:
        yield assembled(database, repos)
    finally:
        session.remove()
        database.dispose()


@contextmanager
def with_keys(folder: Path) -> Iterator[Deployment]:
    """A deployment that has started once."""
    with deployment(folder) as made:
        yield started(made.database, made.repos)
