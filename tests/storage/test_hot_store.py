"""The token path's statements: one suite for both databases.

| rule | test |
|---|---|
| C1: a code is claimed once, however many try | `test_of_fifty_parallel_claims_one_wins` |
| C4: bound to client, redirect URI and challenge | `test_a_claim_needs_everything_the_code_is_bound_to` |
| C3, T16: expired codes, disabled accounts, ended sessions, epochs | `test_what_makes_a_code_worthless` |
| D2: claim, family and audit are one commit | `test_a_claim_writes_family_and_audit_in_one_commit` |
| D12: a family cannot fork | `test_of_fifty_parallel_rotations_one_wins` |
| T9, T16: ended families | `test_what_makes_a_family_worthless` |
| T16: what userinfo and introspection see | `test_check_access_*` |
| promise: 503, never a trace | `test_a_database_out_of_reach_is_unavailable` |
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from idp.errors import Unavailable
from idp.settings import DatabaseSettings, SecretUrl
from idp.storage import AuditEntry, Database, Repositories, StatementCounter
from idp.storage.hot import CodeClaim, FamilyAdvance, HotStore, create_hot_pool, create_hot_store
from tests.services import free_port
from tests.storage import rows
from tests.storage.threads import in_parallel

DAY = timedelta(days=1)


@pytest.fixture
def hot(database: Database, database_settings: DatabaseSettings) -> Iterator[HotStore]:
    pool = create_hot_pool(database_settings, database.statements)
    yield create_hot_store(pool)
    pool.close()


@pytest.fixture
def person(database: Database, repos: Repositories, now: datetime) -> None:
    """An account with a live session."""
    with database.transaction():
        repos.accounts.add(
            rows.account(now, email="alice@example.com", email_verified=True, claims={"locale": "fr"}),
            [("alice", "username")],
        )
        repos.sessions.add(rows.browser_session(now))


@pytest.fixture
def code(person: None, database: Database, repos: Repositories, now: datetime) -> None:
    with database.transaction():
        repos.one_time.issue(
            rows.code(
                now, account_id="acc_1", session_id="ses_1", payload={"scopes": ["openid"], "offline": True}
            )
        )


@pytest.fixture
def family(person: None, database: Database, repos: Repositories, now: datetime) -> None:
    with database.transaction():
        repos.families.add(rows.family(now))


def audit(now: datetime, identifier: str = "evt_1", event: str = "token.code.exchanged") -> AuditEntry:
    return AuditEntry(
        id=identifier,
        occurred_at=now,
        event=event,
        actor="client:shop",
        account_id=None,
        client_id="shop",
        session_id=None,
        address="192.0.2.1",
        user_agent="tests",
        request_id="r1",
        detail={"family": "fam_new"},
    )


def claim(start: datetime, /, **changes: Any) -> CodeClaim:
    family_id = changes.get("family_id", "fam_new")
    values: dict[str, Any] = {
        "digest": b"\x00\x01\xff",
        "client_id": "shop",
        "proof": "challenge",
        "target": "https://shop.example/cb",
        "now": start + timedelta(seconds=1),
        "family_id": family_id,
        "family_expires_at": start + 90 * DAY,
        "family_idle_expires_at": start + 30 * DAY,
        "client_not_before": None,
        "audit": audit(start, f"evt_{family_id}"),
    }
    return CodeClaim(**values | changes)


def advance(start: datetime, /, **changes: Any) -> FamilyAdvance:
    values: dict[str, Any] = {
        "family_id": "fam1",
        "generation": 0,
        "client_id": "shop",
        "now": start + timedelta(seconds=1),
        "rotate": True,
        "idle_expires_at": start + 31 * DAY,
        "client_not_before": None,
        "audit": audit(start, "evt_refresh", "token.refreshed"),
    }
    return FamilyAdvance(**values | changes)


def test_a_claim_gives_what_the_code_stood_for(hot, code, now):
    claimed = hot.claim_code(claim(now))

    assert claimed is not None
    assert claimed.grant == {"scopes": ["openid"], "offline": True}
    assert claimed.session_id == "ses_1"
    account = claimed.account
    assert (account.id, account.username, account.email, account.email_verified) == (
        "acc_1", "alice", "alice@example.com", True,
    )  # fmt: skip
    assert (account.claims, account.updated_at, account.disabled) == ({"locale": "fr"}, now, False)


def test_a_claim_writes_family_and_audit_in_one_commit(hot, code, database, repos, now):
    """D2, D12: nothing of a code exchange can be there without the rest; row X12."""
    with database.statements.measure() as measured:
        hot.claim_code(claim(now))

    assert measured.commits == 1
    if database.dialect == "postgresql":
        assert len(measured.statements) == 1
    with database.transaction(write=False):
        family = repos.families.get("fam_new")
        assert family is not None
        assert (family.client_id, family.account_id, family.session_id) == ("shop", "acc_1", "ses_1")
        assert (family.offline, family.generation) == (True, 0)
        assert family.grant_data == {"scopes": ["openid"], "offline": True}
        assert (family.expires_at, family.idle_expires_at) == (now + 90 * DAY, now + 30 * DAY)
        event = repos.audit.list_(limit=1)[0]
        assert (event.event, event.account_id, event.session_id) == ("token.code.exchanged", "acc_1", "ses_1")
        assert event.detail == {"family": "fam_new"}
        row = repos.one_time.find("authorization_code", b"\x00\x01\xff")
        assert row is not None
        assert (row.outcome, row.consumed_at) == ("fam_new", now + timedelta(seconds=1))


def test_a_second_claim_fails_and_leaves_nothing(hot, code, database, repos, now):
    """C1: a code works once; the kept row lets a replay be recognised."""
    hot.claim_code(claim(now))

    with database.statements.measure() as measured:
        again = hot.claim_code(claim(now, family_id="fam_second"))

    assert again is None
    assert measured.commits == 0
    with database.transaction(write=False):
        assert repos.families.get("fam_second") is None


def test_of_fifty_parallel_claims_one_wins(hot, code, database, repos, now):
    """C1: N parallel exchanges yield exactly one success."""
    results = in_parallel(50, lambda number: hot.claim_code(claim(now, family_id=f"fam_{number}")))

    assert len([result for result in results if result is not None]) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "other"},
        {"proof": "another challenge"},
        {"proof": None},
        {"target": "https://shop.example/cb2"},
        {"digest": b"unknown"},
        {"client_not_before": datetime(2026, 1, 3, tzinfo=UTC)},
    ],
)
def test_a_claim_needs_everything_the_code_is_bound_to(hot, code, now, wrong):
    """C4: client, challenge and redirect URI; a wrong one leaves the code usable for its owner."""
    assert hot.claim_code(claim(now, **wrong)) is None

    assert hot.claim_code(claim(now)) is not None


def test_a_redirect_uri_that_is_not_sent_is_not_compared(hot, code, now):
    """R5: the token request's redirect_uri must be equal, when sent."""
    assert hot.claim_code(claim(now, target=None)) is not None


def test_a_code_without_challenge_refuses_a_verifier(hot, person, database, repos, now):
    """C6: no challenge was sent, so a verifier makes the request wrong."""
    with database.transaction():
        repos.one_time.issue(rows.code(now, account_id="acc_1", session_id="ses_1", proof=None))

    assert hot.claim_code(claim(now, proof="challenge")) is None
    assert hot.claim_code(claim(now, proof=None)) is not None


@pytest.mark.parametrize("reason", ["expired", "disabled", "epoch", "session ended"])
def test_what_makes_a_code_worthless(hot, code, database, repos, now, reason):
    """C3, T16, S5: looked at in the statement itself, so nothing can change in between."""
    with database.transaction():
        if reason == "disabled":
            repos.accounts.set_disabled("acc_1", now)
        if reason == "epoch":
            repos.accounts.set_not_before("acc_1", now + timedelta(microseconds=1))
        if reason == "session ended":
            repos.sessions.end("ses_1", "logout", now)

    moment = now + timedelta(seconds=60 if reason == "expired" else 1)
    assert hot.claim_code(claim(now, now=moment)) is None


def test_an_advance_rotates_the_generation(hot, family, database, repos, now):
    advanced = hot.advance_family(advance(now))

    assert advanced is not None
    assert (advanced.generation, advanced.session_id, advanced.grant) == (1, "ses_1", {"scopes": ["openid"]})
    assert advanced.expires_at == now + 90 * DAY
    state = hot.find_family("fam1")
    assert state is not None
    assert (state.generation, state.rotated_at) == (1, now + timedelta(seconds=1))
    assert state.idle_expires_at == now + 31 * DAY


def test_an_advance_without_rotation_keeps_the_generation(hot, family, now):
    """D12: confidential clients keep their token; its idle end moves."""
    advanced = hot.advance_family(advance(now, rotate=False))

    assert advanced is not None
    assert advanced.generation == 0
    state = hot.find_family("fam1")
    assert state is not None
    assert (state.rotated_at, state.idle_expires_at) == (None, now + 31 * DAY)


def test_an_advance_is_one_commit_with_its_audit(hot, family, database, repos, now):
    with database.statements.measure() as measured:
        hot.advance_family(advance(now))

    assert measured.commits == 1
    with database.transaction(write=False):
        event = repos.audit.list_(limit=1)[0]
        assert (event.event, event.account_id, event.session_id) == ("token.refreshed", "acc_1", "ses_1")


def test_of_fifty_parallel_rotations_one_wins(hot, family, now):
    """T7, D12: a chain cannot fork."""
    results = in_parallel(
        50,
        lambda number: hot.advance_family(
            advance(now, audit=audit(now, f"evt_r{number}", "token.refreshed"))
        ),
    )

    winners = [result for result in results if result is not None]
    assert len(winners) == 1
    assert winners[0].generation == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "other"},
        {"generation": 1},
        {"family_id": "unknown"},
        {"now": datetime(2027, 1, 1, tzinfo=UTC)},
        {"client_not_before": datetime(2026, 1, 3, tzinfo=UTC)},
    ],
)
def test_an_advance_needs_client_generation_and_time(hot, family, now, wrong):
    """T9, T11, T16: another client, another generation, past the idle end, before the client's epoch."""
    assert hot.advance_family(advance(now, **wrong)) is None


@pytest.mark.parametrize("reason", ["revoked", "disabled", "epoch", "absolute end"])
def test_what_makes_a_family_worthless(hot, family, database, repos, now, reason):
    with database.transaction():
        if reason == "revoked":
            repos.families.revoke("fam1", "logout", now)
        if reason == "disabled":
            repos.accounts.set_disabled("acc_1", now)
        if reason == "epoch":
            repos.accounts.set_not_before("acc_1", now + timedelta(microseconds=1))
        if reason == "absolute end":
            repos.families.add(rows.family(now, id="fam2", expires_at=now + timedelta(seconds=1)))

    family_id = "fam2" if reason == "absolute end" else "fam1"
    assert hot.advance_family(advance(now, family_id=family_id)) is None


def test_a_family_is_found_with_its_account(hot, family, database, repos, now):
    with database.transaction():
        repos.families.revoke("fam1", "logout", now)

    state = hot.find_family("fam1")

    assert state is not None
    assert (state.client_id, state.generation, state.revoked_at, state.created_at) == ("shop", 0, now, now)
    assert state.account.username == "alice"
    assert hot.find_family("unknown") is None


def test_check_access_of_a_live_token_is_one_statement(hot, family, database, now):
    with database.statements.measure() as measured:
        state = hot.check_access(family_id="fam1", jti="j1")

    assert len(measured.statements) == 1
    assert measured.commits == 0
    assert (state.revoked, state.family_live) == (False, True)
    assert state.account is not None
    assert state.account.claims == {"locale": "fr"}
    assert state.grant == {"scopes": ["openid"]}


def test_check_access_sees_a_revoked_token_and_a_dead_family(hot, family, database, repos, now):
    """T14, T16: each alone is enough to make a token worthless."""
    with database.transaction():
        repos.families.revoke_access_token("j1", expires_at=now + DAY, now=now)
        repos.families.revoke("fam1", "logout", now)

    state = hot.check_access(family_id="fam1", jti="j1")

    assert (state.revoked, state.family_live) == (True, False)
    assert hot.check_access(family_id="fam1", jti="j2").revoked is False


def test_check_access_of_an_unknown_family_has_no_account(hot, person):
    state = hot.check_access(family_id="unknown", jti="j1")

    assert (state.family_live, state.account) == (False, None)


def test_check_access_of_a_machine_token_asks_for_the_token_alone(hot, person):
    state = hot.check_access(family_id=None, jti="j1")

    assert (state.revoked, state.family_live, state.account) == (False, True, None)


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@127.0.0.1:{port}/none", "sqlite:////dev/null/idp.sqlite3"]
)
def test_a_database_out_of_reach_is_unavailable(url):
    """Promise: 503 within the pool's time-out, never a trace."""
    settings = DatabaseSettings(
        url=SecretUrl(url.format(port=free_port())), pool_timeout=timedelta(seconds=0.3)
    )
    pool = create_hot_pool(settings, StatementCounter())

    with pytest.raises(Unavailable):
        create_hot_store(pool).check_access(family_id=None, jti="j1")
    pool.close()
