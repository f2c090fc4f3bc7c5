"""Browser sessions on both databases (rows S1, S2, S4, S5, S6)."""

from datetime import timedelta

import pytest

from idp.accounts import Accounts
from idp.sessions import Sessions
from idp.settings import SessionSettings
from idp.storage import BrowserSessionRow
from idp.storage.hot import create_browser_store, create_hot_pool
from tests.sessions import begin_session, renew_session

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Signed:
    """Sessions of one account, each step in a transaction of its own."""

    def __init__(self, database, repos, store, now):
        self.database, self.repos, self.now = database, repos, now
        self.rooms = Sessions(repos, store, SessionSettings())
        self.accounts = Accounts(repos)
        with database.transaction():
            self.account_id = self.accounts.create(
                username="ada", email=None, email_verified=False, claims={}, now=now
            ).id

    def start(self, **proof):
        with self.database.transaction():
            session, cookie = begin_session(self.rooms, self.repos, self.account_id, self.now, **proof)
        return session, cookie.reveal()

    def again(self, session, at, **proof):
        with self.database.transaction():
            renewed, cookie = renew_session(self.rooms, self.repos, session, at, **proof)
        return renewed, cookie.reveal()

    def find(self, cookie, at=None):
        return self.rooms.find(cookie, at or self.now)

    def touch(self, session, at):
        return self.rooms.touch(session, at)


@pytest.fixture
def signed(database, database_settings, repos, now):
    pool = create_hot_pool(database_settings, database.statements)
    yield Signed(database, repos, create_browser_store(pool), now)
    pool.close()


def test_a_session_is_found_by_its_cookie(signed):
    session, cookie = signed.start()

    assert signed.find(cookie) == session
    assert session.id.startswith("ses_")
    assert session.logins == 1
    assert session.auth_time == signed.now
    assert session.amr == ("pwd",)


@pytest.mark.parametrize("junk", [None, "", "idp_bs_x", "x" * 10_000, "\ud800", "idp_bs_\ud800\x00"])
def test_unknown_values_find_nothing(signed, junk):
    """S2: no value is accepted that we did not make; junk never raises."""
    signed.start()

    assert signed.find(junk) is None


def test_the_store_holds_no_cookie_value(signed, repos):
    """S1: hashed in the store, at least 128 bits."""
    session, cookie = signed.start()

    with signed.database.transaction(write=False):
        row = repos.sessions.get(session.id)
        values = [getattr(row, column.key) for column in BrowserSessionRow.__table__.columns]

    assert len(cookie) >= 40
    assert not any(cookie in str(value) for value in values)


def test_reauthentication_keeps_the_sid_and_changes_the_cookie(signed):
    """S2: a new id at re-authentication; the old value is dead."""
    session, cookie = signed.start()
    later = signed.now + HOUR

    renewed, fresh = signed.again(session, later)

    assert renewed.id == session.id
    assert renewed.logins == 2
    assert renewed.auth_time == later
    assert renewed.expires_at == later + 30 * DAY
    assert signed.find(cookie, later) is None
    assert signed.find(fresh, later) == renewed


def test_idle_and_absolute_ends_are_kept(signed):
    """S4: 12 hours without use, 30 days in all."""
    session, cookie = signed.start()

    assert signed.find(cookie, signed.now + 12 * HOUR - MINUTE)
    assert signed.find(cookie, signed.now + 12 * HOUR) is None
    at = signed.now
    while at < signed.now + 30 * DAY - 10 * HOUR:
        at += 10 * HOUR
        session = signed.touch(session, at)
    assert session.idle_expires_at == signed.now + 30 * DAY
    assert signed.find(cookie, signed.now + 30 * DAY - MINUTE)
    assert signed.find(cookie, signed.now + 30 * DAY) is None


def test_touching_writes_at_most_once_a_minute(signed):
    session, _ = signed.start()

    with signed.database.statements.measure() as idle:
        same = signed.rooms.touch(session, signed.now + timedelta(seconds=59))
    moved = signed.touch(session, signed.now + MINUTE)

    assert same is session
    assert not idle.statements
    assert moved.last_seen_at == signed.now + MINUTE
    assert moved.idle_expires_at == signed.now + MINUTE + 12 * HOUR


def test_an_ended_session_is_dead(signed):
    """S5: invalid on the server at logout."""
    session, cookie = signed.start()

    with signed.database.transaction():
        assert signed.rooms.end(session.id, "logout", signed.now)
        assert not signed.rooms.end(session.id, "logout", signed.now)

    assert signed.find(cookie) is None


def test_sessions_of_a_disabled_account_are_dead_also_after_enabling(signed):
    """S6, T16: even if nobody ended them."""
    _, cookie = signed.start()
    later = signed.now + HOUR

    with signed.database.transaction():
        signed.accounts.disable(signed.account_id, later)
    assert signed.find(cookie, later) is None
    with signed.database.transaction():
        signed.accounts.enable(signed.account_id)

    assert signed.find(cookie, later) is None


def test_the_deployments_epoch_ends_every_earlier_sign_in(signed, repos):
    """T16: a global "not before"."""
    _, cookie = signed.start()

    with signed.database.transaction():
        repos.deployment.set_not_before(signed.now + MINUTE)

    assert signed.find(cookie, signed.now + MINUTE) is None


def test_all_sessions_of_an_account_end_together(signed):
    cookies = [signed.start()[1] for _ in range(3)]

    with signed.database.transaction():
        assert signed.rooms.end_for_account(signed.account_id, "account_disabled", signed.now, limit=9) == 3

    assert not any(signed.find(cookie) for cookie in cookies)


def test_any_user_agent_can_be_stored(signed):
    """X5: headers with control characters or lone surrogates."""
    session, cookie = signed.start(user_agent="Evil\x00\r\n\ud800" + "x" * 10_000)

    assert signed.find(cookie) == session
    assert session.user_agent.startswith("Evil????x")
    assert len(session.user_agent) == 400


TWO = {"acr": "urn:idp:loa:2", "amr": ("mfa", "otp", "pwd")}
PASSKEY = {"acr": "urn:idp:loa:3", "amr": ("mfa", "pop", "swk", "user")}


@pytest.mark.parametrize(
    ("proof", "left"), [(TWO, ("pwd",)), (PASSKEY, ("pop", "swk"))], ids=["two factors", "passkey"]
)
def test_a_level_runs_out_when_it_is_not_used(signed, proof, left):
    """S4, NIST SP 800-63B-4 §2.2.3: after an hour the sign-in counts as one of a single factor."""
    _, cookie = signed.start(**proof)

    just = signed.find(cookie, signed.now + HOUR - timedelta(seconds=1))
    late = signed.find(cookie, signed.now + HOUR)

    assert (just.acr, just.amr) == (proof["acr"], proof["amr"])
    assert (late.acr, late.amr) == ("urn:idp:loa:1", left)
    assert late.auth_time == signed.now


def test_a_level_runs_out_however_much_it_is_used(signed):
    """S4, NIST SP 800-63B-4 §2.2.3: after a day; the sign-in itself goes on."""
    session, cookie = signed.start(**TWO)
    at = signed.now
    while at < signed.now + DAY - HOUR:
        at += HOUR / 2
        session = signed.touch(signed.find(cookie, at), at)
        assert session.acr == "urn:idp:loa:2"

    signed.touch(session, signed.now + DAY - MINUTE)

    assert signed.find(cookie, signed.now + DAY - MINUTE).acr == "urn:idp:loa:2"
    assert signed.find(cookie, signed.now + DAY).acr == "urn:idp:loa:1"


def test_use_does_not_lift_a_level_again(signed):
    """S4: the use that finds the level run out writes it down."""
    _, cookie = signed.start(**TWO)
    at = signed.now + 2 * HOUR

    touched = signed.touch(signed.find(cookie, at), at)

    assert touched.last_seen_at == at
    found = signed.find(cookie, at + MINUTE)
    assert (found.acr, found.amr, found.last_seen_at) == ("urn:idp:loa:1", ("pwd",), at)
    assert found.idle_expires_at == at + 12 * HOUR


def test_a_fall_does_not_undo_a_proof_that_was_given_meanwhile(signed):
    """S4: of a use that found the level run out and a sign-in beside it, the sign-in counts."""
    session, cookie = signed.start(**TWO)
    at = signed.now + 2 * HOUR
    fallen = signed.find(cookie, at)

    _, fresh = signed.again(session, at, **TWO)
    signed.touch(fallen, at)

    assert signed.find(fresh, at).acr == "urn:idp:loa:2"


def test_an_ended_session_does_not_fall(signed):
    """S5."""
    session, cookie = signed.start(**TWO)
    at = signed.now + 2 * HOUR
    fallen = signed.find(cookie, at)
    with signed.database.transaction():
        signed.rooms.end(session.id, "logout", at)

    signed.touch(fallen, at)

    assert signed.find(cookie, at) is None


def test_a_single_factor_is_not_written_again(signed):
    """S4: there is nothing to fall from."""
    session, cookie = signed.start()

    found = signed.find(cookie, signed.now + 2 * HOUR)

    assert not found.has_fallen
    assert found == session


def test_a_cookie_value_is_exchanged_once(signed):
    """S2: of two that change the same value one succeeds, and the former finds nothing."""
    session, cookie = signed.start()

    with signed.database.transaction():
        fresh = signed.rooms.rotate(session, cookie)
    with signed.database.transaction():
        assert signed.rooms.rotate(session, cookie) is None

    assert signed.find(cookie) is None
    assert signed.find(fresh.reveal()) == session
