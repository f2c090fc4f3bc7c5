"""The statements of sign-ins: one suite for both databases.

| rule | test |
|---|---|
| V7: a name in either form | `test_an_account_is_found_by_each_of_its_names` |
| L6: one read, whoever is meant | `test_a_look_is_one_read_whoever_is_meant` |
| L3: the counter of the device | `test_a_known_device_has_its_own_counter` |
| T16, P6, L1: what stops a right password | `test_what_stops_a_sign_in` |
| M5, M8: what an account has is found at once | `test_what_an_account_can_prove_*` |
| M5, M8: a second step is not left out | `test_a_second_step_*`, `test_a_trusted_device_*` |
| S2: the session that was there | `test_the_same_persons_*`, `test_another_persons_*`, `test_a_family_*` |
| S5: what ended stays ended | `test_what_stops_a_renewal` |
| S2: the device cookie | `test_a_known_device_*`, `test_a_planted_device_*` |
| X12: all or nothing, one commit | `test_a_sign_in_is_one_commit_*` |
| L1, L2: failures | `test_failures_*`, `test_parallel_failures_*`, `test_an_expired_counter_*` |
| promise: 503, never a trace | `test_a_database_out_of_reach_is_unavailable` |
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import psycopg
import pytest

from idp.errors import Unavailable
from idp.settings import DatabaseSettings, SecretUrl
from idp.storage import (
    AuditEventRow,
    CodeFactorRow,
    Database,
    Enrolment,
    Repositories,
    StatementCounter,
    TotpRow,
)
from idp.storage.hot import (
    ACCOUNT_COUNTER,
    Failure,
    LoginQuestion,
    LoginStore,
    NewSession,
    PresentSession,
    SignedIn,
    SignIn,
    create_browser_store,
    create_hot_pool,
    create_login_store,
)
from tests.services import free_port
from tests.storage import rows
from tests.storage.threads import in_parallel

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
ACCOUNT, NAME, DEVICE = f"{ACCOUNT_COUNTER}acc_1".encode(), b"name", b"device's"
PAUSES = "[0, 0, 1, 2, 900]"


@pytest.fixture
def pool(database: Database, database_settings: DatabaseSettings) -> Iterator[Any]:
    made = create_hot_pool(database_settings, database.statements)
    yield made
    made.close()


@pytest.fixture
def store(pool: Any) -> LoginStore:
    return create_login_store(pool)


@pytest.fixture(autouse=True)
def people(database: Database, repos: Repositories, now: datetime) -> None:
    """Alice, who has a password and a session, and bob, who has none."""
    with database.transaction():
        repos.accounts.add(rows.account(now), [("alice", "username"), ("alice@example.org", "email")])
        repos.accounts.add(rows.account(now, id="acc_2", username="bob"), [("bob", "username")])
        repos.accounts.set_password("acc_1", "$phc", now)
        repos.sessions.add(rows.browser_session(now))


def question(now: datetime, /, **changes: Any) -> LoginQuestion:
    asked = LoginQuestion("alice", NAME, device_digest=None, device_counter=None, now=now)
    return asked._replace(**changes)


def entry(now: datetime, number: int, event: str, **detail: Any) -> Any:
    return rows.audit_entry(
        now, id=f"evt_{number}", event=event, session_id=None, detail={"seen": "ä", **detail}
    )


def sign_in(now: datetime, /, **changes: Any) -> SignIn:
    values: dict[str, Any] = {
        "account_id": "acc_1",
        "phc": "$phc",
        "new_phc": None,
        "counter": ACCOUNT,
        "session": NewSession(
            "ses_new",
            b"new cookie",
            "urn:1",
            ("otp", "pwd"),
            now + 8 * HOUR,
            now + 30 * DAY,
            "Curl",
            "192.0.2.9",
        ),
        "present": None,
        "device_digest": None,
        "new_device_digest": b"new device",
        "device_expires_at": now + 180 * DAY,
        "now": now,
        "verified": entry(now, 1, "verified"),
        "started": entry(now, 2, "started"),
        "renewed": None,
        "ended": None,
    }
    return SignIn(**values | changes)


def renewal(now: datetime, /, **changes: Any) -> SignIn:
    values: dict[str, Any] = {
        "present": PresentSession("ses_1", "acc_1", 1),
        "renewed": entry(now, 3, "renewed", logins=2),
    }
    return sign_in(now, **values | changes)


def replacement(now: datetime, /, **changes: Any) -> SignIn:
    """Bob signs in where alice is."""
    values: dict[str, Any] = {
        "account_id": "acc_2",
        "present": PresentSession("ses_1", "acc_1", 1),
        "ended": entry(now, 4, "ended", reason="replaced"),
    }
    return sign_in(now, **values | changes)


def failure(now: datetime, number: int = 1, /, **changes: Any) -> Failure:
    values: dict[str, Any] = {
        "counter": ACCOUNT,
        "pauses": PAUSES,
        "now": now,
        "expires_at": now + 30 * DAY,
        "failed": entry(now, number, "failed", reason="wrong_password"),
        "reason_while_paused": None,
        "throttled": entry(now, number + 1000, "throttled"),
    }
    return Failure(**values | changes)


class Book:
    """What is written."""

    def __init__(self, database: Database, repos: Repositories) -> None:
        self.database, self.repos = database, repos

    def events(self) -> dict[str, AuditEventRow]:
        with self.database.transaction(write=False):
            return {row.event: row for row in self.repos.audit.list_()}

    def session(self, session_id: str) -> Any:
        with self.database.transaction(write=False):
            return self.repos.sessions.get(session_id)

    def device(self, digest: bytes, now: datetime, account_id: str = "acc_1") -> Any:
        with self.database.transaction(write=False):
            return self.repos.devices.find(digest, account_id, now)

    def counter(self, key: bytes = ACCOUNT) -> Any:
        with self.database.transaction(write=False):
            return self.repos.throttles.get(key)

    def phc(self, account_id: str = "acc_1") -> str:
        with self.database.transaction(write=False):
            row = self.repos.accounts.get_password(account_id)
            assert row is not None
            return row.phc

    def change(self, act: Any) -> None:
        with self.database.transaction():
            act(self.repos)


@pytest.fixture
def book(database: Database, repos: Repositories) -> Book:
    return Book(database, repos)


@pytest.mark.parametrize("name", ["alice", "alice@example.org"])
def test_an_account_is_found_by_each_of_its_names(store, now, name):
    assert store.find(question(now, canonical=name))[:4] == ("acc_1", "$phc", False, None)


@pytest.mark.parametrize(("name", "account_id"), [("bob", "acc_2"), ("nobody", None), (None, None)])
def test_who_has_no_password_or_no_account_has_no_hash(store, now, name, account_id):
    assert store.find(question(now, canonical=name))[:4] == (account_id, None, False, None)


@pytest.mark.parametrize("name", ["alice", "bob", "nobody", None])
def test_a_look_is_one_read_whoever_is_meant(store, database, now, name):
    """L6."""
    with database.statements.measure() as measured:
        store.find(question(now, canonical=name, device_digest=b"x", device_counter=DEVICE))

    assert (len(measured.statements), measured.commits) == (1, 0)


@pytest.mark.parametrize(("counter", "name"), [(ACCOUNT, "alice"), (NAME, "nobody"), (NAME, None)])
def test_a_pause_is_found_under_the_account_or_the_name(store, now, counter, name):
    """L1, L6."""
    for number in range(4):
        store.refuse(failure(now, number, counter=counter))

    assert store.find(question(now, canonical=name)).blocked_until == now + 2 * SECOND
    assert store.find(question(now, canonical="bob")).blocked_until is None
    assert store.find(question(now + 30 * DAY, canonical=name)).blocked_until is None


def test_a_known_device_has_its_own_counter(store, book, now):
    """L3."""
    book.change(lambda repos: repos.devices.add(rows.known_device(now, expires_at=now + DAY)))
    for number in range(5):
        store.refuse(failure(now, number))
    shown = question(now, device_digest=b"device", device_counter=DEVICE)

    assert store.find(shown)[:4] == ("acc_1", "$phc", True, None)
    assert store.find(shown._replace(device_digest=b"other"))[2:4] == (False, now + 900 * SECOND)
    assert store.find(shown._replace(now=now + DAY)).known_device is False
    assert store.find(shown._replace(canonical="bob")).known_device is False
    assert store.find(shown._replace(canonical="nobody")).known_device is False
    store.refuse(failure(now, 9, counter=DEVICE))
    for number in range(10, 12):
        store.refuse(failure(now, number, counter=DEVICE))
    assert store.find(shown).blocked_until == now + SECOND


def test_a_sign_in_begins_a_session(store, pool, book, now):
    assert store.admit(sign_in(now)) == SignedIn(renewed=False, known_device=False)

    found = create_browser_store(pool).find_session(b"new cookie")
    assert (found.id, found.account_id, found.logins) == ("ses_new", "acc_1", 1)
    assert (found.auth_time, found.created_at, found.last_seen_at) == (now, now, now)
    assert (found.idle_expires_at, found.expires_at) == (now + 8 * HOUR, now + 30 * DAY)
    assert (found.acr, found.amr, found.ended) == ("urn:1", ("otp", "pwd"), False)
    assert (found.user_agent, found.address) == ("Curl", "192.0.2.9")
    device = book.device(b"new device", now)
    assert (device.created_at, device.last_seen_at, device.expires_at) == (now, now, now + 180 * DAY)
    events = book.events()
    assert sorted(events) == ["started", "verified"]
    assert {row.account_id for row in events.values()} == {"acc_1"}
    assert {row.occurred_at for row in events.values()} == {now}
    assert (events["verified"].session_id, events["started"].session_id) == (None, "ses_new")
    assert events["started"].detail == {"seen": "ä"}
    assert (events["started"].actor, events["started"].address) == ("account:acc_1", "192.0.2.1")
    assert (events["started"].user_agent, events["started"].request_id) == ("Firefox", "req_1")


def test_a_sign_in_forgets_the_failures_of_its_counter_alone(store, book, now):
    store.refuse(failure(now, 8))
    store.refuse(failure(now, 9, counter=DEVICE))

    store.admit(sign_in(now))

    assert book.counter() is None
    assert book.counter(DEVICE).failures == 1


def test_a_sign_in_is_one_commit_and_on_postgresql_one_statement(store, database, now):
    """X12."""
    store.find(question(now))

    with database.statements.measure() as measured:
        store.admit(renewal(now))

    assert measured.commits == 1
    assert len(measured.statements) == (1 if database.dialect == "postgresql" else 6)


@pytest.mark.parametrize("what", ["disabled", "another hash", "no hash", "paused", "gone"])
@pytest.mark.parametrize("make", [sign_in, renewal])
def test_what_stops_a_sign_in(store, book, now, what, make):
    """T16, P6, L1: nothing at all happens."""
    if what == "disabled":
        book.change(lambda repos: repos.accounts.set_disabled("acc_1", now))
    elif what == "another hash":
        book.change(lambda repos: repos.accounts.set_password("acc_1", "$new", now))
    elif what == "paused":
        for number in range(3):
            store.refuse(failure(now, number))
    before = book.events()
    asked = {"gone": {"account_id": "acc_9"}, "no hash": {"account_id": "acc_2"}}.get(what, {})

    assert store.admit(make(now, new_phc="$again", **asked)) is None

    assert book.events().keys() == before.keys()
    assert book.session("ses_new") is None
    assert book.session("ses_1").logins == 1
    assert book.device(b"new device", now) is None
    assert book.phc() == ("$new" if what == "another hash" else "$phc")


def test_a_pause_that_is_over_stops_nothing(store, now):
    for number in range(3):
        store.refuse(failure(now, number + 10))

    assert store.admit(sign_in(now + SECOND)) is not None


def test_a_new_hash_takes_the_place_of_the_old(store, book, now):
    """P6."""
    store.admit(sign_in(now, new_phc="$again"))

    assert book.phc() == "$again"


def test_the_same_persons_session_is_renewed(store, pool, book, now):
    """S2: same id, new cookie value, times start over."""
    later = now + HOUR

    assert store.admit(renewal(later)) == SignedIn(renewed=True, known_device=False)

    browser = create_browser_store(pool)
    assert browser.find_session(b"cookie") is None
    found = browser.find_session(b"new cookie")
    assert (found.id, found.account_id, found.logins) == ("ses_1", "acc_1", 2)
    assert (found.auth_time, found.created_at, found.last_seen_at) == (later, now, later)
    assert (found.idle_expires_at, found.expires_at) == (later + 8 * HOUR, later + 30 * DAY)
    assert (found.acr, found.amr) == ("urn:1", ("otp", "pwd"))
    assert (found.user_agent, found.address) == ("Curl", "192.0.2.9")
    events = book.events()
    assert sorted(events) == ["renewed", "verified"]
    assert events["renewed"].session_id == "ses_1"
    assert events["renewed"].detail == {"seen": "ä", "logins": 2}


@pytest.mark.parametrize("what", ["ended", "renewed elsewhere"])
def test_what_stops_a_renewal(store, book, now, what):
    """S5: what was ended stays ended; the proof begins anew."""
    asked = renewal(now)
    if what == "ended":
        book.change(lambda repos: repos.sessions.end("ses_1", "logout", now))
    else:
        asked = asked._replace(present=PresentSession("ses_1", "acc_1", 7))

    assert store.admit(asked) == SignedIn(renewed=False, known_device=False)

    assert book.session("ses_new").logins == 1
    assert (book.session("ses_1").token_digest, book.session("ses_1").logins) == (b"cookie", 1)
    assert sorted(book.events()) == ["started", "verified"]


def test_of_renewals_at_the_same_time_one_renews(store, book, now):
    def renew(number: int) -> bool:
        session = NewSession(f"ses_{number}n", bytes([number]), "1", (), now + HOUR, now + HOUR, "", "")
        done = store.admit(
            renewal(
                now,
                session=session,
                new_device_digest=bytes([number]),
                verified=entry(now, number + 10, "verified"),
                started=entry(now, number + 20, "started"),
                renewed=entry(now, number + 30, "renewed"),
            )
        )
        assert done is not None
        return done.renewed

    assert in_parallel(6, renew).count(True) == 1
    assert book.session("ses_1").logins == 2


def test_another_persons_session_ends_with_its_families(store, book, database, now):
    """S2: one browser, one session; in one commit."""
    book.change(lambda repos: repos.accounts.set_password("acc_2", "$phc", now))
    book.change(lambda repos: repos.families.add(rows.family(now)))
    book.change(lambda repos: repos.families.add(rows.family(now, id="fam2", offline=True)))

    with database.statements.measure() as measured:
        assert store.admit(replacement(now)) == SignedIn(renewed=False, known_device=False)

    assert measured.commits == 1
    assert (book.session("ses_1").ended_at, book.session("ses_1").end_reason) == (now, "replaced")
    assert book.session("ses_new").account_id == "acc_2"
    events = book.events()
    assert sorted(events) == ["ended", "started", "verified"]
    assert events["ended"].session_id == "ses_1"
    assert events["ended"].detail == {"seen": "ä", "reason": "replaced", "families": 1}
    with database.transaction(write=False):
        assert book.repos.families.get("fam1").revoked_reason == "session_ended"
        assert book.repos.families.get("fam2").revoked_at is None


def test_another_persons_session_that_has_ended_is_left_alone(store, book, now):
    book.change(lambda repos: repos.accounts.set_password("acc_2", "$phc", now))
    book.change(lambda repos: repos.sessions.end("ses_1", "logout", now))

    assert store.admit(replacement(now)) is not None

    assert book.session("ses_1").end_reason == "logout"
    assert sorted(book.events()) == ["started", "verified"]


def test_another_persons_session_stays_when_the_sign_in_is_refused(store, book, database, now):
    """Bob has no password: nothing happens, and nothing is committed."""
    with database.statements.measure() as measured:
        assert store.admit(replacement(now)) is None

    assert measured.commits == 0
    assert book.session("ses_1").ended_at is None
    assert store.admit(sign_in(now)) is not None, "the connection is free again"


@pytest.mark.parametrize(
    "database_settings", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
def test_a_family_that_opens_while_its_session_ends_ends_too(store, book, database_settings, now):
    """S2: an exchange holds the session's row; who replaces the session waits, and then sees the family.

    On SQLite there is one writer at a time.
    """
    book.change(lambda repos: repos.accounts.set_password("acc_2", "$phc", now))
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with psycopg.connect(str(database_settings.url)) as exchange:
        exchange.execute("SELECT 1 FROM browser_session WHERE id = 'ses_1' FOR SHARE")
        exchange.execute(
            "INSERT INTO token_family (id, client_id, account_id, session_id, grant_data, offline,"
            " generation, last_used_at, created_at, expires_at, idle_expires_at)"
            " VALUES ('fam9', 'shop', 'acc_1', 'ses_1', '{}', false, 0, now(), now(), now(), now())"
        )
        signing_in = Thread(target=store.admit, args=(replacement(now),))
        signing_in.start()
        while signing_in.is_alive() and exchange.execute(waits).fetchone() == (0,):
            pass
    signing_in.join(10)

    assert book.session("ses_1").end_reason == "replaced"
    assert book.events()["ended"].detail["families"] == 1
    with book.database.transaction(write=False):
        assert book.repos.families.get("fam9").revoked_reason == "session_ended"


def test_a_known_device_stays_and_lives_longer(store, book, now):
    """L3."""
    book.change(lambda repos: repos.devices.add(rows.known_device(now, expires_at=now + DAY)))
    later = now + HOUR

    assert store.admit(sign_in(later, device_digest=b"device")) == SignedIn(renewed=False, known_device=True)

    device = book.device(b"device", later + 100 * DAY)
    assert (device.created_at, device.last_seen_at) == (now, later)
    assert book.device(b"new device", later) is None


@pytest.mark.parametrize("what", ["another person's", "expired", "unknown"])
def test_a_planted_device_is_replaced(store, book, now, what):
    """S2: no value is accepted that we did not make for this person."""
    device = rows.known_device(
        now,
        account_id="acc_2" if what == "another person's" else "acc_1",
        expires_at=now if what == "expired" else now + DAY,
        token_digest=b"other" if what == "unknown" else b"device",
    )
    book.change(lambda repos: repos.devices.add(device))

    assert store.admit(sign_in(now, device_digest=b"device")) == SignedIn(renewed=False, known_device=False)

    assert book.device(b"device", now) is None
    assert book.device(b"new device", now) is not None


def test_failures_are_counted_paused_and_recorded(store, book, now):
    """L1: each with its number; a pause is an event of its own."""
    counted = [store.refuse(failure(now, number)) for number in range(1, 4)]

    assert counted == [1, 2, 3]
    row = book.counter()
    assert (row.failures, row.last_failure_at, row.blocked_until) == (3, now, now + SECOND)
    assert row.expires_at == now + 30 * DAY
    with book.database.transaction(write=False):
        events = {row.id: row for row in book.repos.audit.list_()}
    assert sorted(events) == ["evt_1", "evt_1003", "evt_2", "evt_3"]
    assert events["evt_3"].detail == {"seen": "ä", "reason": "wrong_password", "failures": 3}
    throttled = events["evt_1003"].detail
    assert datetime.fromisoformat(throttled.pop("blocked_until")) == now + SECOND
    assert throttled == {"seen": "ä", "failures": 3}
    assert (events["evt_3"].account_id, events["evt_3"].session_id) == ("acc_1", None)
    assert (events["evt_3"].actor, events["evt_3"].address) == ("account:acc_1", "192.0.2.1")


def test_the_last_pause_holds_from_there_on(store, book, now):
    for number in range(8):
        store.refuse(failure(now, number))

    assert book.counter().blocked_until == now + 900 * SECOND


def test_an_expired_counter_starts_again(store, book, now):
    for number in range(5):
        store.refuse(failure(now, number))
    later = now + 30 * DAY

    assert store.refuse(failure(later, 9)) == 1
    assert (book.counter().blocked_until, book.counter().expires_at) == (None, later + 30 * DAY)


def test_a_right_password_in_a_pause_has_a_reason_of_its_own(store, book, now):
    """L1: what the public is not told, the record says."""
    right = {"reason_while_paused": "paused"}
    store.refuse(failure(now, 1, **right))
    assert book.events()["failed"].detail["reason"] == "wrong_password"
    for number in range(2, 4):
        store.refuse(failure(now, number))

    store.refuse(failure(now, 4, **right))

    with book.database.transaction(write=False):
        details = {row.id: row.detail for row in book.repos.audit.list_()}
    assert details["evt_4"] == {"seen": "ä", "reason": "paused", "failures": 4}
    assert "reason" not in details["evt_1004"]


def test_a_failure_of_nobody_is_recorded_without_an_account(store, book, now):
    failed = entry(now, 1, "failed")._replace(account_id=None, actor="account")

    store.refuse(failure(now, counter=NAME, failed=failed))

    assert (book.events()["failed"].account_id, book.events()["failed"].actor) == (None, "account")


def test_a_failure_is_one_commit_and_on_postgresql_one_statement(store, database, now):
    """X12."""
    store.find(question(now))

    with database.statements.measure() as measured:
        store.refuse(failure(now))

    assert measured.commits == 1
    assert len(measured.statements) == (1 if database.dialect == "postgresql" else 4)


def test_parallel_failures_are_all_counted(store, book, now):
    """L1: guessing in parallel wins nothing."""
    counted = in_parallel(20, lambda number: store.refuse(failure(now, number)))

    assert sorted(counted) == list(range(1, 21))
    assert book.counter().blocked_until == now + 900 * SECOND


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/idp.sqlite3", "postgresql://nobody@127.0.0.1:{port}/none"]
)
def test_a_database_out_of_reach_is_unavailable(url, now):
    pool = create_hot_pool(DatabaseSettings(url=SecretUrl(url.format(port=free_port()))), StatementCounter())
    store = create_login_store(pool)

    for call in (
        lambda: store.find(question(now)),
        lambda: store.admit(sign_in(now)),
        lambda: store.admit(replacement(now)),
        lambda: store.refuse(failure(now)),
    ):
        with pytest.raises(Unavailable):
            call()
    pool.close()


def second_steps(repos: Repositories, now: datetime, account_id: str = "acc_1") -> None:
    """An app, two passkeys, three recovery codes of which one is used, and both kinds of sent codes."""
    repos.totp.set(TotpRow(account_id=account_id, sealed_secret=b"s", last_step=0, created_at=now))
    for number in range(2):
        repos.passkeys.add(rows.passkey(now, id=f"pk_{number}", credential_id=bytes([number])))
    repos.recovery_codes.replace(account_id, [b"1", b"2", b"3"], now)
    repos.recovery_codes.claim(account_id, b"2", now)
    for channel in ("sms", "email"):
        repos.code_factors.set(
            CodeFactorRow(account_id=account_id, channel=channel, address="x", created_at=now)
        )


def test_what_an_account_can_prove_is_found_at_once(store, book, now):
    """M5: whether a step comes after the password is in the one read; what it can be, in another."""
    nothing = store.find(question(now))
    book.change(lambda repos: second_steps(repos, now))

    assert nothing.has_second_step is False
    assert store.find(question(now)).has_second_step is True
    with book.database.transaction(write=False):
        found = book.repos.enrolments.of("acc_1")
        nobody = book.repos.enrolments.of("acc_none")
    assert found == Enrolment(now, 2, totp=True, recovery_codes=2, sms=True, email=True, identities=0)
    assert nobody == Enrolment(None, 0, totp=False, recovery_codes=0, sms=False, email=False, identities=0)


@pytest.mark.parametrize("name", ["bob", "nobody", None])
def test_what_an_account_can_prove_is_nobody_elses(store, book, now, name):
    """L6: the same work, and nothing found."""
    book.change(lambda repos: second_steps(repos, now))

    assert store.find(question(now, canonical=name)).has_second_step is False


def test_the_owner_of_an_account_is_told_if_there_is_somebody_to_tell(store, book, now):
    """M13: an address, and a device before this one."""
    book.change(lambda repos: repos.devices.add(rows.known_device(now, token_digest=DEVICE)))
    nowhere = store.find(question(now)).is_told
    book.change(lambda repos: setattr(repos.accounts.get("acc_1"), "email", "alice@example.org"))

    assert nowhere is False
    assert store.find(question(now)).is_told is True
    assert store.find(question(now, canonical="bob")).is_told is False
    assert store.find(question(now, canonical="nobody")).is_told is False


@pytest.mark.parametrize("what", ["totp", "sms", "email"])
def test_a_second_step_set_up_meanwhile_stops_a_sign_in(store, book, now, what):
    """M5: the statement that signs in with a password alone looks again."""

    def set_up(repos: Repositories) -> None:
        if what == "totp":
            repos.totp.set(TotpRow(account_id="acc_1", sealed_secret=b"s", last_step=0, created_at=now))
        else:
            repos.code_factors.set(
                CodeFactorRow(account_id="acc_1", channel=what, address="x", created_at=now)
            )

    book.change(set_up)

    assert store.admit(sign_in(now)) is None
    assert book.session("ses_new") is None
    assert store.admit(sign_in(now, account_id="acc_2", phc="$phc")) is None, "bob has no password"


def trust(book: Book, now: datetime, until: datetime, account_id: str = "acc_1") -> None:
    def remember(repos: Repositories) -> None:
        device = rows.known_device(now, token_digest=DEVICE, account_id=account_id)
        device.trusted_until, device.expires_at = until, now + DAY
        repos.devices.add(device)

    book.change(remember)


def test_a_trusted_device_is_let_off_the_second_step(store, book, now):
    """M8: bound to account and device."""
    book.change(lambda repos: second_steps(repos, now))
    trust(book, now, now + SECOND)

    assert store.find(question(now, device_digest=DEVICE)).trusted_device is True
    assert store.find(question(now, canonical="bob", device_digest=DEVICE)).trusted_device is False
    assert store.find(question(now + SECOND, device_digest=DEVICE)).trusted_device is False
    assert store.admit(sign_in(now, device_digest=DEVICE)) == SignedIn(renewed=False, known_device=True)


def test_a_trusted_device_of_somebody_else_is_let_off_nothing(store, book, now):
    """M8."""
    book.change(lambda repos: second_steps(repos, now))
    trust(book, now, now + SECOND, account_id="acc_2")

    assert store.admit(sign_in(now, device_digest=DEVICE)) is None


def test_a_trusted_device_is_asked_again_when_the_time_is_over(store, book, now):
    """M8."""
    book.change(lambda repos: second_steps(repos, now))
    trust(book, now, now)

    assert store.admit(sign_in(now, device_digest=DEVICE)) is None
