"""Opaque values: what goes in comes out, and junk is refused in one way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.crypto import b64url_decode, b64url_encode
from idp.tokens import AuthorizationCodes, InvalidToken, RefreshTokens, new_family_id

KEY = bytes(range(32))
TOKENS = RefreshTokens(KEY)
FAMILIES = st.binary(min_size=16, max_size=16).map(b64url_encode)
GENERATIONS = st.integers(min_value=0, max_value=2**32 - 1)


@given(FAMILIES, GENERATIONS)
def test_refresh_token_survives_the_journey(family_id, generation):
    token = TOKENS.encode(family_id, generation)

    parts = TOKENS.decode(token)

    assert (parts.family_id, parts.generation) == (family_id, generation)
    assert token.startswith("idp_rt_"), "T18: secret scanners find it"


@given(FAMILIES, GENERATIONS)
def test_same_generation_is_the_same_token(family_id, generation):
    """D12: inside the grace window the identical child is derived again."""
    assert TOKENS.encode(family_id, generation) == RefreshTokens(KEY).encode(family_id, generation)


@given(FAMILIES, GENERATIONS, st.integers(min_value=0, max_value=51), st.integers(min_value=1, max_value=255))
def test_changed_refresh_token_is_refused(family_id, generation, position, mask):
    raw = bytearray(b64url_decode(TOKENS.encode(family_id, generation).removeprefix("idp_rt_")))
    raw[position] ^= mask

    with pytest.raises(InvalidToken):
        TOKENS.decode("idp_rt_" + b64url_encode(bytes(raw)))


@given(
    st.one_of(
        st.text(),
        st.text(min_size=70, max_size=70).map("idp_rt_".__add__),
        st.binary(min_size=52, max_size=52).map(lambda raw: "idp_rt_" + b64url_encode(raw)),
    )
)
def test_junk_refresh_token_is_refused_in_one_way(text):
    with pytest.raises(InvalidToken):
        TOKENS.decode(text)


@pytest.mark.parametrize(
    "edit", [lambda t: t + "=", lambda t: t + "A", lambda t: t[:-1], lambda t: " " + t, str.upper]
)
def test_refresh_token_has_one_spelling(edit):
    with pytest.raises(InvalidToken):
        TOKENS.decode(edit(TOKENS.encode(new_family_id(), 3)))


def test_stray_bits_are_refused():
    """Two characters that decode to the same bytes are not the same token."""
    token = TOKENS.encode(new_family_id(), 0)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twins = [token[:-1] + c for c in alphabet if c != token[-1]]

    for twin in twins:
        with pytest.raises(InvalidToken):
            TOKENS.decode(twin)


def test_token_of_another_deployment_is_refused():
    with pytest.raises(InvalidToken):
        RefreshTokens(bytes(32)).decode(TOKENS.encode(new_family_id(), 0))


@pytest.mark.parametrize("generation", [-1, 2**32])
def test_generation_out_of_range_is_an_error(generation):
    with pytest.raises(OverflowError):
        TOKENS.encode(new_family_id(), generation)


@pytest.mark.parametrize("family_id", ["", "short", "A" * 23, "ä" * 22])
def test_family_id_of_another_form_is_an_error(family_id):
    with pytest.raises(ValueError, match=r"base64url|16 bytes"):
        TOKENS.encode(family_id, 0)


def test_short_key_is_an_error():
    with pytest.raises(ValueError, match="32 bytes"):
        RefreshTokens(b"short")


def test_codes_are_long_and_differ():
    """C9: at least 128 bits; we use 256."""
    codes = {AuthorizationCodes().new()[0] for _ in range(50)}

    assert len(codes) == 50
    assert all(code.startswith("idp_ac_") and len(code) == len("idp_ac_") + 43 for code in codes)


def test_code_is_found_by_its_digest():
    """C10: only the digest is stored."""
    code, digest = AuthorizationCodes().new()

    assert AuthorizationCodes().digest_of(code) == digest
    assert code.encode() not in digest


@given(st.text())
def test_any_text_has_a_digest(text):
    assert len(AuthorizationCodes().digest_of(text)) == 32
