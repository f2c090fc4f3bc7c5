"""Client credentials asked for again in the same words: the same answers as the ordinary way gives.

Sources: RFC 6749 §2.3, §4.4; architecture, hot paths.
"""

from datetime import timedelta
from urllib.parse import urlencode

import orjson
import pytest

from idp.crypto import b64url_decode
from idp.errors import Unavailable
from idp.oauth import OAuthRequest, OAuthServer
from idp.oauth.repeated import _MOST
from idp.resources import Resources
from tests.unit.oauth_token.backchannel import SECRET, BackChannel, _key_store, basic

FORM = {"grant_type": "client_credentials"}


class Machine:
    """A machine that repeats itself; tells what it got, and whether from memory."""

    def __init__(self, back: BackChannel, name: str = "machine", secret: str = SECRET) -> None:
        self._back = back
        self.authorization = basic(name, secret)

    def ask(self, **form: str) -> tuple[bool, int, dict]:
        """From memory or not, status and body, as the entrance would have them."""
        form = {**FORM, **form}
        server = self._back.server
        fingerprint = server.repeats.fingerprint(self.authorization, urlencode(form).encode())
        known = server.repeats.answer(fingerprint)
        if known is not None:
            return True, 200, orjson.loads(known)
        plain = self._back.request(headers={"Authorization": self.authorization}, **form)
        response = server.token(
            OAuthRequest(
                method="POST",
                headers=plain.headers,
                form=plain.pairs,
                source=plain.source,
                fingerprint=fingerprint,
            )
        )
        return False, response.status, dict(response.body)


@pytest.fixture
def machine(back):
    back.machine()
    return Machine(back)


@pytest.fixture
def remembered(machine):
    """A machine whose request is in memory."""
    machine.ask()
    assert machine.ask()[:2] == (True, 200)
    return machine


@pytest.mark.parametrize("form", ["jwt", "opaque"])
def test_tokens_differ_in_time_and_name_alone(back, form):
    back.resource("https://jobs.example", "jobs:run")
    back.machine("sealed", access_token_format=form)
    sealed = Machine(back, "sealed")

    first = sealed.ask(scope="jobs:run")[2]
    back.clock.advance(timedelta(seconds=90))
    from_memory, _, second = sealed.ask(scope="jobs:run")

    now = back.clock.now()
    one, other = (back.access_tokens.parse(body.pop("access_token"), now=now) for body in (first, second))
    assert from_memory
    assert list(first) == list(second)
    assert first == second
    assert other.iat - one.iat == other.exp - one.exp == timedelta(seconds=90)
    assert one.jti != other.jti
    assert one._replace(jti="", iat=now, exp=now) == other._replace(jti="", iat=now, exp=now)


def test_it_touches_no_store_and_is_counted(back, remembered):
    with back.database.statements.measure() as measured:
        assert remembered.ask()[0]

    assert (measured.statements, measured.commits) == ([], 0)
    back.issue_counter.flush()
    with back.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT sum(count) FROM issue_count").scalar() == 3


def test_other_words_have_another_name(back):
    """An empty header is not a missing one: with a secret in the body it is a second method."""
    form = b"grant_type=client_credentials"
    requests = [
        (None, form),
        ("", form),
        ("=", form),
        ("a", form),
        ("=a", form),
        (None, form + b"=a"),
        ("a", form + b"="),
        ("", form + b"=a"),
        ("Basic A", form),
        ("Basic a", form),
        ("Basic a", form + b"&"),
    ]

    names = [back.server.repeats.fingerprint(*request) for request in requests]

    assert names == [back.server.repeats.fingerprint(*request) for request in requests]
    assert len({*names}) == len(requests)


def test_the_name_is_of_this_process_alone(back):
    """K5: with the name of a request nobody can try secrets elsewhere."""
    services = back.server.services
    elsewhere = OAuthServer(services).repeats
    words = (basic("machine", SECRET), b"grant_type=client_credentials")

    assert back.server.repeats.fingerprint(*words) != elsewhere.fingerprint(*words)


def test_a_wrong_secret_fills_nothing_and_is_refused_every_time(back, remembered):
    guesser = Machine(back, secret="wrong")

    assert [guesser.ask()[:2] for _ in range(2)] == [(False, 401)] * 2
    assert back.events().count("client.authentication.failed") == 2
    assert len(back.server.repeats) == 1


def test_a_disabled_client_is_refused_at_once(back, remembered):
    """Row R11, RFC 6749 §5.2; and audited as ever."""
    back.set_client_disabled("machine", disabled=True)

    assert remembered.ask()[:2] == (False, 401)
    assert "client.authentication.failed" in back.events()


def test_an_enabled_client_is_worked_out_anew(back, remembered):
    back.set_client_disabled("machine", disabled=True)
    back.set_client_disabled("machine", disabled=False)

    assert [remembered.ask()[:2] for _ in range(2)] == [(False, 200), (True, 200)]


def test_changed_scopes_count_at_once(back, machine):
    """K4."""
    machine.ask(scope="jobs:run")
    with back.database.transaction():
        row = back.repos.clients.get("machine")
        row.metadata_ = {**row.metadata_, "scope": "other"}
        back.repos.clients.update(row)
    back.clients.reload()

    from_memory, status, body = machine.ask(scope="jobs:run")

    assert (from_memory, status, body["error"]) == (False, 400, "invalid_scope")


def test_a_replaced_secret_is_no_use_any_more(back, remembered):
    back.replace_secret("machine", "another")

    assert remembered.ask()[:2] == (False, 401)
    assert Machine(back, secret="another").ask()[:2] == (False, 200)


def test_a_secret_ends_on_time(back, machine):
    """Two secrets live while one is replaced; the old one ends by itself, without any change."""
    back.replace_secret("machine", "another", overlap=timedelta(hours=1))
    fresh = Machine(back, secret="another")
    assert [asker.ask()[1] for asker in (machine, fresh)] == [200, 200]

    back.clock.advance(timedelta(hours=1) - timedelta(microseconds=1))
    assert [asker.ask()[:2] for asker in (machine, fresh)] == [(True, 200)] * 2
    back.clock.advance(timedelta(microseconds=1))

    assert machine.ask()[:2] == (False, 401)
    assert [fresh.ask()[:2] for _ in range(2)] == [(False, 200), (True, 200)]


def test_another_resource_server_counts_at_once(back, machine):
    """RFC 8707: the scope belongs to somebody now."""
    assert back.claims(machine.ask()[2]["access_token"], "at+jwt")["aud"] == "https://idp.example"
    back.resource("https://jobs.example", "jobs:run")

    from_memory, _, body = machine.ask()

    assert not from_memory
    assert back.claims(body["access_token"], "at+jwt")["aud"] == "https://jobs.example"


def test_a_resource_server_that_is_gone_gives_nothing(back, machine):
    back.resource("https://jobs.example", "jobs:run")
    machine.ask(resource="https://jobs.example")
    with back.database.transaction():
        Resources(back.repos).delete("https://jobs.example")
    back.resources.reload()

    assert machine.ask(resource="https://jobs.example")[1:] == (
        400,
        {"error": "invalid_target", "error_description": "The resource is not registered here."},
    )


def test_a_pause_holds_for_the_right_secret_too(back, remembered):
    """L2: a source that guessed too often waits, whatever it sends; afterwards memory serves again."""
    guesser = Machine(back, secret="wrong")
    while guesser.ask()[1] != 429:
        pass

    assert remembered.ask()[:2] == (False, 429)
    back.clock.advance(timedelta(hours=1))
    assert remembered.ask()[:2] == (True, 200)


def test_no_answer_without_the_feed(back, remembered):
    """X8: copies that may be outdated answer nothing."""
    back.break_the_feed()

    with pytest.raises(Unavailable):
        remembered.ask()


def test_a_new_signing_key_signs_at_once(back, remembered):
    before = back.keyring.active("ES256").kid
    with back.database.transaction():
        _key_store(back.repos).rotate("ES256", back.clock.now(), activate_now=True)
    back.keyring.reload()

    from_memory, _, body = remembered.ask()

    head = orjson.loads(b64url_decode(body["access_token"].partition(".")[0]))
    assert from_memory
    assert head["kid"] == back.keyring.active("ES256").kid != before


def test_the_memory_is_bounded(back, machine):
    for number in range(_MOST + 1):
        machine.ask(padding=str(number))

    assert 1 <= len(back.server.repeats) <= _MOST


def test_other_grants_are_not_remembered(back):
    assert back.server.repeats.fingerprint(None, b"grant_type=refresh_token&refresh_token=a") is None
