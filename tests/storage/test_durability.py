"""What is answered has been written (conventions: one commit for each state change, before the answer)."""

from pathlib import Path

import psycopg
import pytest

import idp
from idp.storage import create_engine
from idp.storage.connections import postgresql_arguments


@pytest.mark.postgresql
def test_no_connection_of_ours_lowers_synchronous_commit(postgresql_settings):
    """PostgreSQL's own default stays: a commit returns when it is on the disk."""
    question = "SELECT source NOT IN ('session', 'client') FROM pg_settings WHERE name = 'synchronous_commit'"
    engine = create_engine(postgresql_settings)
    with engine.connect() as connection:
        assert connection.exec_driver_sql(question).scalar_one()
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    engine.dispose()

    with psycopg.connect(url, **postgresql_arguments(postgresql_settings)) as driver:
        row = driver.execute(question).fetchone()

    assert row == (True,)


def test_no_statement_of_ours_speaks_of_it():
    """`SET LOCAL synchronous_commit` inside a transaction would not show on a connection."""
    sources = Path(idp.__file__).parent.rglob("*.py")

    assert [path.name for path in sources if "synchronous_commit" in path.read_text(encoding="utf-8")] == []
