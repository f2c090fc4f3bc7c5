"""Chooses the implementation from the database URL."""

from idp.settings import DatabaseSettings
from idp.storage.connections import database_url
from idp.storage.hot.interface import HotStore, StatementObserver
from idp.storage.hot.postgresql import PostgresHotStore
from idp.storage.hot.sqlite import SqliteHotStore


def create_hot_store(settings: DatabaseSettings, observer: StatementObserver) -> HotStore:
    """The hot store for the configured database; connects lazily."""
    url = database_url(settings)
    if settings.dialect == "sqlite":
        return SqliteHotStore(path=url.database or "", observer=observer)
    options = url.query.get("options", "")
    plain = url.set(drivername="postgresql").difference_update_query(["options"])
    return PostgresHotStore(
        conninfo=plain.render_as_string(hide_password=False),
        extra_options=options if isinstance(options, str) else " ".join(options),
        settings=settings,
        observer=observer,
    )
