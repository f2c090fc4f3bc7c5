"""Chooses the implementation from the database URL."""

from idp.settings import DatabaseSettings
from idp.storage.connections import database_url
from idp.storage.hot.browser_interface import BrowserStore
from idp.storage.hot.browser_postgresql import PostgresBrowserStore
from idp.storage.hot.browser_sqlite import SqliteBrowserStore
from idp.storage.hot.interface import HotStore, StatementObserver
from idp.storage.hot.login_interface import LoginStore
from idp.storage.hot.login_postgresql import PostgresLoginStore
from idp.storage.hot.login_sqlite import SqliteLoginStore
from idp.storage.hot.postgresql import PostgresHotStore
from idp.storage.hot.postgresql_pool import PostgresPool
from idp.storage.hot.sqlite import SqliteHotStore
from idp.storage.hot.sqlite_pool import SqlitePool
from idp.storage.hot.windows import PostgresWindowStore, SqliteWindowStore, WindowStore

HotPool = PostgresPool | SqlitePool
"""The connections that every hot store of a process works on."""


def create_hot_pool(settings: DatabaseSettings, observer: StatementObserver) -> HotPool:
    """The hot paths' connections to the configured database; connects lazily, whoever makes it closes it."""
    url = database_url(settings)
    if settings.dialect == "sqlite":
        return SqlitePool(path=url.database or "", observer=observer)
    options = url.query.get("options", "")
    plain = url.set(drivername="postgresql").difference_update_query(["options"])
    return PostgresPool(
        conninfo=plain.render_as_string(hide_password=False),
        extra_options=options if isinstance(options, str) else " ".join(options),
        settings=settings,
        observer=observer,
    )


def create_hot_store(pool: HotPool) -> HotStore:
    """The token path's store on these connections."""
    return SqliteHotStore(pool) if isinstance(pool, SqlitePool) else PostgresHotStore(pool)


def create_browser_store(pool: HotPool) -> BrowserStore:
    """The pages' store on these connections."""
    return SqliteBrowserStore(pool) if isinstance(pool, SqlitePool) else PostgresBrowserStore(pool)


def create_login_store(pool: HotPool) -> LoginStore:
    """The sign-ins' store on these connections."""
    return SqliteLoginStore(pool) if isinstance(pool, SqlitePool) else PostgresLoginStore(pool)


def create_window_store(pool: HotPool) -> WindowStore:
    """The limits' store on these connections."""
    return SqliteWindowStore(pool) if isinstance(pool, SqlitePool) else PostgresWindowStore(pool)
