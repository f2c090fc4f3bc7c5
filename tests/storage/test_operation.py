"""Signing keys, audit, counters and the purge, alike on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from idp.errors import Conflict
from idp.storage import (
    Database,
    EphemeralRow,
    RevokedAccessTokenRow,
    ThrottleRow,
    TokenFamilyRow,
    create_engine,
    plain_session,
    repositories,
)
from tests.storage import rows
from tests.storage.threads import in_parallel

HOUR = timedelta(hours=1)


def test_key_walks_through_its_states(database, repos, now):
    with database.transaction():
        repos.keys.add(rows.signing_key(now + HOUR, kid="a second"))
        repos.keys.add(rows.signing_key(now))
        assert repos.keys.set_state("k1", state="active", activated_at=now)
        assert not repos.keys.set_state("k9", state="active")

    with database.transaction(write=False):
        first, second = repos.keys.list_()
        assert (first.kid, first.state, first.activated_at) == ("k1", "active", now)
        assert (second.kid, second.state, second.sealed_private) == ("a second", "next", b"sealed")


def test_kid_is_taken_once(database, repos, now):
    with database.transaction():
        repos.keys.add(rows.signing_key(now))

    with pytest.raises(Conflict), database.transaction():
        repos.keys.add(rows.signing_key(now))


def test_key_changes_wait_for_each_other(database, repos, now):
    """Two nodes that rotate at once must not both make a key."""

    def ensure(number) -> bool:
        with database.transaction():
            repos.keys.lock()
            if repos.keys.list_():
                return False
            repos.keys.add(rows.signing_key(now, kid=f"k{number}"))
            return True

    assert sum(in_parallel(6, ensure)) == 1


def test_audit_events_are_read_newest_first_in_pages(database, repos, now):
    with database.transaction():
        for number in range(5):
            owner = "acc_1" if number % 2 == 0 else "acc_2"
            repos.audit.add(rows.audit_entry(now, id=f"evt_{number}", account_id=owner))

    with database.transaction(write=False):
        page = repos.audit.list_(limit=2)
        assert [row.id for row in page] == ["evt_4", "evt_3"]
        assert [row.id for row in repos.audit.list_(before="evt_3")] == ["evt_2", "evt_1", "evt_0"]
        assert [row.id for row in repos.audit.list_(account_id="acc_2")] == ["evt_3", "evt_1"]
        assert repos.audit.list_(event="account.created") == repos.audit.list_(client_id="shop") == []
        assert (page[0].detail, page[0].occurred_at) == ({"amr": ["pwd"]}, now)


def test_audit_event_goes_with_its_transaction(database, repos, now):
    def fail() -> None:
        with database.transaction():
            repos.audit.add(rows.audit_entry(now))
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    with database.transaction(write=False):
        assert repos.audit.list_() == []


def test_issue_counts_of_many_workers_add_up(database, repos, now):
    counts = {("shop", now): 2, ("app", now): 1, ("shop", now + timedelta(minutes=1)): 5}

    def flush(_) -> None:
        with database.transaction():
            repos.issue_counts.add(counts)

    in_parallel(8, flush)

    with database.transaction(write=False):
        found = repos.issue_counts.list_for_client("shop", now, now + HOUR)
        assert [(row.minute, row.count) for row in found] == [(now, 16), (now + timedelta(minutes=1), 40)]


def test_versions_grow_with_every_change(database, repos, now):
    with database.transaction(write=False):
        assert repos.changes.versions() == {}

    def bump(_) -> None:
        with database.transaction():
            repos.changes.bump("clients", now)

    in_parallel(8, bump)
    with database.transaction():
        repos.changes.bump("keys", now)

    with database.transaction(write=False):
        assert repos.changes.versions() == {"clients": 8, "keys": 1}


def test_deployment_epoch_never_goes_back(database, repos, now):
    with database.transaction():
        assert repos.deployment.get() is None
        assert repos.deployment.not_before() is None
        repos.deployment.set_not_before(now)
        repos.deployment.set_not_before(now - HOUR)

    with database.transaction(write=False):
        assert repos.deployment.not_before() == now


def failures(now, **changes):
    return ThrottleRow(failures=1, last_failure_at=now - HOUR, **changes)


def test_purge_removes_what_has_expired_and_nothing_else(database, repos, now):
    gone, alive = now, now + timedelta(microseconds=1)
    with database.transaction():
        repos.accounts.add(rows.account(now), [])
        for number, expires_at in enumerate((gone, alive)):
            name, raw = str(number), str(number).encode()
            repos.one_time.issue(rows.code(now, digest=raw, expires_at=expires_at))
            repos.families.add(rows.family(now, id=name, expires_at=expires_at))
            repos.families.revoke_access_token(name, now, expires_at)
            repos.sessions.add(rows.browser_session(now, id=name, token_digest=raw, expires_at=expires_at))
            repos.interactions.add(rows.interaction(now, uid=name, expires_at=expires_at))
            database.session().add(failures(now, key=raw, expires_at=expires_at))
            repos.devices.add(rows.known_device(now, token_digest=raw, expires_at=expires_at))
            repos.login_attempts.add(
                rows.login_attempt(now, token_digest=raw, id=name, expires_at=expires_at)
            )
            repos.outbox.add(rows.message(now, id=name, expires_at=expires_at))
            database.session().add(EphemeralRow(key=name, expires_at=expires_at))

    with database.transaction():
        deleted = repos.expired.purge(now, 100)
    with database.transaction():
        again = repos.expired.purge(now, 100)

    assert deleted == dict.fromkeys(deleted, 1)
    assert len(deleted) == 10
    assert set(again.values()) == {0}
    with database.transaction(write=False):
        assert repos.families.get("0") is None
        assert repos.families.get("1") is not None
        assert repos.accounts.get("acc_1") is not None


def test_purge_takes_small_bites_oldest_first(database, repos, now):
    with database.transaction():
        for number in range(5):
            database.session().add(failures(now, key=bytes([number]), expires_at=now - number * HOUR / 10))

    with database.transaction():
        assert repos.expired.purge(now, 2)["password_throttle"] == 2
        left = database.session().scalars(select(ThrottleRow.key).order_by(ThrottleRow.key)).all()
        assert left == [b"\0", b"\1", b"\2"]
    with database.transaction():
        assert repos.expired.purge(now, 10)["password_throttle"] == 3


def test_families_that_died_before_their_time_are_purged_a_piece_at_a_time(database, repos, now):
    """Idle or revoked for a day: until then an access token of theirs may still need the row."""
    past, later = now - timedelta(days=1), now - timedelta(hours=23)
    with database.transaction():
        repos.accounts.add(rows.account(now), [])
        for name, changes in {
            "a idle": {"idle_expires_at": past},
            "b revoked": {"revoked_at": past},
            "c alive": {},
            "d idle lately": {"idle_expires_at": later},
            "e revoked lately": {"revoked_at": later},
            "f idle": {"idle_expires_at": past},
        }.items():
            repos.families.add(rows.family(now, id=name, **changes))

    counts = []
    for start, limit in (("a zzz", 4), ("b zzz", 3), ("", 9)):
        with database.transaction():
            counts.append(repos.expired.purge_dead_families(now, start, limit))

    assert counts == [1, 0, 2]
    with database.transaction(write=False):
        left = database.session().scalars(select(TokenFamilyRow.id).order_by(TokenFamilyRow.id)).all()
    assert left == ["c alive", "d idle lately", "e revoked lately"]


@pytest.mark.postgresql
def test_purge_steps_around_rows_in_use(postgresql_settings, now):
    """A purge never waits for, nor stops, somebody else's transaction."""
    engine = create_engine(postgresql_settings)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ephemeral (key, counter, expires_at) VALUES ('held', 0, :at), ('free', 0, :at)"
            ),
            {"at": now},
        )
    from_elsewhere = engine.connect()
    from_elsewhere.execute(text("SELECT 1 FROM ephemeral WHERE key = 'held' FOR UPDATE"))

    database = Database(engine, plain_session(engine))
    repos = repositories(database.session)
    with database.transaction():
        assert repos.expired.purge(now, 10)["ephemeral"] == 1
    from_elsewhere.rollback()
    with database.transaction():
        assert repos.expired.purge(now, 10)["ephemeral"] == 1

    from_elsewhere.close()
    engine.dispose()


def test_purged_revocation_marks_are_those_of_dead_tokens(database, repos, now):
    with database.transaction():
        repos.families.revoke_access_token("alive", now, now + HOUR)
        repos.families.revoke_access_token("dead", now - HOUR, now)
        repos.expired.purge(now, 10)

    with database.transaction(write=False):
        left = database.session().scalar(select(func.count()).select_from(RevokedAccessTokenRow))
        assert (left, repos.families.is_access_token_revoked("alive")) == (1, True)
