"""What every protocol form has to pass before any parameter means something."""

from collections.abc import Callable

import pytest
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from hypothesis import given
from hypothesis import strategies as st

from idp.audit import Source
from idp.oauth import OAuthRequest
from idp.oauth.request import FORM_CHECKS
from tests.unit.oauth_token.backchannel import BackChannel

AUTH = ("machine", "s3cret")


@pytest.fixture
def ask(back: BackChannel):
    back.machine()
    return lambda *pairs: back.token(*pairs, auth=AUTH)


GRANT = ("grant_type", "client_credentials")


@pytest.mark.parametrize(
    "pairs",
    [
        (GRANT, GRANT),
        (GRANT, ("grant_type", "")),
        (GRANT, ("scope", "a"), ("scope", "b")),
        (GRANT, ("resource", "https://a.example"), ("resource", "https://b.example")),
        (GRANT, ("unknown", "1"), ("unknown", "2")),
        (GRANT, ("scope", "jobs:run\x00")),
        (GRANT, ("x\ny", "1")),
        (GRANT, ("scope", "\x7f")),
        (GRANT, ("scope", "\ud800")),
        (GRANT, ("scope", "a" * 9000)),
        (GRANT, ("n" * 101, "1")),
        (GRANT, *((f"p{n}", "1") for n in range(60))),
        (("scope", "jobs:run"),),
        (("grant_type", ""),),
        (),
    ],
    ids=lambda pairs: ascii(pairs)[:40],
)
def test_malformed_forms_are_invalid_requests(ask, pairs):
    """R9, X3: repeated, oversized or control-bearing parameters, and a missing grant type."""
    response = ask(*pairs)

    assert (response.status, response.body["error"]) == (400, "invalid_request")


def test_empty_means_absent(ask):
    """RFC 6749 §3.2; unknown parameters are ignored."""
    assert ask(GRANT, ("scope", ""), ("resource", ""), ("unknown", "☃")).status == 200


@pytest.mark.parametrize("grant_type", ["password", "implicit", 'x"\\', "☃", "Client_Credentials", "urn:x"])
def test_other_grants_are_not_supported(ask, grant_type):
    """R10; the answer's text keeps to the characters of RFC 6749 §5.2."""
    response = ask(("grant_type", grant_type))

    assert (response.status, response.body["error"]) == (400, "unsupported_grant_type")
    assert all(" " <= c <= "~" and c not in '"\\' for c in response.body["error_description"])


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_only_post_reaches_a_grant(back, method):
    back.machine()

    assert back.token(GRANT, auth=AUTH, method=method).status == 400


@given(pairs=st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=8))
def test_no_form_raises_anything_but_a_protocol_error(shared, pairs):
    """X3: whatever is sent gets an answer below 500."""
    assert shared.token(*pairs, auth=AUTH).status in {400, 401, 429}


NAMES = st.sampled_from(["a", "b", "n" * 100, "n" * 101, "\xe4", "x\ny", ""])
VALUES = st.sampled_from(["", "1", "v" * 8192, "v" * 8193, "\x7f", "\xe4", "\ud800", "\x00"])


@given(pairs=st.lists(st.tuples(NAMES, VALUES), max_size=5).map(tuple), often=st.sampled_from([1, 49, 51]))
def test_one_look_at_a_form_finds_what_the_list_of_checks_finds(pairs, often):
    """R9, X3: the short way lets nothing pass that one of the checks refuses."""
    pairs = (*pairs, *((f"p{n}", "1") for n in range(often)))
    request = OAuthRequest(method="POST", headers={}, form=pairs, source=Source("192.0.2.1"))

    assert _refuses(request.assert_well_formed) == any(
        _refuses(lambda check=check: check(pairs)) for check in FORM_CHECKS
    )


def _refuses(check: Callable[[], None]) -> bool:
    try:
        check()
    except InvalidRequestError:
        return True
    return False


@given(header=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: "Basic " + raw.hex()))
def test_no_authorization_header_raises_anything_but_a_protocol_error(shared, header):
    response = shared.token(GRANT, headers={"Authorization": header})

    assert response.status in {401, 429}


@pytest.fixture(scope="module")
def shared(tmp_path_factory, database_template):
    channel = BackChannel(tmp_path_factory.mktemp("shared"), database_template)
    yield channel
    channel.close()
