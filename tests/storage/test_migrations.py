"""The migrations: they build what the models say, once, whoever runs them first."""

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from idp.errors import Unavailable
from idp.settings import DatabaseSettings, SecretUrl
from idp.storage import (
    Base,
    begin_write,
    create_engine,
    current_revision,
    head_revision,
    is_current,
    revisions,
)
from idp.storage.migrations import upgrade
from tests.databases import BOTH_DATABASES, new_postgresql_database

MIGRATIONS = Path(__file__).parents[2] / "migrations"

_UPGRADE_IN_FOUR = """
import os, sys
from idp.settings import DatabaseSettings
from idp.storage.migrations import upgrade

settings = DatabaseSettings(url=sys.argv[1])
for _ in range(4):
    if os.fork() == 0:
        os.write(1, (" ".join(["applied", *upgrade(settings)]) + "\\n").encode())
        os._exit(0)
sys.exit(sum(os.wait()[1] for _ in range(4)) != 0)
"""


@pytest.fixture(params=BOTH_DATABASES)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DatabaseSettings]:
    """A database that was never migrated."""
    if request.param == "sqlite":
        yield DatabaseSettings(url=SecretUrl(f"sqlite:///{tmp_path}/var/idp.sqlite3"))
    else:
        with new_postgresql_database() as url:
            yield DatabaseSettings(url=SecretUrl(url))


@contextmanager
def engine_of(settings: DatabaseSettings):
    engine = create_engine(settings)
    try:
        yield engine
    finally:
        engine.dispose()


def test_upgrade_applies_everything_once(empty):
    first = upgrade(empty)
    second = upgrade(empty)

    with engine_of(empty) as engine:
        assert first[-1] == head_revision() == current_revision(engine)
        assert second == []
        assert is_current(engine)


def test_unmigrated_database_is_not_current(empty):
    with engine_of(empty) as engine:
        assert current_revision(engine) is None
        assert not is_current(engine)


def test_migrations_build_exactly_the_models(empty):
    upgrade(empty)

    with engine_of(empty) as engine, engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_foreign_keys_cascade_as_the_models_say(empty):
    upgrade(empty)

    with engine_of(empty) as engine:
        found = inspect(engine)
        for table in Base.metadata.tables.values():
            built = {
                key["constrained_columns"][0]: key["options"] for key in found.get_foreign_keys(table.name)
            }
            assert built == {key.parent.name: {"ondelete": "CASCADE"} for key in table.foreign_keys}


@pytest.mark.postgresql
def test_pages_keep_as_much_room_as_the_models_say():
    """Alembic's comparison does not look at it: rows that change are updated without touching an index."""
    with new_postgresql_database() as url:
        settings = DatabaseSettings(url=SecretUrl(url))
        upgrade(settings)
        with engine_of(settings) as engine, engine.connect() as connection:
            found = connection.execute(text("SELECT relname, reloptions FROM pg_class WHERE relkind = 'r'"))
            migrated = {row.relname: row.reloptions for row in found if row.reloptions}

    wanted = {
        table.name: table.dialect_options["postgresql"]["with"] for table in Base.metadata.sorted_tables
    }
    assert migrated == {
        name: [f"fillfactor={options['fillfactor']}"] for name, options in wanted.items() if options
    }
    assert set(migrated) == {"browser_session", "interaction", "login_attempt", "one_time", "token_family"}


def test_sqlite_schema_is_word_for_word_that_of_the_models(tmp_path):
    """STRICT tables, types and names, as ``sqlite_schema`` keeps them."""
    migrated, created = (
        DatabaseSettings(url=SecretUrl(f"sqlite:///{tmp_path}/{name}.sqlite3"))
        for name in ("migrated", "created")
    )
    upgrade(migrated)
    with engine_of(created) as engine:
        Base.metadata.create_all(engine)

    schemas = []
    for settings in (migrated, created):
        with engine_of(settings) as engine, engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE '%alembic%' AND sql IS NOT NULL"
                )
            )
            schemas.append({row.name: row.sql.strip() for row in rows})

    ours, models = ({name: _parts(sql) for name, sql in schema.items()} for schema in schemas)
    assert ours == models
    assert all(sql.endswith("STRICT") for sql in schemas[0].values() if sql.startswith("CREATE TABLE"))


def _parts(sql: str) -> tuple[str, list[str]]:
    """The columns and constraints of a table in any order: SQLite writes an added column behind them."""
    head, _, body = sql.partition("(")
    inner, _, tail = body.rpartition(")")
    return f"{head}{tail}", sorted(part.strip() for part in re.split(r",(?![^()]*\))", inner))


def test_four_processes_migrate_at_once_and_one_does_it(empty):
    """X13: nodes that start together do not trip over each other."""
    command = [sys.executable, "-W", "error", "-c", _UPGRADE_IN_FOUR, str(empty.url)]
    environment = {**os.environ, "PYTHONPATH": str(MIGRATIONS.parent)}

    answer = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)

    assert answer.returncode == 0, answer.stderr
    everything = " ".join(["applied", *(path.name[:4] for path in upgrade_history())])
    assert sorted(answer.stdout.splitlines()) == ["applied", "applied", "applied", everything]
    with engine_of(empty) as engine:
        assert is_current(engine)


def upgrade_history() -> list[Path]:
    return sorted((MIGRATIONS / "versions").glob("[0-9]*.py"))


def test_database_of_a_newer_release_is_left_alone_and_good_enough(empty):
    """X13: an old node restarts while the new release's migration has run already."""
    upgrade(empty)
    with engine_of(empty) as engine:
        with begin_write(engine) as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

        assert is_current(engine)
        assert upgrade(empty) == []
        assert current_revision(engine) == "9999"


def test_failing_migration_changes_nothing(empty, tmp_path):
    scripts = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    last = head_revision()
    (scripts / "versions" / "9000_broken.py").write_text(
        '"""Broken."""\n\nfrom alembic import op\n\n'
        f'revision = "9000"\ndown_revision = "{last}"\n\n\ndef upgrade() -> None:\n    """Break."""\n'
        '    op.execute("CREATE TABLE half (a INTEGER)")\n    raise RuntimeError("half")\n'
    )
    upgrade(empty)

    with pytest.raises(RuntimeError, match="half"):
        upgrade(empty, root=scripts)

    with engine_of(empty) as engine:
        assert current_revision(engine) == last
        assert "half" not in inspect(engine).get_table_names()


def test_scripts_inside_a_wheel_are_found(tmp_path):
    """A wheel carries them in ``idp/_data``; a folder ``migrations`` beside it is somebody else's."""
    package = MIGRATIONS.parent / "idp"
    (tmp_path / "idp").mkdir()
    for part in package.iterdir():
        (tmp_path / "idp" / part.name).symlink_to(part)
    (tmp_path / "idp" / "storage").unlink()
    shutil.copytree(package / "storage", tmp_path / "idp" / "storage")
    shutil.copytree(MIGRATIONS, tmp_path / "idp" / "_data" / "migrations")
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "env.py").write_text("raise SystemExit('not ours')")
    program = "from idp.storage import head_revision; print(head_revision())"

    answer = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=False,
    )

    assert answer.stdout.strip() == head_revision(), answer.stderr


def test_what_is_known_without_alembic_is_what_alembic_knows():
    """The start reads file names; Alembic reads the scripts."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    directory = ScriptDirectory.from_config(config)

    assert revisions() == [script.revision for script in directory.walk_revisions()][::-1]
    assert head_revision() == directory.get_current_head()


def test_every_migration_says_what_the_previous_release_sees():
    for path in upgrade_history():
        text_ = path.read_text()
        assert "What the previous release sees:" in text_, path.name
        assert "TODO" not in text_, path.name


def test_sqlite_file_and_folder_are_private(tmp_path):
    """The database holds sealed keys and password hashes: nobody else on the machine may read it."""
    path = tmp_path / "var" / "idp.sqlite3"
    upgrade(DatabaseSettings(url=SecretUrl(f"sqlite:///{path}")))

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_place_that_cannot_be_written_is_unavailable(tmp_path):
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(Unavailable):
        upgrade(DatabaseSettings(url=SecretUrl(f"sqlite:///{tmp_path}/file/idp.sqlite3")))
