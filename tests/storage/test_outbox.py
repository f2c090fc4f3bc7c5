"""The outbox on both databases: nothing is lost, nothing is sent by two, and nothing can be read in it.

| row | MUST | test |
|---|---|---|
| L9 | limit messages per recipient, per source and globally | test_no_more_than_the_limit_for_one_recipient |
| L9 |  | test_no_more_than_the_limit_from_one_source |
| L9 |  | test_no_more_than_the_limit_in_all |
| L6 | a request for nobody is counted like any other | test_a_decoy_counts_and_is_never_sent |
| V1 | what works is not in the database in clear | test_nothing_of_a_message_can_be_read_in_its_row |
| X10 | nor in the log | test_no_link_no_code_and_no_address_in_the_log |
"""

import io
import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest

from idp.audit import Audit
from idp.delivery import Channel
from idp.jobs import deliver_messages
from idp.observability import configure_logging
from idp.storage import Database, IntegrityConflict, plain_session, repositories
from tests.post import LINK, Post
from tests.storage.threads import in_parallel


@pytest.fixture
def make_post(tmp_path, database, repos, clock):
    def make(**sections):
        return Post(tmp_path, database, repos, clock, **sections)

    return make


@pytest.fixture
def post(make_post):
    return make_post()


@pytest.fixture
def broken(make_post, tmp_path):
    """Its transport does not work: a file stands where the folder should be."""
    (tmp_path / "taken").write_text("")
    return make_post(mail={"transport": "folder", "folder": tmp_path / "taken"})


def job(post):
    """What the worker's job sees of the container."""
    return SimpleNamespace(
        deliverer=post.deliverer, database=post.database, clock=post.clock, audit=Audit(post.repos)
    )


def row(post):
    with post.database.transaction(write=False):
        (only,) = post.repos.outbox.list_unsent(limit=2)
    return only


def events(post):
    with post.database.transaction(write=False):
        return [(event.event, event.detail) for event in post.repos.audit.list_()]


def test_a_message_leaves_once_the_change_is_committed(post):
    post.write()

    assert [outcome.state for outcome in post.round()] == ["sent"]
    assert [mail.to for mail in post.mails()] == ["ada@example.org"]
    assert post.round() == []


def test_a_change_that_is_rolled_back_says_nothing(post, clock):
    def change():
        with post.database.transaction():
            post.outbox.notice(
                "test", to="ada@example.org", locale="en", values={}, account_id=None, now=clock.now()
            )
            raise IntegrityConflict("the change did not happen")

    with pytest.raises(IntegrityConflict):
        change()

    assert post.round() == []


def test_twenty_deliverers_send_each_message_once(tmp_path, database, clock):
    writer = Post(tmp_path, database, repositories(database.session), clock)
    for number in range(60):
        writer.write(f"person{number}@example.org")

    def deliver(_number):
        own = Database(database.engine, plain_session(database.engine))
        deliver_messages(job(Post(tmp_path / str(_number), own, repositories(own.session), clock)))
        own.session.remove()

    in_parallel(20, deliver)

    sent = [
        mail.to
        for number in range(20)
        for mail in Post(tmp_path / str(number), database, repositories(database.session), clock).mails()
    ]
    assert sorted(sent) == sorted(f"person{number}@example.org" for number in range(60))


def test_a_deliverer_that_dies_after_sending_makes_it_twice_and_not_never(post, clock):
    post.write()
    with post.database.transaction():
        taken = post.deliverer.take(clock.now())
    assert len(list(post.deliverer.send(taken, clock.now))) == 1  # killed here, before it is noted

    assert post.round() == []  # it is still the dead one's
    clock.advance(timedelta(minutes=16))
    assert [outcome.state for outcome in post.round()] == ["sent"]
    first, second = post.mails()
    assert first.message["Message-ID"] == second.message["Message-ID"]


def test_a_failure_is_tried_again_later_and_later(broken, clock):
    broken.write(expires_at=clock.now() + timedelta(days=7))
    pauses = []
    while row(broken).due_at is not None:
        clock.advance(row(broken).due_at - clock.now())
        (outcome,) = broken.round()
        if outcome.due_at is not None:
            pauses.append(outcome.due_at - clock.now())

    assert timedelta(seconds=2.5) <= pauses[0] <= timedelta(seconds=7.5)
    assert max(pauses) <= timedelta(minutes=90)
    assert pauses[7] > 20 * pauses[0]
    # A day is long enough: then an operator is told.
    assert row(broken).failed_at is not None
    assert clock.now() - row(broken).created_at <= timedelta(days=1)
    assert 20 <= row(broken).attempts <= 60


def test_it_leaves_once_the_transport_works_again(make_post, broken, clock):
    broken.write()
    assert [outcome.state for outcome in broken.round()] == ["postponed"]

    clock.advance(timedelta(seconds=10))
    mended = make_post()
    assert [outcome.state for outcome in mended.round()] == ["sent"]
    assert mended.mails()[0].link == LINK


def test_a_code_that_is_dead_is_not_sent(make_post, broken, clock):
    broken.write(expires_at=clock.now() + timedelta(minutes=10))
    broken.round()
    clock.advance(timedelta(minutes=10))
    post = make_post()

    assert [outcome.state for outcome in post.round()] == ["given_up"]
    assert post.mails() == []


def test_what_is_given_up_is_told_to_the_operator_and_can_be_retried(make_post, broken, clock):
    broken.write(expires_at=clock.now() + timedelta(seconds=1))
    deliver_messages(job(broken))

    ((event, detail),) = events(broken)
    assert event == "message.abandoned"
    assert detail["channel"] == "mail"
    assert detail["template"] == "reset_password"
    assert "cannot be made" in detail["reason"]

    post = make_post()
    broken.write(expires_at=clock.now() + timedelta(hours=1))
    with post.database.transaction():
        assert post.repos.outbox.retry(clock.now()) == 1
    assert [outcome.state for outcome in post.round()] == ["sent", "sent"]


def test_a_message_that_cannot_be_put_into_words_does_not_hold_up_the_others(post):
    post.write(template="no_such_template")
    post.write("eve@example.org", values={"link": "https://evil.example/", "minutes": 30})
    post.write()

    assert sorted(outcome.state for outcome in post.round()) == ["given_up", "given_up", "sent"]


def test_a_row_that_was_changed_is_not_sent(post, repos):
    post.write()
    with post.database.transaction():
        found = repos.outbox.list_unsent(limit=1)[0]
        found.sealed_body = found.sealed_body[:-1] + bytes([found.sealed_body[-1] ^ 1])

    (outcome,) = post.round()
    assert outcome.state == "given_up"
    assert "changed" in outcome.error
    assert post.mails() == []


def test_back_channel_logouts_are_kept_and_not_sent(post, clock):
    with post.database.transaction():
        post.outbox.backchannel_logout(
            values={"client_id": "shop", "sid": "s"},
            account_id="acc_1",
            now=clock.now(),
            expires_at=clock.now() + timedelta(days=1),
        )

    assert post.round() == []
    assert row(post).channel == "backchannel_logout"
    assert not post.deliverer.has_due(clock.now())


def test_nothing_of_a_message_can_be_read_in_its_row(post, database):
    """A stolen database holds nothing that works (row V1), and does not say who was written to."""
    post.write(source="192.0.2.7")
    raw = b"".join(
        value if isinstance(value, bytes) else str(value).encode() for value in vars(row(post)).values()
    )

    for text in (b"secretsecretsecret", b"ada@", b"example.org", b"reset_password", b"192.0.2.7"):
        assert text not in raw


def test_what_was_sent_is_forgotten(post, database):
    post.write()
    post.round()

    with database.transaction(write=False):
        found = database.engine.connect()
        bodies = found.exec_driver_sql("SELECT sealed_body FROM outbox").all()
        found.close()
    assert [bytes(body) for (body,) in bodies] == [b""]


def test_no_link_no_code_and_no_address_in_the_log(make_post, broken):
    stream = io.StringIO()
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    configure_logging("DEBUG", "json", stream)
    try:
        broken.write("ada@example.org", source="192.0.2.7")
        broken.write("ada@example.org", template="sign_in_code", values={"code": "483920", "minutes": 1})
        deliver_messages(job(broken))
        broken.clock.advance(timedelta(minutes=1))
        deliver_messages(job(make_post()))
    finally:
        root.setLevel(level)
        for handler in [handler for handler in root.handlers if handler not in handlers]:
            root.removeHandler(handler)

    assert "message.postponed" in stream.getvalue()
    assert "message.sent" in stream.getvalue()
    for secret in ("secretsecretsecret", "483920", "ada@", "192.0.2.7"):
        assert secret not in stream.getvalue()


def test_no_more_than_the_limit_for_one_recipient(make_post, clock):
    post = make_post(limits={"mail_per_recipient": "3/hour"})

    assert [post.write() for _ in range(5)] == [True, True, True, False, False]
    assert post.write("eve@example.org")
    clock.advance(timedelta(minutes=61))
    assert post.write()


def test_no_more_than_the_limit_from_one_source(make_post):
    post = make_post(limits={"mail_per_source": "3/hour"})

    asked = [post.write(f"person{number}@example.org", source="192.0.2.7") for number in range(5)]

    assert asked == [True, True, True, False, False]
    assert post.write("other@example.org", source="192.0.2.8")
    assert post.write("another@example.org")


def test_no_more_than_the_limit_in_all(make_post):
    post = make_post(limits={"mail_total": "3/hour"})

    asked = [post.write(f"p{number}@example.org", source=f"192.0.2.{number}") for number in range(5)]

    assert asked == [True, True, True, False, False]


def test_limits_are_kept_when_messages_were_sent_and_rows_purged(make_post, database, repos, clock):
    """A code is dead after ten minutes; that somebody asked for it counts for the whole window."""
    post = make_post(limits={"mail_per_recipient": "2/day"})
    post.write(expires_at=clock.now() + timedelta(minutes=10))
    post.write(expires_at=clock.now() + timedelta(minutes=10))
    post.round()
    clock.advance(timedelta(hours=23))
    with database.transaction():
        repos.expired.purge(clock.now(), 100)

    assert post.write() is False
    clock.advance(timedelta(hours=2))
    assert post.write() is True


def test_notices_are_neither_limited_nor_counted(make_post, clock):
    """Nobody suppresses the news of what they did by asking for other mails first."""
    post = make_post(limits={"mail_per_recipient": "1/hour", "mail_total": "1/hour"})
    post.write()
    with post.database.transaction():
        told = [
            post.outbox.notice(
                "test", to="ada@example.org", locale="en", values={}, account_id=None, now=clock.now()
            )
            for _ in range(3)
        ]

    assert told == [True, True, True]


def test_a_decoy_counts_and_is_never_sent(make_post, clock):
    """Row L6: who asks for an account that does not exist meets the same limit."""
    post = make_post(limits={"mail_per_source": "3/hour"})
    for number in range(3):
        with post.database.transaction():
            post.outbox.decoy(
                Channel.MAIL,
                "reset_password",
                to=f"nobody{number}@example.org",
                locale="en",
                values={"link": LINK, "minutes": 30},
                now=clock.now(),
                source="192.0.2.7",
            )

    assert post.write(source="192.0.2.7") is False
    assert post.round() == []


def test_sms_that_are_sent_at_once_are_counted(make_post, clock):
    post = make_post(limits={"sms_per_recipient": "2/hour"})
    with post.database.transaction():
        admitted = [
            post.outbox.admit_sms("+491701234567", account_id=None, now=clock.now(), source="192.0.2.7")
            for _ in range(3)
        ]

    assert admitted == [True, True, False]


def test_whether_there_is_anything_to_do_costs_one_read(post, clock):
    """Every worker asks each second."""
    with post.database.statements.measure() as measured, post.database.transaction(write=False):
        post.deliverer.has_due(clock.now())

    assert len(measured.statements) == 1
