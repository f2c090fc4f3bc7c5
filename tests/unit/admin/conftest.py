import json
from datetime import UTC, datetime

import pytest

from idp.clock import FixedClock
from idp.container import build
from idp.crypto import load_root_key
from idp.settings import Settings
from idp.storage import create_engine, plain_session


@pytest.fixture
def clock():
    return FixedClock(datetime(2026, 3, 1, 12, 0, tzinfo=UTC))


@pytest.fixture
def container(database_settings, tmp_path, clock):
    load_root_key(tmp_path / "keys")
    settings = Settings(
        issuer="https://idp.example",
        database=database_settings,
        keys={"dir": tmp_path / "keys"},
        passwords={"argon2_memory_kib": 64, "argon2_passes": 1},
        http={"allowed_private_hosts": ["localhost"]},
    )
    engine = create_engine(database_settings)
    made = build(settings, engine=engine, session=plain_session(engine), clock=clock)
    with made.database.transaction():
        made.keystore.ensure_keys(clock.now())
    yield made
    made.passwords.close()
    made.close()


@pytest.fixture
def admin(container):
    return container.admin


@pytest.fixture
def events(container):
    """The names of all audit events so far, without the keys of the first start."""

    def read():
        with container.database.transaction(write=False):
            return [(row.event, row.actor) for row in container.repos.audit.list_()]

    return read


@pytest.fixture
def versions(container):
    def read():
        with container.database.transaction(write=False):
            return container.repos.changes.versions()

    return read


@pytest.fixture
def as_json():
    """What the command line prints; fails on anything that JSON cannot hold."""
    return json.dumps
