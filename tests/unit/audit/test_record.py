"""Events are written with the change they report (X9), and nothing hostile keeps them out."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.audit import Actor, Audit, AuditEvent, Source
from tests.unit.keys.deployment import START, assembled

SOURCE = Source("192.0.2.7", "Browser/1.0", "req-1")


@pytest.fixture
def idp(database, repos):
    return assembled(database, repos)


def recorded(idp):
    with idp.database.transaction(write=False):
        return idp.repos.audit.list_()


def test_event_says_who_what_when_and_where(idp):
    with idp.database.transaction():
        Audit(idp.repos).record(
            AuditEvent.SESSION_STARTED,
            actor=Actor.account("acc_1", SOURCE),
            account="acc_1",
            client="shop",
            session="ses_1",
            detail={"amr": ("pwd",), "acr": "urn:idp:loa:1", "known_device": True},
            now=START,
        )

    (event,) = recorded(idp)
    assert event.id.startswith("evt_")
    assert (event.occurred_at, event.event, event.actor) == (START, "session.started", "account:acc_1")
    assert (event.account_id, event.client_id, event.session_id) == ("acc_1", "shop", "ses_1")
    assert (event.address, event.user_agent, event.request_id) == ("192.0.2.7", "Browser/1.0", "req-1")
    assert event.detail == {"amr": ["pwd"], "acr": "urn:idp:loa:1", "known_device": True}


def test_event_goes_with_its_change(idp):
    """One transaction: what is rolled back did not happen."""
    with pytest.raises(LookupError):
        _record_and_fail(idp)

    assert recorded(idp) == []


@pytest.mark.parametrize(
    ("actor", "name"),
    [
        (Actor.account("acc_1", SOURCE), "account:acc_1"),
        (Actor.client("shop", SOURCE), "client:shop"),
        (Actor.anonymous(SOURCE), "account"),
        (Actor.operator("root"), "operator:root"),
        (Actor.system("rotation"), "system:rotation"),
    ],
)
def test_actor_has_a_name(idp, actor, name):
    assert Audit(idp.repos).entry(AuditEvent.KEY_CREATED, actor=actor, now=START).actor == name


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(junk=st.text(), key=st.text(max_size=5))
def test_hostile_text_does_not_keep_an_event_out(idp, junk, key):
    """X5, X11: NUL, lone surrogates and line breaks are replaced, lengths are bounded."""
    source = Source(junk, junk * 100, junk)

    with idp.database.transaction():
        Audit(idp.repos).record(
            AuditEvent.CLIENT_AUTHENTICATION_FAILED,
            actor=Actor.client(junk, source),
            client=junk,
            detail={"reason": junk, "nested": {key: [junk]}},
            now=START,
        )

    event = recorded(idp)[0]
    assert len(event.user_agent or "") <= 512
    assert not set(event.user_agent or "") & set("\x00\n\r\u2028")


def test_times_and_sets_in_a_detail_become_json(idp):
    entry = Audit(idp.repos).entry(
        AuditEvent.KEY_SCHEDULED,
        actor=Actor.operator("root"),
        detail={"at": START, "scopes": frozenset({"b", "a"}), "count": 3},
        now=START,
    )

    assert entry.detail == {"at": "2030-01-01T12:00:00+00:00", "scopes": ["a", "b"], "count": 3}


def test_other_values_in_a_detail_are_an_error(idp):
    with pytest.raises(TypeError, match="cannot hold timedelta"):
        Audit(idp.repos).entry(
            AuditEvent.KEY_CREATED, actor=Actor.operator("x"), detail={"a": timedelta(1)}, now=START
        )


def test_events_sort_by_time(idp):
    entries = [
        Audit(idp.repos).entry(AuditEvent.KEY_CREATED, actor=Actor.operator("x"), now=now)
        for now in (datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC))
    ]

    assert entries[0].id < entries[1].id


def _record_and_fail(idp):
    with idp.database.transaction():
        Audit(idp.repos).record(AuditEvent.KEY_CREATED, actor=Actor.operator("root"), now=START)
        raise LookupError
