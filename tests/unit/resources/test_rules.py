"""Resource identifiers and scopes (RFC 8707 §2)."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.errors import Invalid
from idp.resources import validate_identifier, validate_resource


@pytest.mark.parametrize(
    "identifier",
    ["https://api.example", "https://api.example/v1?x=1", "urn:example:api", "http://localhost:9001"],
)
def test_absolute_uris_are_identifiers(identifier):
    assert validate_identifier(identifier) == identifier


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "api",
        "/api",
        "https://api.example#f",
        "https://",
        "https://u@api.example",
        "https://api example",
        "https://[::1",
        "https://é.example",
        "https://a.example/\x00",
        "https://a.example/" + "x" * 500,
        None,
        7,
    ],
)
def test_other_texts_are_refused(identifier):
    with pytest.raises(Invalid) as caught:
        validate_identifier(identifier)

    assert caught.value.field == "resource"


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=60))
def test_nothing_but_invalid_is_raised(text):
    with contextlib.suppress(Invalid):
        validate_identifier(text)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scopes": {"openid": "x"}}, "scope"),
        ({"scopes": {"a b": "x"}}, "scope"),
        ({"scopes": {"a": ""}}, "scope"),
        ({"scopes": {"a": 5}}, "scope"),
        ({"scopes": {"a": "x\u202e"}}, "scope"),
        ({"scopes": [("a", "b")]}, "scope"),
        ({"name": ""}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"access_token_format": "xml"}, "access_token_format"),
        ({"access_token_format": ["jwt"]}, "access_token_format"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_name(change, field):
    with pytest.raises(Invalid) as caught:
        validate_resource(
            **{"identifier": "https://api.example", "name": "API", "scopes": {"read:a": "See a"}, **change}
        )

    assert caught.value.field == field
