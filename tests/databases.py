"""Throw-away PostgreSQL databases on whatever server the tests have."""

import itertools
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, Table
from sqlalchemy.engine import make_url

from tests.services import postgresql_url

BOTH_DATABASES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))
"""Parameters of a fixture that runs on both."""

_numbers = itertools.count(1)


@contextmanager
def new_postgresql_database() -> Iterator[str]:
    """An empty PostgreSQL database, dropped at the end; skips the test if there is no server."""
    server = postgresql_url()
    if server is None:
        pytest.skip("no PostgreSQL: neither a server nor binaries to start one")
    name = f"idp_test_{os.getpid()}_{next(_numbers)}"
    _run(server, "CREATE DATABASE {}", name)
    commit_without_waiting(server, name)
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def empty(connection: Connection, tables: Iterable[Table]) -> None:
    """Delete every row, asking the server once: this stands between any two tests.

    Cheaper than TRUNCATE for a handful of rows.
    """
    statements = [str(table.delete()) for table in tables]
    if connection.dialect.name == "postgresql":
        statements = ["; ".join(statements)]
    for statement in statements:
        connection.exec_driver_sql(statement)


def commit_without_waiting(server: str, name: str) -> None:
    """No test cuts the power: thousands of commits to this database need not wait for the disk."""
    _run(server, "ALTER DATABASE {} SET synchronous_commit = off", name)


def _run(server: str, statement: LiteralString, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
