"""Transactions, error mapping and column types, alike on both databases."""

import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import text

from idp.errors import Conflict, Invalid, Unavailable
from idp.settings import DatabaseSettings, SecretUrl
from idp.storage import (
    AccountRow,
    AuditEntry,
    ClientRow,
    Database,
    EphemeralRow,
    begin_write,
    configure_engine,
    create_engine,
    plain_session,
)
from tests.databases import new_postgresql_database
from tests.services import free_port
from tests.storage import rows
from tests.storage.threads import in_parallel


def test_transaction_commits_at_its_end(database, now):
    with database.transaction():
        database.session().add(rows.account(now))

    with database.transaction(write=False):
        assert database.session().get(AccountRow, "acc_1") is not None


def test_failed_transaction_leaves_nothing(database, now):
    def write_and_fail() -> None:
        with database.transaction():
            database.session().add(rows.account(now))
            database.session().flush()
            raise LookupError

    with pytest.raises(LookupError):
        write_and_fail()

    with database.transaction(write=False):
        assert database.session().get(AccountRow, "acc_1") is None


def test_transactions_do_not_nest(database):
    with database.transaction(write=False), pytest.raises(RuntimeError, match="nest"), database.transaction():
        pass


def test_next_transaction_works_after_a_failed_one(database, now):
    with pytest.raises(LookupError), database.transaction():
        raise LookupError

    with database.transaction():
        database.session().add(rows.account(now))


def test_write_in_a_read_only_transaction_is_an_error(database, now):
    with pytest.raises(RuntimeError, match="read-only"), database.transaction(write=False):
        database.session().add(rows.account(now))


def test_change_outside_a_transaction_is_an_error(database, now):
    database.session().add(rows.account(now))

    with pytest.raises(RuntimeError, match="outside"), database.transaction():
        pass
    database.session().close()


def test_rows_stay_readable_after_their_transaction(database, now):
    with database.transaction():
        database.session().add(rows.account(now, claims={"name": "Алиса"}))
    with database.transaction(write=False):
        row = database.session().get(AccountRow, "acc_1")

    assert (row.claims, row.created_at) == ({"name": "Алиса"}, now)


def test_statements_and_commits_are_counted(database, now):
    with database.statements.measure() as reading, database.transaction(write=False):
        database.session().get(AccountRow, "acc_1")
    with database.statements.measure() as writing, database.transaction():
        database.session().add(rows.account(now))

    assert (len(reading.statements), reading.commits) == (1, 0)
    assert (len(writing.statements), writing.commits) == (1, 1)


def test_configuring_an_engine_twice_counts_once(database):
    again = configure_engine(database.engine)
    again.reset()

    with database.transaction(write=False):
        database.session().execute(text("SELECT 1"))

    assert again is database.statements
    assert again.statements == 1


def test_unique_violation_is_a_conflict_and_names_no_value(database, now):
    with database.transaction():
        database.session().add(rows.account(now))

    with pytest.raises(Conflict) as caught, database.transaction():
        database.session().add(rows.account(now))

    assert "acc_1" not in caught.value.description + caught.value.detail


def test_missing_parent_is_a_conflict(database, now):
    with pytest.raises(Conflict), database.transaction():
        database.session().add(rows.known_device(now))


@pytest.mark.parametrize("broken", ["nul\0inside", "lone\ud800surrogate"])
def test_text_no_database_can_hold_is_invalid(database, now, broken):
    """X5: NUL and lone surrogates are refused on both databases alike, in text and inside documents."""
    for row in (
        rows.account(now, username=broken),
        rows.account(now, claims={"name": broken}),
        rows.account(now, claims={broken: ["x"]}),
        rows.account(now, claims={"deep": [{"er": broken}]}),
    ):
        with pytest.raises(Invalid), database.transaction():
            database.session().add(row)


def test_backslash_u_is_ordinary_text(database, now):
    with database.transaction():
        database.session().add(rows.account(now, username="\\u0000", claims={"name": "\\u0000"}))

    with database.transaction(write=False):
        row = database.session().get(AccountRow, "acc_1")
        assert (row.username, row.claims) == ("\\u0000", {"name": "\\u0000"})


def test_nan_is_invalid(database, now):
    with pytest.raises(Invalid), database.transaction():
        database.session().add(rows.account(now, claims={"n": float("nan")}))


def test_documents_and_bytes_return_as_they_went(database, now):
    document = {"": None, "z": 1, "a": [True, 1.5, "😀", {"nested": []}], "quote": "\"'\\\n"}
    with database.transaction():
        database.session().add(rows.client(now, metadata_=document))
        database.session().add(EphemeralRow(key="k", value=bytes(range(256)), expires_at=now))

    with database.transaction(write=False):
        assert database.session().get(ClientRow, "shop").metadata_ == document
        assert database.session().get(EphemeralRow, "k").value == bytes(range(256))


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2038, 1, 19, 3, 14, 8, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    ],
)
def test_times_return_to_the_microsecond_in_utc(database, moment):
    with database.transaction():
        database.session().add(rows.account(moment))

    with database.transaction(write=False):
        created_at = database.session().get(AccountRow, "acc_1").created_at
        assert created_at == moment
        assert created_at.tzinfo is UTC


def test_naive_time_is_refused(database, now):
    naive = now.replace(tzinfo=None)

    with pytest.raises(Exception, match="aware"), database.transaction():
        database.session().add(rows.account(naive))


def test_large_numbers_fit(database, now):
    with database.transaction():
        database.session().add(EphemeralRow(key="k", counter=2**40, expires_at=now))

    with database.transaction(write=False):
        assert database.session().get(EphemeralRow, "k").counter == 2**40


def test_ping_tells_the_distance_of_the_clocks(database, now):
    distance = database.ping(now)

    assert (distance == timedelta(0)) == (database.dialect == "sqlite")


def test_sqlite_is_durable_and_checks_what_it_stores(sqlite_settings):
    engine = create_engine(sqlite_settings)
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "cache_size")
        }
    engine.dispose()

    full = 2
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "busy_timeout": 2500,
        "cache_size": -256,
    }


def test_sqlite_writers_queue_instead_of_failing(sqlite_settings, now):
    """A transaction that reads before it writes must not meet a changed database (SQLITE_BUSY_SNAPSHOT)."""
    engine = create_engine(sqlite_settings)
    database = Database(engine, plain_session(engine))
    with begin_write(engine) as connection:
        connection.execute(text("INSERT INTO ephemeral (key, counter, expires_at) VALUES ('k', 0, 0)"))

    def add_five(_) -> None:
        for _ in range(5):
            with database.transaction():
                row = database.session().get(EphemeralRow, "k")
                row.counter += 1

    in_parallel(8, add_five)

    with database.transaction(write=False):
        assert database.session().get(EphemeralRow, "k").counter == 40
    database.dispose()


def test_sqlite_locked_by_a_stranger_is_unavailable(sqlite_settings, tmp_path):
    engine = create_engine(sqlite_settings)
    stranger = sqlite3.connect(tmp_path / "idp.sqlite3", isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    with engine.connect() as connection:
        connection.connection.dbapi_connection.execute("PRAGMA busy_timeout = 1")

    with pytest.raises(Unavailable), begin_write(engine):
        pass

    stranger.close()
    engine.dispose()


@pytest.mark.postgresql
def test_postgresql_time_outs_are_unavailable(postgresql_settings):
    settings = postgresql_settings.model_copy(
        update={"statement_timeout": timedelta(milliseconds=200), "lock_timeout": timedelta(milliseconds=100)}
    )
    engine = create_engine(settings)
    database = Database(engine, plain_session(engine))

    with pytest.raises(Unavailable, match="moment"), database.transaction(write=False):
        database.session().execute(text("SELECT pg_sleep(2)"))
    with begin_write(engine) as holder:
        holder.execute(text("LOCK TABLE account"))
        with pytest.raises(Unavailable), database.transaction():
            database.session().get(AccountRow, "acc_1")

    database.dispose()


@pytest.mark.postgresql
def test_exhausted_pool_is_unavailable(postgresql_settings):
    settings = postgresql_settings.model_copy(
        update={"pool_size": 1, "pool_timeout": timedelta(milliseconds=50)}
    )
    engine = create_engine(settings)
    database = Database(engine, plain_session(engine))

    with begin_write(engine), pytest.raises(Unavailable), database.transaction():
        pass

    with database.transaction(write=False):
        pass
    database.dispose()


@pytest.mark.postgresql
def test_lost_connection_is_unavailable_and_the_next_one_works(postgresql_settings):
    engine = create_engine(postgresql_settings)
    database = Database(engine, plain_session(engine))

    with pytest.raises(Unavailable), database.transaction():
        database.session().execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with database.transaction(write=False):
        assert database.session().execute(text("SELECT 1")).scalar_one() == 1
    database.dispose()


@pytest.mark.postgresql
def test_connection_killed_while_idle_is_replaced_unnoticed(postgresql_settings):
    engine = create_engine(postgresql_settings)
    database = Database(engine, plain_session(engine))
    with database.transaction(write=False):
        mine = database.session().execute(text("SELECT pg_backend_pid()")).scalar_one()
    killer = create_engine(postgresql_settings)
    with killer.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 2000)"), {"pid": mine})
    killer.dispose()

    with database.transaction(write=False):
        assert database.session().execute(text("SELECT pg_backend_pid()")).scalar_one() != mine
    database.dispose()


def test_no_server_is_unavailable():
    settings = DatabaseSettings(url=SecretUrl(f"postgresql://nobody:secret@127.0.0.1:{free_port()}/none"))
    engine = create_engine(settings)
    database = Database(engine, plain_session(engine))

    with pytest.raises(Unavailable) as caught, database.transaction():
        pass

    assert "secret" not in caught.value.detail
    database.dispose()


@pytest.mark.postgresql
def test_server_options_in_the_url_are_kept():
    with new_postgresql_database() as url:
        settings = DatabaseSettings(url=SecretUrl(f"{url}?options=-c%20work_mem%3D77kB"))
        engine = create_engine(settings)
        with engine.connect() as connection:
            shown = [
                connection.execute(text(f"SHOW {name}")).scalar_one() for name in ("work_mem", "timezone")
            ]
        engine.dispose()

    assert shown == ["77kB", "UTC"]


def test_relative_sqlite_path_means_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine = create_engine(DatabaseSettings(url=SecretUrl("sqlite:///var/a.sqlite3")))

    assert engine.url.database == str(tmp_path / "var" / "a.sqlite3")
    engine.dispose()


def test_audit_entry_is_frozen(now):
    with pytest.raises(AttributeError):
        rows.audit_entry(now).event = "other"
    assert set(AuditEntry._fields) >= {"id", "occurred_at", "detail"}


def test_a_file_that_is_no_database_keeps_its_mode(tmp_path):
    """A slip in the URL must not change somebody's file."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but of some length")
    path.chmod(0o644)

    create_engine(DatabaseSettings(url=SecretUrl(f"sqlite:///{path}"))).dispose()

    assert path.stat().st_mode & 0o777 == 0o644
