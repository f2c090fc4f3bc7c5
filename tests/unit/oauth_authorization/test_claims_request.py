"""The claims parameter: strict JSON, nothing but what is understood."""

import json

import pytest
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from hypothesis import given
from hypothesis import strategies as st

from idp.oauth.claims_request import essential_acrs, parse_claims_request, personal_claims, requested_subject

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["userinfo", "id_token", "email", "essential", "value", "values"]), inner
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "1",
        '"x"',
        "[]",
        "{",
        "{'a': 1}",
        '{"userinfo": 1}',
        '{"userinfo": {"email": 1}}',
        '{"userinfo": {"email": {"essential": "true"}}}',
        '{"userinfo": {"email": {"values": "x"}}}',
        '{"userinfo": {"email": {"value": {"a": 1}}}}',
        '{"userinfo": {"email": {"value": "\\u0000"}}}',
        '{"userinfo": {"email": {"value": "\\ud800"}}}',
        '{"userinfo": {}, "userinfo": {}}',
        '{"userinfo": {"email": {"value": NaN}}}',
        '{"userinfo": {"email": {"value": 1e999}}}',
        '{"userinfo": {"email": {"value": ' + "9" * 5000 + "}}}",
        "[" * 8000,
        '{"a":' * 1600,
    ],
)
def test_malformed_is_refused(text):
    """X3, X5: a wrong type, endless nesting or a NUL gives an error, never a crash."""
    with pytest.raises(InvalidRequestError):
        parse_claims_request(text)


@given(JSON)
def test_any_json_is_understood_or_refused(document):
    try:
        request = parse_claims_request(json.dumps(document))
    except InvalidRequestError:
        return

    assert request is None or set(request) == {"userinfo", "id_token"}
    assert parse_claims_request(json.dumps(request) if request else None) == request


def test_absent_and_empty_ask_for_nothing():
    assert parse_claims_request(None) is None
    assert parse_claims_request("{}") is None
    assert parse_claims_request('{"userinfo": null, "id_token": {"unknown": null}}') is None


def test_essential_acr():
    """OpenID Connect Core §5.5.1.1."""
    essential = parse_claims_request('{"id_token": {"acr": {"essential": true, "values": ["1", "2"]}}}')
    voluntary = parse_claims_request('{"id_token": {"acr": {"values": ["1", "2"]}}}')
    any_value = parse_claims_request('{"id_token": {"acr": {"essential": true}}}')

    assert essential_acrs(essential) == ("1", "2")
    assert essential_acrs(voluntary) == essential_acrs(any_value) == essential_acrs(None) == ()


def test_subject():
    one = parse_claims_request('{"id_token": {"sub": {"value": "acc_1"}}, "userinfo": {"sub": null}}')
    two = parse_claims_request('{"id_token": {"sub": {"value": "a"}}, "userinfo": {"sub": {"value": "b"}}}')

    assert requested_subject(one) == "acc_1"
    with pytest.raises(InvalidRequestError):
        requested_subject(two)


def test_personal_claims_are_those_no_scope_covers():
    request = parse_claims_request('{"userinfo": {"email": null, "name": null}, "id_token": {"acr": null}}')

    assert personal_claims(request, ("openid", "email")) == ("name",)
    assert personal_claims(request, ("openid", "email", "profile")) == ()
