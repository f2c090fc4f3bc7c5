"""Our own tokens are accepted in exactly one form (rows T1 to T4)."""

import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, import_key

from idp.crypto import b64url_decode, b64url_encode
from idp.keys import MAX_TOKEN_SIZE, SUPPORTED_ALGORITHMS, InvalidToken, SigningKey, VerificationKey
from idp.keys.algorithms import byte_signer, generate
from idp.keys.verification import verify

MATERIAL = {alg: generate(alg) for alg in SUPPORTED_ALGORITHMS}
KEYS = {m.kid: VerificationKey.of(m.kid, m.alg, import_key(dict(m.public_jwk))) for m in MATERIAL.values()}
CLAIMS = {"sub": "acc_1", "exp": 1}


def signed(claims=None, *, alg="ES256", typ: str | None = "at+jwt", **header):
    """A token over any header, with a genuine signature of the key for ``alg``."""
    material = MATERIAL[alg]
    content = {"alg": alg, "kid": material.kid, "typ": typ, **header}
    content = {name: value for name, value in content.items() if value is not None}
    signing_input = ".".join(b64url_encode(json.dumps(part).encode()) for part in (content, claims or CLAIMS))
    signature = byte_signer(alg, material.private.reveal())(signing_input.encode())
    return f"{signing_input}.{b64url_encode(signature)}"


def check(token, typ=("at+jwt",), algs=SUPPORTED_ALGORITHMS):
    return verify(token, find=KEYS.get, typ=typ, algs=algs)


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
def test_own_token_is_accepted(alg):
    assert check(signed(alg=alg)) == CLAIMS


@pytest.mark.parametrize("alg", SUPPORTED_ALGORITHMS)
def test_changed_signature_is_refused(alg):
    head, payload, signature = signed(alg=alg).split(".")
    raw = bytearray(b64url_decode(signature))
    raw[-1] ^= 1

    with pytest.raises(InvalidToken):
        check(f"{head}.{payload}.{b64url_encode(bytes(raw))}")


def test_changed_claims_are_refused():
    head, _, signature = signed().split(".")
    payload = b64url_encode(json.dumps({"sub": "acc_2"}).encode())

    with pytest.raises(InvalidToken):
        check(f"{head}.{payload}.{signature}")


@pytest.mark.parametrize("name", ["none", "None", "nOnE", "HS256", "ES384", "RS256", "", None, 5, ["ES256"]])
def test_header_cannot_choose_the_algorithm(name):
    """T1: the algorithm is the key's, never the header's."""
    with pytest.raises(InvalidToken):
        check(_with_header(signed(), alg=name))


def test_public_key_is_no_hmac_secret():
    """T1: the classic confusion of RS256 with HS256 over the published key."""
    rsa = MATERIAL["RS256"]
    published = import_key(dict(rsa.public_jwk)).as_pem(private=False)
    header = {"alg": "HS256", "kid": rsa.kid, "typ": "at+jwt"}
    signing_input = ".".join(b64url_encode(json.dumps(part).encode()) for part in (header, CLAIMS))
    token = f"{signing_input}.{b64url_encode(hmac.digest(published, signing_input.encode(), 'sha256'))}"

    with pytest.raises(InvalidToken):
        check(token)


def test_key_brought_along_is_ignored():
    """T2: a token signed by the key in its own header is not ours."""
    foreign = ECKey.generate_key("P-256")
    header = {
        "alg": "ES256",
        "kid": MATERIAL["ES256"].kid,
        "typ": "at+jwt",
        "jwk": foreign.as_dict(private=False),
    }
    token = jws.serialize_compact(header, b'{"sub":"acc_1"}', foreign)

    with pytest.raises(InvalidToken):
        check(token)


def test_addresses_in_the_header_are_ignored():
    """T2: jku and x5u are not followed; the signature is checked with our key."""
    token = signed(jku="https://attacker.example/jwks", x5u="https://attacker.example/cert")

    assert check(token) == CLAIMS


@pytest.mark.parametrize("kid", ["other", "../../etc/passwd", "", None, 5, ["a"], "\x00", "a" * 300])
def test_unknown_key_is_refused(kid):
    """T2: the kid is an opaque name in our own set."""
    with pytest.raises(InvalidToken):
        check(signed(kid=kid))


@pytest.mark.parametrize("crit", [["b64"], ["exp"], ["unknown"], [], "x", 5])
def test_critical_extension_is_refused(crit):
    """T3: RFC 7515 §4.1.11; we understand none."""
    with pytest.raises(InvalidToken):
        check(signed(crit=crit, b64=True, unknown=1))


def test_oversized_token_is_refused_before_decoding():
    """T3: even a genuine one."""
    with pytest.raises(InvalidToken) as caught:
        check(signed({"text": "x" * MAX_TOKEN_SIZE}))

    assert caught.value.detail == "too large"


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "at+jwt2", "", None, 5, ["at+jwt"]])
def test_other_type_is_refused(typ):
    """T4: each consumer names the type it takes."""
    with pytest.raises(InvalidToken):
        check(signed(typ=typ))


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_type_is_compared_as_a_media_type(typ):
    """RFC 7515 §4.1.9."""
    assert check(signed(typ=typ)) == CLAIMS


def test_missing_type_is_accepted_where_the_consumer_says_so():
    assert check(signed(typ=None), typ=(None, "jwt")) == CLAIMS


def test_algorithm_outside_the_consumers_list_is_refused():
    with pytest.raises(InvalidToken):
        check(signed(alg="EdDSA"), algs=("ES256",))


@pytest.mark.parametrize("claims", [b"[]", b"5", b'"x"', b"", b"\xff", b"[" * 3000, b'{"a":NaN}'])
def test_claims_are_an_object(claims):
    head = b64url_encode(json.dumps({"alg": "ES256", "kid": MATERIAL["ES256"].kid, "typ": "at+jwt"}).encode())
    signing_input = f"{head}.{b64url_encode(claims)}"
    signature = byte_signer("ES256", MATERIAL["ES256"].private.reveal())(signing_input.encode())

    with pytest.raises(InvalidToken):
        check(f"{signing_input}.{b64url_encode(signature)}")


def test_one_token_has_one_spelling():
    """Neither padding, nor stray bits, nor other alphabets."""
    token = signed(alg="EdDSA")
    last = token[-1]
    stray = next(c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c != last)

    for variant in (token + "=", token + "\n", token[:-1] + stray, " " + token, token.replace(".", "=.", 1)):
        with pytest.raises(InvalidToken):
            check(variant)


@given(st.one_of(st.text(), st.lists(st.text(alphabet="AQgweyJ09_-{}", max_size=40)).map(".".join)))
def test_junk_is_refused_in_one_way(text):
    with pytest.raises(InvalidToken):
        check(text)


PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=20)


@given(
    st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "b64", "x"]), PLAIN | st.lists(PLAIN, max_size=3)
    )
)
def test_junk_header_is_refused_in_one_way(header):
    head = b64url_encode(json.dumps({"kid": MATERIAL["EdDSA"].kid, "alg": "EdDSA", **header}).encode())

    with pytest.raises(InvalidToken):
        check(f"{head}.e30.AAAA", typ=(None, "at+jwt"))


def test_error_tells_nothing_about_the_token():
    """X10: neither the public text nor the log's detail repeats it."""
    token = signed(kid="other")

    with pytest.raises(InvalidToken) as caught:
        check(token)

    assert token.split(".")[1] not in f"{caught.value} {caught.value.detail}"


def test_header_is_made_once_per_type():
    material = MATERIAL["EdDSA"]
    key = SigningKey(material.kid, "EdDSA", byte_signer("EdDSA", material.private.reveal()))

    headers = [b64url_decode(key.sign({}, typ=typ).split(".")[0]) for typ in (None, "JWT", None, "JWT")]

    assert [json.loads(header).get("typ") for header in headers] == [None, "JWT", None, "JWT"]


def _with_header(token, **changes):
    head, payload, signature = token.split(".")
    content = {**json.loads(b64url_decode(head)), **changes}
    return f"{b64url_encode(json.dumps(content).encode())}.{payload}.{signature}"
