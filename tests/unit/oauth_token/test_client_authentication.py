"""Who is asking: basic, post, none, and every way to get it wrong. Source: RFC 6749 §2.3, §5.2."""

import base64
import logging
from datetime import timedelta

import pytest

from idp.errors import Unavailable
from tests.unit.oauth_token.backchannel import SECRET, basic

FORM = {"grant_type": "client_credentials"}


@pytest.fixture
def machines(back):
    back.machine("basic")
    back.machine("post", token_endpoint_auth_method="client_secret_post")
    back.client("public", token_endpoint_auth_method="none")
    return back


def _raw(text: bytes) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text).decode()}


def test_basic_and_post_work_where_registered(machines):
    assert machines.token(**FORM, auth=("basic", SECRET)).status == 200
    assert machines.token(**FORM, client_id="post", client_secret=SECRET).status == 200


@pytest.mark.parametrize("header", ["basic", "BASIC", "Basic"])
def test_the_scheme_has_no_case(machines, header):
    value = basic("basic", SECRET).replace("Basic", header)

    assert machines.token(**FORM, headers={"Authorization": value}).status == 200


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"client_id": "basic"},
        {"client_id": "post"},
        {"client_id": "nobody"},
        {"client_id": "post", "client_secret": "wrong"},
        {"client_id": "nobody", "client_secret": SECRET},
        {"client_id": "basic", "client_secret": SECRET},
        {"auth": ("post", SECRET)},
        {"auth": ("basic", "wrong")},
        {"auth": ("basic", SECRET + " ")},
        {"auth": ("nobody", SECRET)},
        {"auth": ("public", SECRET)},
        {"client_id": "public", "client_secret": SECRET},
        {"headers": {"Authorization": "Bearer abc"}},
        {"client_id": "public", "client_assertion": "a.b.c"},
        {"headers": {"Authorization": "Basic"}},
        {"headers": {"Authorization": "Basic !!!"}},
        {"headers": _raw(b"basic")},
        {"headers": _raw(b"basic:")},
        {"headers": _raw(b":" + SECRET.encode())},
        {"headers": _raw(b"\xff\xfe:" + SECRET.encode())},
        {"headers": _raw(b"basic:\x00" + SECRET.encode())},
        {"headers": _raw(b"b" * 300 + b":x")},
        {"headers": _raw(b"%ff:%ff")},
    ],
)
def test_everything_else_is_401_with_a_realm(machines, request_):
    """RFC 6749 §5.2; one text for an unknown client and a wrong secret."""
    response = machines.token(**FORM, **request_)

    assert (response.status, response.body["error"]) == (401, "invalid_client")
    assert ("WWW-Authenticate", 'Basic realm="https://idp.example"') in response.headers


def test_unknown_clients_and_wrong_secrets_look_alike(machines):
    wrong = machines.token(**FORM, auth=("basic", "wrong"))
    unknown = machines.token(**FORM, auth=("nobody", "wrong"))

    assert wrong == unknown


@pytest.mark.parametrize(
    "request_",
    [
        {"auth": ("basic", SECRET), "client_secret": SECRET},
        {"auth": ("basic", SECRET), "client_id": "basic", "client_secret": SECRET},
        {"auth": ("basic", SECRET), "client_id": "post"},
        {"auth": ("basic", SECRET), "client_assertion": "a.b.c"},
        {"client_id": "post", "client_secret": SECRET, "client_assertion_type": "urn:x"},
    ],
)
def test_two_methods_or_two_names_are_refused(machines, request_):
    """RFC 6749 §2.3: one authentication method in each request."""
    response = machines.token(**FORM, **request_)

    assert (response.status, response.body["error"]) == (400, "invalid_request")


def test_the_same_name_twice_is_harmless(machines):
    assert machines.token(**FORM, auth=("basic", SECRET), client_id="basic").status == 200


@pytest.mark.parametrize("secret", ["a:b", "a b", "a+b", "a%2Bb", "50%"])
@pytest.mark.parametrize("encoded", [True, False])
def test_secrets_are_read_encoded_or_as_sent(back, secret, encoded):
    """RFC 6749 §2.3.1 asks for form encoding; many clients send the secret as it is."""
    back.machine("rough")
    back.replace_secret("rough", secret)

    response = back.token(**FORM, headers={"Authorization": basic("rough", secret, encoded=encoded)})

    assert response.status == 200


def test_a_disabled_client_is_refused(machines):
    """T16."""
    machines.set_client_disabled("basic", disabled=True)

    assert machines.token(**FORM, auth=("basic", SECRET)).status == 401


def test_a_replaced_secret_works_until_its_end(back):
    """K5."""
    back.machine("basic")
    back.replace_secret("basic", "another", overlap=timedelta(days=1))

    assert back.token(**FORM, auth=("basic", SECRET)).status == 200
    back.clock.advance(timedelta(days=1))
    assert back.token(**FORM, auth=("basic", SECRET)).status == 401
    assert back.token(**FORM, auth=("basic", "another")).status == 200


def test_failures_are_audited_without_what_was_sent(machines, caplog):
    """X10."""
    with caplog.at_level(logging.DEBUG):
        machines.token(**FORM, auth=("basic", "hunter2hunter2"))
        machines.token(**FORM, auth=("hunter2hunter2", "basic"))

    with machines.database.transaction(write=False):
        rows = [repr(vars(row)) for row in machines.repos.audit.list_()]
    assert len(machines.events()) == 2
    assert "hunter2" not in caplog.text + "".join(rows) + "".join(repr(vars(r)) for r in caplog.records)


def test_failures_are_limited_per_source_and_client(machines):
    """L2, L3: a guesser waits, also with the right secret; nobody else does."""
    for _ in range(60):
        assert machines.token(**FORM, auth=("basic", "wrong")).status == 401

    blocked = machines.token(**FORM, auth=("basic", "wrong"))
    lucky = machines.token(**FORM, auth=("basic", SECRET))
    elsewhere = machines.token(**FORM, auth=("basic", SECRET), address="198.51.100.7")
    neighbour = machines.token(**FORM, client_id="post", client_secret=SECRET)

    assert (blocked.status, lucky.status) == (429, 429)
    assert int(dict(blocked.headers)["Retry-After"]) >= 1
    assert (elsewhere.status, neighbour.status) == (200, 200)
    machines.clock.advance(timedelta(minutes=3))
    assert machines.token(**FORM, auth=("basic", SECRET)).status == 200


def test_a_flood_of_failures_stops_writing(machines):
    for _ in range(70):
        machines.token(**FORM, auth=("basic", "wrong"))

    assert machines.events().count("client.authentication.failed") == 60


def test_nothing_is_answered_while_changes_are_not_heard_of(machines):
    """X8, T16: a worker that cannot know what was revoked refuses."""
    machines.break_the_feed()

    for operation in (machines.server.token, machines.server.introspect, machines.server.revoke):
        with pytest.raises(Unavailable):
            operation(machines.request(**FORM, auth=("basic", SECRET)))
