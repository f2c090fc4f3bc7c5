"""The one renderer of answers: modes, state, iss, redirect URIs with a query."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.oauth import AuthorizationResponse
from tests.unit.oauth_authorization.conftest import ISSUER, FrontChannel, answer

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)


@given(state=TEXT, mode=st.sampled_from(["query", "fragment"]))
def test_state_survives_every_encoding(state, mode):
    """State comes back byte for byte, whatever it holds."""
    response = AuthorizationResponse(
        redirect_uri="https://rp.example/cb?tenant=a%20b",
        mode=mode,
        params=(("state", state), ("iss", ISSUER)),
    )

    parts = urlsplit(response.location())
    sent = parts.query if mode == "query" else parts.fragment

    assert dict(parse_qsl(sent, keep_blank_values=True))["state"] == state
    assert parts.query.startswith("tenant=a%20b")
    assert response.location().isascii()


@pytest.mark.parametrize(
    ("redirect_uri", "mode", "location"),
    [
        ("https://rp.example/cb", "query", "https://rp.example/cb?code=c&state=a%20b"),
        ("https://rp.example/cb?x=1&y", "query", "https://rp.example/cb?x=1&y&code=c&state=a%20b"),
        ("https://rp.example/cb?x=1", "fragment", "https://rp.example/cb?x=1#code=c&state=a%20b"),
        ("https://rp.example/cb?x=1", "form_post", "https://rp.example/cb?x=1"),
        ("com.example.app:/cb", "query", "com.example.app:/cb?code=c&state=a%20b"),
    ],
)
def test_location(redirect_uri, mode, location):
    """RFC 6749 §3.1.2: the query of a registered redirect URI is kept."""
    params = (("code", "c"), ("state", "a b"))

    response = AuthorizationResponse(redirect_uri=redirect_uri, mode=mode, params=params)

    assert response.location() == location


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
@pytest.mark.parametrize("changes", [{}, {"scope": "openid phone"}])
def test_every_answer_names_the_issuer_in_the_asked_mode(front: FrontChannel, mode, changes):
    """R6, RFC 9207 §2: iss in success and error, in every response mode."""
    step = front.begin(session=front.sign_in(), response_mode=mode, **changes)

    assert answer(step)["iss"] == ISSUER
    assert step.response.mode == mode
    assert ("error" in answer(step)) == bool(changes)


def test_no_state_sent_no_state_returned(front: FrontChannel):
    step = front.begin(session=front.sign_in(), state=None)

    assert "state" not in answer(step)
