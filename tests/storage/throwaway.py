"""An empty database with all tables, gone after the test."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from idp.settings import DatabaseSettings
from idp.storage import Base, create_engine
from tests.services import postgresql_url


@contextmanager
def database(dialect: str, folder: Path) -> Iterator[tuple[DatabaseSettings, Engine]]:
    """Settings of a fresh database and an engine for it."""
    if dialect == "sqlite":
        with tables(DatabaseSettings(url=f"sqlite:///{folder}/test.sqlite3")) as made:
            yield made
        return
    server = postgresql_url()
    if server is None:
        pytest.skip("no PostgreSQL")
    name = f"idp_ephemeral_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            url = make_url(server).set(database=name).render_as_string(hide_password=False)
            with tables(DatabaseSettings(url=url)) as made:
                yield made
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def tables(settings: DatabaseSettings) -> Iterator[tuple[DatabaseSettings, Engine]]:
    """All tables in an existing, empty database."""
    engine = create_engine(settings)
    try:
        Base.metadata.create_all(engine)
        yield settings, engine
    finally:
        engine.dispose()
