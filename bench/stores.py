"""Databases of the benchmark's own, made for one run and gone after it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

from bench.processes import cpu_seconds
from tests.services import POSTGRESQL_VARIABLE, postgresql_url


class StoreMissing(RuntimeError):
    """There is no PostgreSQL server to measure on."""


@dataclass(frozen=True, slots=True)
class Store:
    """One database: its ``IDP_DATABASE_URL`` and how to look at what it costs."""

    name: str
    """``postgresql`` or ``sqlite``."""
    url: str

    def backends(self) -> list[int]:
        """Process ids of the PostgreSQL backends that serve this database, where they run on this machine."""
        if self.name != "postgresql":
            return []
        with psycopg.connect(self.url, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
        return [pid for (pid,) in rows if Path(f"/proc/{pid}/schedstat").exists()]

    def pin(self, core: int) -> None:
        """Keep the backends off the core under measurement, where the system lets us."""
        for pid in self.backends():
            with suppress(OSError):
                os.sched_setaffinity(pid, {core})

    def cpu(self) -> dict[int, float]:
        """CPU seconds of each backend so far."""
        return {pid: cpu_seconds([pid]) for pid in self.backends()}

    def analyze(self) -> None:
        """Give PostgreSQL's planner the statistics that autovacuum would have gathered by and by."""
        if self.name == "postgresql":
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")


def postgresql_server() -> str:
    """Address of a server on which databases may be made; the environment names it as for the tests.

    Raises:
        StoreMissing: none answers.
    """
    url = postgresql_url()
    if url is None:
        raise StoreMissing(f"no PostgreSQL server found; name one with {POSTGRESQL_VARIABLE}=postgresql://…")
    return url


@contextmanager
def postgresql_store() -> Iterator[Store]:
    """A new database on the server, dropped at the end."""
    server = postgresql_server()
    name = f"idp_bench_{os.getpid()}_{secrets.token_hex(4)}"
    _run(server, "CREATE DATABASE {}", name)
    try:
        yield Store("postgresql", server.rpartition("/")[0] + f"/{name}")
    finally:
        _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


@contextmanager
def sqlite_store(folder: Path) -> Iterator[Store]:
    """A database file in a folder that its caller removes."""
    yield Store("sqlite", f"sqlite:///{folder / 'idp.sqlite3'}")


@contextmanager
def open_store(name: str, folder: Path) -> Iterator[Store]:
    """The store of this name: ``postgresql`` or ``sqlite``.

    Raises:
        StoreMissing: there is none of this name, or no server for it.
    """
    if name not in {"postgresql", "sqlite"}:
        raise StoreMissing(f"no such store: {name}; there are postgresql and sqlite")
    with postgresql_store() if name == "postgresql" else sqlite_store(folder) as store:
        yield store


def _run(server: str, statement: LiteralString, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
