"""Token families, browser sessions and interactions, alike on both databases."""

from datetime import timedelta

import pytest

from idp.errors import Conflict
from tests.storage import rows
from tests.storage.threads import in_parallel


@pytest.fixture(autouse=True)
def people(database, repos, now):
    with database.transaction():
        repos.accounts.add(rows.account(now), [])
        repos.accounts.add(rows.account(now, id="acc_2"), [])


@pytest.fixture
def families(database, repos, now):
    """Four families that differ in one thing each."""
    with database.transaction():
        repos.families.add(rows.family(now, id="online"))
        repos.families.add(rows.family(now, id="offline", offline=True))
        repos.families.add(rows.family(now, id="other client", client_id="app", session_id="ses_2"))
        repos.families.add(rows.family(now, id="other account", account_id="acc_2", session_id="ses_3"))


def revoked(database, repos):
    names = ("online", "offline", "other client", "other account")
    with database.transaction(write=False):
        return {name for name in names if repos.families.get(name).revoked_at is not None}


def test_family_is_revoked_once(database, repos, now, families):
    with database.transaction():
        assert repos.families.revoke("online", "reuse", now)
    with database.transaction():
        assert not repos.families.revoke("online", "again", now + timedelta(hours=1))
        assert not repos.families.revoke("unknown", "reuse", now)

    with database.transaction(write=False):
        row = repos.families.get("online")
        assert (row.revoked_at, row.revoked_reason) == (now, "reuse")
    assert revoked(database, repos) == {"online"}


def test_parallel_revocations_have_one_winner(database, repos, now, families):
    def revoke(_) -> bool:
        with database.transaction():
            return repos.families.revoke("online", "reuse", now)

    assert sum(in_parallel(10, revoke)) == 1


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda f, now: f.revoke_for_session("ses_1", now, keep_offline=True), {"online"}),
        (lambda f, now: f.revoke_for_session("ses_1", now, keep_offline=False), {"online", "offline"}),
        (
            lambda f, now: f.revoke_for_account("acc_1", "disabled", now, limit=9),
            {"online", "offline", "other client"},
        ),
    ],
)
def test_revocation_reaches_what_it_names(database, repos, now, families, call, expected):
    with database.transaction():
        assert call(repos.families, now) == len(expected)

    assert revoked(database, repos) == expected
    with database.transaction():
        assert call(repos.families, now) == 0


def test_families_of_a_person_are_revoked_a_few_at_a_time(database, repos, now, families):
    counts = []
    for _ in range(3):
        with database.transaction():
            counts.append(repos.families.revoke_for_account("acc_1", "disabled", now, limit=2))

    assert counts == [2, 1, 0]
    assert revoked(database, repos) == {"online", "offline", "other client"}


def test_family_keeps_its_grant(database, repos, now, families):
    with database.transaction(write=False):
        row = repos.families.get("online")
        assert (row.grant_data, row.generation, row.offline) == ({"scopes": ["openid"]}, 0, False)
        assert repos.families.get("unknown") is None


def test_family_needs_its_account(database, repos, now):
    with pytest.raises(Conflict), database.transaction():
        repos.families.add(rows.family(now, account_id="acc_3"))


def test_access_token_is_revoked_once(database, repos, now):
    with database.transaction():
        assert repos.families.revoke_access_token("jti1", now, now + timedelta(minutes=5))
        assert not repos.families.revoke_access_token("jti1", now, now + timedelta(minutes=5))
        assert repos.families.is_access_token_revoked("jti1")
        assert not repos.families.is_access_token_revoked("jti2")


def test_ended_session_cannot_come_back(database, repos, now):
    later = now + timedelta(hours=1)
    with database.transaction():
        repos.sessions.add(rows.browser_session(now))
        assert repos.sessions.end("ses_1", "logout", now)

    with database.transaction():
        assert not repos.sessions.end("ses_1", "again", later)

    with database.transaction(write=False):
        row = repos.sessions.get("ses_1")
        assert (row.ended_at, row.end_reason, row.token_digest) == (now, "logout", b"cookie")


def test_sessions_of_a_person_end_together(database, repos, now):
    with database.transaction():
        for number, owner in enumerate(["acc_1", "acc_1", "acc_2"]):
            cookie = f"cookie{number}".encode()
            repos.sessions.add(
                rows.browser_session(now, id=f"ses_{number}", token_digest=cookie, account_id=owner)
            )

    with database.transaction():
        assert len(repos.sessions.end_for_account("acc_1", "password changed", now, limit=1)) == 1
        assert len(repos.sessions.end_for_account("acc_1", "password changed", now, limit=9)) == 1
        assert repos.sessions.end_for_account("acc_1", "again", now, limit=9) == []
        assert repos.sessions.get("ses_2").ended_at is None


def test_two_sessions_never_share_a_cookie(database, repos, now):
    with database.transaction():
        repos.sessions.add(rows.browser_session(now))

    with pytest.raises(Conflict), database.transaction():
        repos.sessions.add(rows.browser_session(now, id="ses_2"))


def test_interaction_is_finished_once(database, repos, now):
    """A11: two tabs' worth of clicks give one answer to the client."""
    with database.transaction():
        repos.interactions.add(rows.interaction(now))

    def finish(_) -> bool:
        with database.transaction():
            return repos.interactions.finish("int_1", now)

    assert sum(in_parallel(10, finish)) == 1
    with database.transaction():
        assert not repos.interactions.save_progress("int_1", {"late": True}, now)
        assert repos.interactions.get("int_1").finished_at == now


def test_interaction_keeps_its_progress_until_it_expires(database, repos, now):
    with database.transaction():
        repos.interactions.add(rows.interaction(now))
        assert repos.interactions.save_progress("int_1", {"consented": True}, now)
        assert repos.interactions.get("int_1").progress == {"consented": True}

    expired = now + timedelta(hours=1)
    with database.transaction():
        assert not repos.interactions.save_progress("int_1", {}, expired)
        assert not repos.interactions.finish("int_1", expired)
        assert repos.interactions.get("int_1").request == {"scope": "openid"}
        assert repos.interactions.get("int_2") is None
