"""What we sign by hand verifies with an ordinary JOSE library, and the public parts are public."""

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jwt
from joserfc.jwk import import_key

from idp.crypto import Secret
from idp.keys import SUPPORTED_ALGORITHMS, SigningKey
from idp.keys.algorithms import _joined, byte_signer, generate, thumbprint

PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
def test_signature_verifies_with_an_ordinary_library(alg):
    """RFC 7518 §3.3, §3.4; RFC 8037 §3.1."""
    material = generate(alg)
    key = SigningKey(material.kid, alg, byte_signer(alg, material.private.reveal()))

    token = key.sign({"sub": "acc_1", "text": "grüße"}, typ="at+jwt")

    read = jwt.decode(token, import_key(dict(material.public_jwk)), algorithms=[alg])
    assert read.header == {"alg": alg, "kid": material.kid, "typ": "at+jwt"}
    assert read.claims == {"sub": "acc_1", "text": "grüße"}


def test_ecdsa_numbers_keep_their_leading_zeros():
    """RFC 7518 §3.4: r and s are 32 bytes each, whatever their value. One in 128 has a leading zero."""
    material = generate("ES256")
    sign = byte_signer("ES256", material.private.reveal())

    assert {len(sign(bytes([number]))) for number in range(256)} == {64}


@pytest.mark.parametrize("r", [1, 0x7F, 0x80, 2**248 - 1, 2**255 - 1, 2**255, 2**256 - 1])
@pytest.mark.parametrize("s", [1, 0x80, 2**247, 2**255, 2**256 - 1])
def test_ecdsa_numbers_are_cut_out_of_any_der(r, s):
    """RFC 3279 §2.2.3: integers have as many bytes as they need, and a zero in front of a high bit."""
    assert _joined(encode_dss_signature(r, s)) == r.to_bytes(32, "big") + s.to_bytes(32, "big")


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
def test_public_key_has_no_private_member(alg):
    """X18: no private members; use, alg and kid are there."""
    public = generate(alg).public_jwk

    assert not PRIVATE_MEMBERS & set(public)
    assert public["use"] == "sig"
    assert public["alg"] == alg


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
def test_kid_is_the_thumbprint(alg):
    """RFC 7638, as an ordinary library computes it."""
    material = generate(alg)

    assert material.kid == import_key(dict(material.public_jwk)).thumbprint()
    assert not material.kid.startswith("-")


def test_thumbprint_of_the_specification():
    """RFC 7638 §3.1: the example's key and its thumbprint."""
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiF"
        "V4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9"
        "c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1"
        "jF44-csFCur-kEgU8awapJzKnqDKgw"
    )

    assert thumbprint({"kty": "RSA", "n": n, "e": "AQAB"}) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_stored_key_of_another_type_is_refused():
    material = generate("EdDSA")

    with pytest.raises(ValueError, match="does not fit ES256"):
        byte_signer("ES256", material.private.reveal())


def test_private_key_hides_in_print():
    """X10: no secret in logs and tracebacks."""
    material = generate("EdDSA")

    assert isinstance(material.private, Secret)
    assert "**" in repr(material)
    assert repr(SigningKey("kid", "EdDSA", byte_signer("EdDSA", material.private.reveal()))) == (
        "SigningKey(EdDSA, kid)"
    )
