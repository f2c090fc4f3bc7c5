"""The statements of pages: one suite for both databases.

| rule | test |
|---|---|
| S5, S6, T16: what a session tells its page | `test_a_session_is_found_in_whatever_state`, `test_both_*` |
| S4: the idle end | `test_a_touch_never_goes_back`, `test_a_touch_leaves_an_ended_session` |
| K1, S5, S6, T16: no code without a live session, account and consent | `test_what_stops_a_code` |
| K1: consent covers everything asked for | `test_a_code_needs_every_consent` |
| D2: one answer to an interaction | `test_of_many_answers_to_one_interaction_one_wins` |
| D2: code, interaction and audit are one commit | `test_a_code_is_written_with_its_event_in_one_commit` |
| promise: 503, never a trace | `test_a_database_out_of_reach_is_unavailable` |
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from idp.errors import Invalid, Unavailable
from idp.settings import DatabaseSettings, SecretUrl
from idp.storage import Database, OneTimeRow, Repositories, StatementCounter
from idp.storage.hot import (
    BrowserStore,
    CodeIssue,
    NeededConsent,
    NewInteraction,
    create_browser_store,
    create_hot_pool,
)
from tests.services import free_port
from tests.storage import rows
from tests.storage.threads import in_parallel

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
DIGEST = b"\x00\x01\xff"


@pytest.fixture
def store(database: Database, database_settings: DatabaseSettings) -> Iterator[BrowserStore]:
    pool = create_hot_pool(database_settings, database.statements)
    yield create_browser_store(pool)
    pool.close()


@pytest.fixture
def person(database: Database, repos: Repositories, now: datetime) -> None:
    """An account with a live session."""
    with database.transaction():
        repos.accounts.add(rows.account(now), [("alice", "username")])
        repos.sessions.add(rows.browser_session(now))


@pytest.fixture
def waiting(database: Database, repos: Repositories, now: datetime) -> None:
    """An interaction that has come some way."""
    with database.transaction():
        repos.interactions.add(rows.interaction(now, progress={"session_id": None, "kept": True}))


def issue(start: datetime, /, **changes: Any) -> CodeIssue:
    values: dict[str, Any] = {
        "digest": DIGEST,
        "client_id": "shop",
        "proof": "challenge",
        "target": "https://shop.example/cb",
        "payload": {"scopes": ["openid"], "nonce": "ä"},
        "session_id": "ses_1",
        "logins": 1,
        "needed": (),
        "uid": None,
        "progress": {"session_id": None, "kept": True},
        "now": start + SECOND,
        "expires_at": start + 61 * SECOND,
        "audit": rows.audit_entry(
            start, event="code.issued", client_id="shop", detail={"scopes": ["openid"]}
        ),
    }
    return CodeIssue(**values | changes)


def code(database: Database, repos: Repositories) -> OneTimeRow | None:
    with database.transaction(write=False):
        return repos.one_time.find("authorization_code", DIGEST)


def test_a_session_is_found_in_whatever_state(store, person, database, repos, now):
    live = store.find_session(b"cookie")
    with database.transaction():
        repos.sessions.end("ses_1", "logout", now)
        repos.accounts.set_disabled("acc_1", now)
    dead = store.find_session(b"cookie")

    assert (live.id, live.account_id, live.logins, live.amr) == ("ses_1", "acc_1", 1, ("pwd",))
    assert (live.auth_time, live.created_at, live.last_seen_at) == (now, now, now)
    assert (live.expires_at, live.idle_expires_at) == (now + 30 * DAY, now + 8 * HOUR)
    assert (live.acr, live.user_agent, live.address) == ("urn:idp:loa:1", "Firefox", "192.0.2.1")
    assert (live.ended, live.account_disabled) == (False, False)
    assert (live.account_not_before, live.deployment_not_before) == (None, None)
    assert (dead.ended, dead.account_disabled) == (True, True)
    assert store.find_session(b"other") is None


def test_both_epochs_come_along(store, person, database, repos, now):
    """T16."""
    with database.transaction():
        repos.accounts.set_not_before("acc_1", now + SECOND)
        repos.deployment.set_not_before(now + HOUR)

    found = store.find_session(b"cookie")

    assert (found.account_not_before, found.deployment_not_before) == (now + SECOND, now + HOUR)


def test_a_session_is_one_read(store, person, database):
    store.find_session(b"cookie")

    with database.statements.measure() as measured:
        store.find_session(b"cookie")

    assert (len(measured.statements), measured.commits) == (1, 0)


def test_a_touch_never_goes_back(store, person, now):
    """S4."""
    later = now + HOUR

    store.touch_session("ses_1", last_seen_at=later, idle_expires_at=later + 8 * HOUR)
    store.touch_session("ses_1", last_seen_at=now, idle_expires_at=now + 8 * HOUR)

    found = store.find_session(b"cookie")
    assert (found.last_seen_at, found.idle_expires_at) == (later, later + 8 * HOUR)


def test_a_touch_leaves_an_ended_session(store, person, database, repos, now):
    """S5."""
    with database.transaction():
        repos.sessions.end("ses_1", "logout", now)

    store.touch_session("ses_1", last_seen_at=now + HOUR, idle_expires_at=now + 9 * HOUR)

    assert store.find_session(b"cookie").last_seen_at == now


def test_an_interaction_is_kept_and_found(store, database, repos, now):
    made = NewInteraction(
        uid="int_2",
        browser_digest=b"\xff",
        client_id="shop",
        request={"state": "ä", "scopes": ["openid"]},
        progress={"kept": False},
        created_at=now,
        expires_at=now + HOUR,
    )

    store.add_interaction(made)
    open_ = store.find_interaction("int_2")
    with database.transaction():
        assert repos.interactions.finish("int_2", now + SECOND)
    done = store.find_interaction("int_2")

    assert (open_.uid, open_.browser_digest, open_.request) == ("int_2", b"\xff", made.request)
    assert (open_.progress, open_.expires_at, open_.finished_at) == ({"kept": False}, now + HOUR, None)
    assert done.finished_at == now + SECOND
    assert store.find_interaction("int_3") is None


def test_a_code_is_written_with_its_event_in_one_commit(store, person, waiting, database, repos, now):
    """D2, C4."""
    with database.statements.measure() as measured:
        assert store.issue_code(issue(now, uid="int_1"))

    row = code(database, repos)
    assert measured.commits == 1
    assert len(measured.statements) <= (1 if database.dialect == "postgresql" else 4)
    assert (row.binding, row.proof, row.target) == ("shop", "challenge", "https://shop.example/cb")
    assert (row.account_id, row.session_id) == ("acc_1", "ses_1")
    assert row.payload == {"scopes": ["openid"], "nonce": "ä"}
    assert (row.attempts, row.created_at, row.expires_at) == (0, now + SECOND, now + 61 * SECOND)
    assert (row.consumed_at, row.outcome) == (None, None)
    assert store.find_interaction("int_1").finished_at == now + SECOND
    with database.transaction(write=False):
        (event,) = repos.audit.list_()
    assert (event.event, event.account_id, event.session_id) == ("code.issued", "acc_1", "ses_1")
    assert (event.client_id, event.detail) == ("shop", {"scopes": ["openid"]})
    assert event.occurred_at == now + SECOND


def _ended(repos: Repositories, now: datetime) -> None:
    repos.sessions.end("ses_1", "logout", now)


def _disabled(repos: Repositories, now: datetime) -> None:
    repos.accounts.set_disabled("acc_1", now)


def _called_back(repos: Repositories, now: datetime) -> None:
    repos.accounts.set_not_before("acc_1", now + SECOND)


def _signed_in_again(repos: Repositories, _now: datetime) -> None:
    row = repos.sessions.get("ses_1")
    assert row is not None
    row.logins += 1


def _finished(repos: Repositories, now: datetime) -> None:
    repos.interactions.finish("int_1", now)


def _further_on(repos: Repositories, now: datetime) -> None:
    repos.interactions.save_progress("int_1", {"session_id": None, "kept": False}, now)


@pytest.mark.parametrize(
    "change", [_ended, _disabled, _called_back, _signed_in_again, _finished, _further_on]
)
def test_what_stops_a_code(store, person, waiting, database, repos, now, change: Callable[..., None]):
    """S5, S6, T16: whatever happened since the session and the interaction were read."""
    with database.transaction():
        change(repos, now)

    with database.statements.measure() as measured:
        assert not store.issue_code(issue(now, uid="int_1"))

    assert measured.commits == 0
    assert code(database, repos) is None
    with database.transaction(write=False):
        assert repos.audit.list_() == []
    if change is not _finished:
        assert store.find_interaction("int_1").finished_at is None


@pytest.mark.parametrize("changes", [{"session_id": "ses_2"}, {"uid": "int_2"}, {"logins": 2}])
def test_a_code_for_what_is_not_there(store, person, waiting, database, repos, now, changes):
    assert not store.issue_code(issue(now, **changes))
    assert code(database, repos) is None


@pytest.mark.parametrize("after", [8 * HOUR, 30 * DAY])
def test_a_session_at_its_end_gives_no_code(store, person, database, repos, now, after):
    """S4: idle and absolute."""
    if after > 8 * HOUR:
        store.touch_session("ses_1", last_seen_at=now + SECOND, idle_expires_at=now + 60 * DAY)

    assert not store.issue_code(issue(now, now=now + after, expires_at=now + after + 60 * SECOND))
    assert store.issue_code(issue(now, now=now + after - SECOND, expires_at=now + after))


def test_an_interaction_at_its_end_gives_no_code(store, person, waiting, database, repos, now):
    assert not store.issue_code(issue(now, uid="int_1", now=now + HOUR))
    assert code(database, repos) is None


@pytest.mark.parametrize(
    ("needed", "issued"),
    [
        ([("", ("openid",), ())], True),
        ([("", ("openid", "email"), ("name",))], True),
        ([("", ("openid",), ()), ("https://api.example", ("read",), ())], True),
        ([("", ("openid", "profile"), ())], False),
        ([("", ("openid",), ("name", "birthdate"))], False),
        ([("", ("openid",), ()), ("https://api.example", ("read", "write"), ())], False),
        ([("https://other.example", ("",), ())], False),
        ([("", ("open",), ())], False),
        ([("", ('openid","email',), ())], False),
    ],
)
def test_a_code_needs_every_consent(store, person, database, repos, now, needed, issued):
    """K1."""
    with database.transaction():
        repos.consents.save(rows.consent(now, scopes=["email", "openid"], claims=["name"]))
        repos.consents.save(rows.consent(now, resource="https://api.example", scopes=["read"], claims=[]))
        repos.consents.save(rows.consent(now, client_id="other", scopes=["profile"], claims=["birthdate"]))
        repos.consents.save(rows.consent(now, account_id="acc_2", resource="https://other.example"))
    wanted = tuple(
        NeededConsent(resource=name, scopes=scopes, claims=claims) for name, scopes, claims in needed
    )

    assert store.issue_code(issue(now, needed=wanted)) is issued
    assert (code(database, repos) is not None) is issued


def test_of_many_answers_to_one_interaction_one_wins(store, person, waiting, database, now):
    """D2."""

    def answer(number: int) -> bool:
        event = rows.audit_entry(now, id=f"evt_{number}")
        return store.issue_code(issue(now, uid="int_1", digest=b"%d" % number, audit=event))

    assert sum(in_parallel(20, answer)) == 1


@pytest.mark.parametrize("payload", [{"nonce": "a\x00b"}, {"nonce": "\ud800"}])
def test_text_that_cannot_be_stored_is_refused(store, person, database, repos, now, payload):
    """X5."""
    with pytest.raises(Invalid):
        store.issue_code(issue(now, payload=payload))

    assert code(database, repos) is None


@pytest.mark.parametrize(
    "url", ["postgresql://postgres@127.0.0.1:{port}/idp", "sqlite:////nowhere/{port}/idp.sqlite3"]
)
def test_a_database_out_of_reach_is_unavailable(url):
    """Promise: 503 within the pool's time-out, never a trace."""
    settings = DatabaseSettings(
        url=SecretUrl(url.format(port=free_port())), pool_timeout=timedelta(seconds=0.3)
    )
    pool = create_hot_pool(settings, StatementCounter())

    with pytest.raises(Unavailable):
        create_browser_store(pool).find_session(b"cookie")
    pool.close()
