"""A header that proved its client lately proves it again, and nothing more. Source: RFC 6749 §2.3."""

from datetime import timedelta

import pytest

from idp.oauth.proven import _MOST, ProvenHeaders
from tests.unit.oauth_token.backchannel import SECRET, START, basic

FORM = {"grant_type": "client_credentials"}
AUTH = ("machine", SECRET)
HEADER = basic(*AUTH)


@pytest.fixture
def proven(back):
    """A back channel that knows the header of ``machine``."""
    back.machine()
    assert back.token(**FORM, auth=AUTH).status == 200
    return back


@pytest.fixture
def headers(back):
    back.machine()
    return ProvenHeaders(back.clients)


def test_it_gives_the_client_of_the_directory(back, headers):
    headers.add(HEADER, back.clients.find("machine"), START)

    assert headers.find(HEADER, START) is back.clients.find("machine")
    assert headers.find(HEADER + " ", START) is None
    assert headers.find("", START) is None


def test_another_object_is_another_client(back, headers):
    headers.add(HEADER, back.clients.find("machine"), START)
    back.replace_secret("machine", "another")

    assert headers.find(HEADER, START) is None
    assert len(headers) == 0


def test_the_memory_is_bounded(back, headers):
    for number in range(_MOST + 1):
        headers.add(f"Basic {number}", back.clients.find("machine"), START)

    assert 1 <= len(headers) <= _MOST


def test_it_is_remembered_for_every_endpoint_alike(proven):
    tokens = [proven.token(**FORM, auth=AUTH).body["access_token"] for _ in range(2)]

    assert [proven.introspect(token, "machine")["active"] for token in tokens] == [True, True]
    assert proven.revoke(tokens[0], "machine").status == 200
    assert [proven.introspect(token, "machine")["active"] for token in tokens] == [False, True]


def test_a_disabled_client_is_refused_at_once(proven):
    """R11; and audited as ever."""
    proven.set_client_disabled("machine", disabled=True)

    assert proven.token(**FORM, auth=AUTH).status == 401
    assert "client.authentication.failed" in proven.events()


def test_a_replaced_secret_is_no_use_any_more(proven):
    proven.replace_secret("machine", "another")

    assert proven.token(**FORM, auth=AUTH).status == 401
    assert proven.token(**FORM, auth=("machine", "another")).status == 200


def test_a_secret_ends_on_time(proven):
    """Without any change that would be announced."""
    proven.replace_secret("machine", "another", overlap=timedelta(hours=1))

    assert proven.token(**FORM, auth=AUTH).status == 200
    proven.clock.advance(timedelta(hours=1) - timedelta(microseconds=1))
    assert proven.token(**FORM, auth=AUTH).status == 200
    proven.clock.advance(timedelta(microseconds=1))
    assert proven.token(**FORM, auth=AUTH).status == 401
    assert proven.token(**FORM, auth=("machine", "another")).status == 200


def test_a_pause_holds_for_the_right_secret_too(proven):
    """L2: a source that guessed too often waits, whatever it sends; another one does not."""
    while proven.token(**FORM, auth=("machine", "wrong")).status != 429:
        pass

    assert proven.token(**FORM, auth=AUTH).status == 429
    assert proven.token(**FORM, auth=AUTH, address="198.51.100.7").status == 200
    proven.clock.advance(timedelta(hours=1))
    assert proven.token(**FORM, auth=AUTH).status == 200


@pytest.mark.parametrize(
    "added",
    [
        {"client_secret": SECRET},
        {"client_assertion": "a.b.c"},
        {"client_id": "web"},
        {"client_assertion_type": "x"},
    ],
)
def test_what_the_body_says_about_the_client_counts(proven, added):
    """RFC 6749 §2.3: one method in each request; and one client."""
    response = proven.token(**FORM, **added, auth=AUTH)

    assert (response.status, response.body["error"]) == (400, "invalid_request")


def test_its_own_name_in_the_body_changes_nothing(proven):
    assert proven.token(**FORM, client_id="machine", auth=AUTH).status == 200


def test_guessing_is_counted_every_time(proven):
    for _ in range(2):
        assert proven.token(**FORM, auth=("machine", "wrong")).status == 401

    assert proven.events().count("client.authentication.failed") == 2


def test_a_header_with_two_readings_is_read_every_time(proven):
    """RFC 6749 §2.3.1: encoded or as it is; the first reading counts as soon as it is right."""
    proven.machine("one+two")
    header = {"Authorization": basic("one+two", SECRET, encoded=False)}

    for _ in range(2):
        token = proven.token(**FORM, headers=header).body["access_token"]
        assert proven.claims(token, "at+jwt")["sub"] == "one+two"
