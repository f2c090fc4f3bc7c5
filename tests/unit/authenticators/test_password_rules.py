"""Length is the only rule; one normal form (rows P1 to P4)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.authenticators.password_rules import normalized_password, validate_new_password
from idp.errors import Invalid


def accept(password):
    return validate_new_password(password, min_length=8, max_bytes=1024)


@pytest.mark.parametrize(
    "password", ["aaaaaaaa", "        ", "pässwörd", "🔑🔑🔑🔑🔑🔑🔑🔑", "a\x00bcdefgh", "x" * 1024]
)
def test_any_characters_make_a_password(password):
    """P2: no composition rule; spaces and every Unicode character count."""
    assert accept(password)


@pytest.mark.parametrize(
    "password", ["", "1234567", "🔑🔑🔑🔑🔑🔑🔑", "e\u0301" * 7, "x" * 1025, "é" * 513, "abcdefg\ud800"]
)
def test_too_short_too_long_or_no_text_is_refused(password):
    """P1, P3, P4: code points after normalisation; bytes before any hashing."""
    with pytest.raises(Invalid) as caught:
        accept(password)

    assert caught.value.field == "password"
    assert password not in caught.value.description or not password


def test_composed_and_decomposed_are_one_password():
    """P3: normalised identically at set and check."""
    assert accept("Pa\u0301sswords") == normalized_password("P\u00e1sswords", max_bytes=1024)


@settings(deadline=None)
@given(st.text(alphabet=st.characters()))
def test_nothing_but_invalid_is_raised(text):
    try:
        normal = accept(text)
    except Invalid:
        return

    assert normalized_password(normal, max_bytes=4096) == normal
