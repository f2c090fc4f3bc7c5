"""The ordered list of checks: what is refused, and who hears of it."""

import json

import pytest

from idp.oauth import Respond, ShownError
from idp.oauth.authorization.checks import CHECKS, Failure
from tests.unit.oauth_authorization.conftest import CALLBACK, CHALLENGE, ISSUER, FrontChannel, answer


def test_nothing_redirects_before_client_and_redirect_uri_are_fine():
    """R2: everything up to the redirect URI is shown, everything after it is redirected."""
    failures = [line.failure for line in CHECKS]
    names = [line.parameter for line in CHECKS]

    border = names.index("redirect_uri") + 1

    assert set(failures[:border]) == {Failure.SHOWN}
    assert set(failures[border:]) == {Failure.REDIRECTED}


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"client_id": None}, "client_id"),
        ({"client_id": ""}, "client_id"),
        ({"client_id": "unknown"}, "client_id"),
        ({"redirect_uri": "https://evil.example/"}, "redirect_uri"),
        ({"redirect_uri": CALLBACK + "/"}, "redirect_uri"),
        ({"redirect_uri": CALLBACK + "?x=1"}, "redirect_uri"),
        ({"redirect_uri": CALLBACK.upper()}, "redirect_uri"),
        ({"redirect_uri": 'https://client.example/"\\é'}, "redirect_uri"),
    ],
)
def test_wrong_client_or_redirect_uri_is_shown(front: FrontChannel, changes, parameter):
    """R1, R2: exact comparison; nothing is sent to an address that is not registered."""
    session = front.sign_in()

    with pytest.raises(ShownError) as caught:
        front.begin(session=session, **changes)

    assert caught.value.error == "invalid_request"
    assert caught.value.parameter == parameter
    assert parameter in caught.value.description


def test_disabled_client_is_shown(front: FrontChannel):
    """T16: a disabled client gets nothing, at once."""
    front.disable_client()

    with pytest.raises(ShownError, match="disabled"):
        front.begin(session=front.sign_in())


def test_only_registered_redirect_uri_may_be_left_out(front: FrontChannel):
    """R4: without redirect_uri only if exactly one is registered."""
    front.client("two", redirect_uris=[CALLBACK, CALLBACK + "2"])
    session = front.sign_in()

    one = front.begin(session=session, redirect_uri=None)

    assert isinstance(one, Respond)
    assert one.response.redirect_uri == CALLBACK
    with pytest.raises(ShownError) as caught:
        front.begin(session=session, client_id="two", redirect_uri=None)
    assert caught.value.parameter == "redirect_uri"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_repeated_client_or_redirect_uri_is_shown(front: FrontChannel, name):
    """R9: which of two is meant cannot be known, so nothing is redirected."""
    value = {"client_id": "web", "redirect_uri": CALLBACK}[name]

    with pytest.raises(ShownError) as caught:
        front.begin((name, value), session=front.sign_in())

    assert caught.value.parameter == name


@pytest.mark.parametrize("name", ["state", "scope", "nonce", "prompt", "response_type", "code_challenge"])
def test_other_repeated_parameters_are_refused_by_redirect(front: FrontChannel, name):
    """R9: request parameters must not be included more than once."""
    step = front.begin((name, "again"), session=front.sign_in(), nonce="n", prompt="login")

    params = answer(step)
    assert params["error"] == "invalid_request"
    assert name in params["error_description"]
    assert params.get("state") == (None if name == "state" else "xyz")


def test_unknown_parameters_are_ignored_even_repeated(front: FrontChannel):
    """R9: the server must ignore unrecognized request parameters (RFC 6749 §3.1)."""
    step = front.begin(("utm", "1"), ("utm", "2"), session=front.sign_in())

    assert "code" in answer(step)


def test_empty_parameters_count_as_absent(front: FrontChannel):
    """R9: parameters sent without a value are treated as omitted (RFC 6749 §3.1)."""
    step = front.begin(session=front.sign_in(), state="", nonce="", prompt="", max_age="", claims="")

    params = answer(step)
    assert "state" not in params
    assert front.grant(step).nonce is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token token"}, "unsupported_response_type"),
        ({"response_type": 'code"\\é'}, "unsupported_response_type"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://client.example/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"scope": "openid phone"}, "invalid_scope"),
        ({"scope": 'openid "x"'}, "invalid_scope"),
        ({"resource": "https://unknown.example"}, "invalid_target"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "none foo"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1.5"}, "invalid_request"),
        ({"max_age": "١"}, "invalid_request"),
        ({"max_age": "abc"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": '{"id_token": []}'}, "invalid_request"),
        ({"claims": '{"id_token": {"acr": {"essential": true, "value": "gold"}}}'},
         "unmet_authentication_requirements"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": CHALLENGE[:-1]}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "a"}, "invalid_request"),
        ({"code_challenge": CHALLENGE[:-1] + "="}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "\u00e9"}, "invalid_request"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_told_by_redirect(front: FrontChannel, changes, error):
    """C5, C7, R10, X5: the client hears the error code, its state and the issuer."""
    step = front.begin(session=front.sign_in(), **changes)

    params = answer(step)
    assert params["error"] == error
    assert params["state"] == "xyz"
    assert params["iss"] == ISSUER
    assert "code" not in params
    assert params["error_description"].isascii()


def test_pkce_can_be_waived_for_confidential_clients_only(front: FrontChannel):
    """C5, decision D11: require_pkce=false exempts one client; a challenge it sends still counts."""
    front.client("old", require_pkce=False)
    session = front.sign_in()

    without = front.begin(session=session, client_id="old", code_challenge=None, code_challenge_method=None)
    with_challenge = front.begin(session=session, client_id="old")

    assert front.code_row(without).proof is None
    assert front.code_row(with_challenge).proof == CHALLENGE


def test_grant_and_response_mode_are_those_of_the_registration(front: FrontChannel):
    """R11: only the response modes and grants the client is registered for."""
    front.client("modest", response_modes=["query"])
    session = front.sign_in()

    step = front.begin(session=session, client_id="modest", response_mode="form_post")

    assert answer(step)["error"] == "invalid_request"


@pytest.mark.parametrize(
    "name", ["state", "nonce", "login_hint", "scope", "ui_locales", "client_id", "resource"]
)
@pytest.mark.parametrize("text", ["a\x00b", "a\r\nb", "\x7f", "\ud800", "\x85"])
def test_control_characters_are_shown_as_error(front: FrontChannel, name, text):
    """X5: NUL, control characters and broken Unicode are refused at the edge."""
    with pytest.raises(ShownError) as caught:
        front.begin(session=front.sign_in(), **{name: text})

    assert name in caught.value.description


@pytest.mark.parametrize(
    ("name", "size"),
    [("state", 4097), ("nonce", 1025), ("client_id", 256), ("redirect_uri", 2049), ("claims", 8193)],
)
def test_oversized_parameters_are_shown_as_error(front: FrontChannel, name, size):
    """X3: a clear 4xx instead of a stored monster."""
    with pytest.raises(ShownError, match=name):
        front.begin(session=front.sign_in(), **{name: "a" * size})


def test_whole_request_has_a_limit_unknown_parameters_included(front: FrontChannel):
    """X3: 16 KiB for everything together."""
    with pytest.raises(ShownError, match="larger"):
        front.begin(("foo", "a" * 17_000), session=front.sign_in())


def test_resource_may_repeat_within_reason(front: FrontChannel):
    """RFC 8707 §2: several resource parameters are allowed."""
    front.resource("https://a.example")
    front.resource("https://b.example")
    both = [("resource", "https://a.example"), ("resource", "https://b.example")]

    step = front.begin(*both, session=front.sign_in())

    assert front.grant(step).resources == ("https://a.example", "https://b.example")
    with pytest.raises(ShownError, match="resource"):
        front.begin(*[("resource", f"https://{n}.example") for n in range(21)])


def test_wishes_are_never_errors(front: FrontChannel):
    """acr_values, display, ui_locales, claims_locales and unknown prompts are accepted."""
    step = front.begin(
        session=front.sign_in(),
        acr_values="gold silver",
        display="touch-me",
        ui_locales="tlh xx-Piqd",
        claims_locales="tlh",
        login_hint="ada",
        prompt="unheard_of",
    )

    assert front.grant(step).acr == "urn:idp:loa:1"


def test_claims_are_kept_normalised(front: FrontChannel):
    """OpenID Connect Core §5.5: what is not understood is ignored, what is kept is strict JSON."""
    claims = {
        "userinfo": {"email": {"essential": True, "purpose": "x"}, "http://x/foo": None, "name": None},
        "id_token": {"auth_time": {"essential": True}},
        "other": 1,
    }

    step = front.begin(session=front.sign_in(), claims=json.dumps(claims, indent=1))

    assert front.grant(step).claims_request == {
        "userinfo": {"email": {"essential": True}, "name": None},
        "id_token": {"auth_time": {"essential": True}},
    }
