"""Form bodies and query strings are read strictly."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.test import EnvironBuilder

from idp.web.body import MAX_FIELDS, Pairs, first, parse_pairs, read_form

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def read(body: bytes, content_type: str | None) -> Pairs:
    """Read a body where a thousand bytes are allowed."""
    environ = EnvironBuilder(method="POST", data=body, content_type=content_type).get_environ()
    return read_form(environ, limit=1000)


def test_pairs_keep_order_repetition_and_empty_values():
    assert parse_pairs(b"b=2&a=1&b=&c") == (("b", "2"), ("a", "1"), ("b", ""), ("c", ""))


@given(st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=20))
def test_whatever_a_client_encodes_comes_back(pairs):
    assert parse_pairs(urlencode(pairs).encode()) == tuple(pairs)


@pytest.mark.parametrize(
    "junk", [b"a=%zz", b"a=%4", b"%", b"a=%ff", b"a=\xff", b"a=%00", b"a%00b=1", b"a=%ed%a0%80"]
)
def test_junk_is_refused(junk):
    """X3, X5: broken percent signs, invalid UTF-8 and NUL are refused at the edge."""
    with pytest.raises(BadRequest):
        parse_pairs(junk)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(text):
    """X3: never another exception, which would be a 500."""
    try:
        parse_pairs(text)
    except BadRequest:
        return


def test_many_fields_are_refused():
    """X3: the number of parameters is limited."""
    assert len(parse_pairs(b"&".join([b"a=1"] * MAX_FIELDS))) == MAX_FIELDS
    with pytest.raises(BadRequest):
        parse_pairs(b"&".join([b"a=1"] * (MAX_FIELDS + 1)))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=utf-8",
        'Application/X-WWW-Form-Urlencoded;charset="UTF-8"',
    ],
)
def test_the_form_type_is_read(content_type):
    assert read(b"a=1", content_type) == (("a", "1"),)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        None,
        "application/x-www-form-urlencoded; charset=latin1",
    ],
)
def test_other_types_are_refused(content_type):
    """X4: only the documented content type."""
    with pytest.raises(UnsupportedMediaType):
        read(b"a=1", content_type)


def test_no_body_needs_no_type():
    assert read(b"", None) == ()


def test_a_large_body_is_refused():
    """X3: 413."""
    with pytest.raises(RequestEntityTooLarge):
        read(b"a=" + b"x" * 1000, "application/x-www-form-urlencoded")


def test_a_field_that_repeats_is_refused():
    """R9: a form of ours has each field once."""
    assert first((("a", "1"),), "a") == "1"
    assert first((), "a") == ""
    with pytest.raises(BadRequest):
        first((("a", "1"), ("a", "2")), "a")
