"""Chooses the implementation from the database URL."""

from sqlalchemy.engine import make_url

from idp.settings import DatabaseSettings
from idp.storage.database import engine_options
from idp.storage.hot.interface import HotStore, StatementObserver
from idp.storage.hot.postgresql import PostgresHotStore
from idp.storage.hot.sqlite import SqliteHotStore


def create_hot_store(settings: DatabaseSettings, observer: StatementObserver) -> HotStore:
    """The hot store for the configured database; connects lazily."""
    url = make_url(engine_options(settings)[0])
    if settings.dialect == "sqlite":
        return SqliteHotStore(path=url.database or "", observer=observer)
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return PostgresHotStore(conninfo=plain, settings=settings, observer=observer)
