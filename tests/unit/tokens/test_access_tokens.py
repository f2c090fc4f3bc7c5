"""Access tokens, signed or sealed, with the same content."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import import_key

from idp.crypto import b64url_decode, b64url_encode
from idp.tokens import ACCESS_TOKEN_KEY_BYTES, AccessTokens, InvalidToken, TokenSpec
from tests.unit.keys.deployment import START, with_keys

ISSUER = "https://id.example"
KEY = bytes(range(ACCESS_TOKEN_KEY_BYTES))
SPEC = {
    "subject": "acc_1",
    "client_id": "shop",
    "audience": "https://api.example",
    "scope": ("read:things", "openid"),
    "lifetime": timedelta(minutes=5),
    "issued_at": START + timedelta(microseconds=700_000),
    "jti": "jti-1",
    "family_id": "fam-1",
    "auth_time": START - timedelta(hours=1),
    "acr": "urn:idp:loa:1",
    "amr": ("pwd",),
}
FORMATS = pytest.mark.parametrize("form", ["jwt", "opaque"])


@pytest.fixture(scope="module")
def idp(tmp_path_factory):
    with with_keys(tmp_path_factory.mktemp("tokens")) as made:
        yield made


@pytest.fixture(scope="module")
def ring(idp):
    return idp.worker()


@pytest.fixture(scope="module")
def tokens(ring):
    return AccessTokens(ring, KEY, ISSUER)


def spec(**changes):
    return TokenSpec(**{**SPEC, **changes})


@FORMATS
def test_token_says_what_was_granted(tokens, form):
    claims = tokens.parse(tokens.issue(spec(format=form)), now=START)

    assert (claims.sub, claims.client_id, claims.aud) == ("acc_1", "shop", "https://api.example")
    assert claims.scope == ("read:things", "openid")
    assert (claims.jti, claims.fam) == ("jti-1", "fam-1")
    assert (claims.iat, claims.exp) == (START, START + timedelta(minutes=5))
    assert claims.auth_time == START - timedelta(hours=1)
    assert (claims.acr, claims.amr) == ("urn:idp:loa:1", ("pwd",))


@FORMATS
def test_machine_token_has_no_person(tokens, form):
    machine = spec(subject="shop", family_id=None, auth_time=None, acr=None, amr=(), scope=(), format=form)

    claims = tokens.parse(tokens.issue(machine), now=START)

    assert (claims.fam, claims.auth_time, claims.acr, claims.amr, claims.scope) == (None, None, None, (), ())


def test_jwt_has_the_members_of_its_specification(tokens):
    """RFC 9068 §2.1, §2.2, and nothing about the person beyond them."""
    head, payload, _ = tokens.issue(spec()).split(".")

    assert json.loads(b64url_decode(head))["typ"] == "at+jwt"
    assert json.loads(b64url_decode(payload)) == {
        "iss": ISSUER,
        "sub": "acc_1",
        "aud": "https://api.example",
        "client_id": "shop",
        "scope": "read:things openid",
        "iat": int(START.timestamp()),
        "exp": int(START.timestamp()) + 300,
        "jti": "jti-1",
        "fam": "fam-1",
        "auth_time": int(START.timestamp()) - 3600,
        "acr": "urn:idp:loa:1",
        "amr": ["pwd"],
    }


@FORMATS
@pytest.mark.parametrize(
    "changes", [{}, {"scope": (), "family_id": None, "auth_time": None, "acr": None, "amr": ()}]
)
def test_prepared_token_says_what_an_issued_one_says(tokens, form, changes):
    """In the same order: ``issue_prepared`` puts bytes together where ``issue`` writes JSON."""
    whole = spec(format=form, **changes)

    prepared = tokens.issue_prepared(tokens.prepare(whole), jti=whole.jti, now=whole.issued_at).decode()

    issued = tokens.issue(whole)
    if form == "jwt":  # the signatures are random
        assert prepared.split(".")[:2] == issued.split(".")[:2]
    else:
        assert prepared == issued
    assert tokens.parse(prepared, now=START) == tokens.parse(issued, now=START)


@FORMATS
@pytest.mark.parametrize("changes", [{}, {"scope": (), "acr": None, "amr": ()}, {"subject": 'a"b\\c'}])
def test_token_prepared_for_people_says_what_an_issued_one_says(tokens, form, changes):
    """In the same order, as above; whom it is about need not be one of our own names."""
    whole = spec(format=form, **changes)
    others = {"subject": "", "family_id": None, "auth_time": None, "jti": "", "issued_at": START}

    prepared = tokens.issue_for_person(
        tokens.prepare_for_people(whole._replace(**others)),
        subject=whole.subject,
        family_id=whole.family_id,
        auth_time=int(whole.auth_time.timestamp()),
        jti=whole.jti,
        issued_at=int(whole.issued_at.timestamp()),
        lifetime=int(whole.lifetime.total_seconds()),
    ).decode()

    issued = tokens.issue(whole)
    if form == "jwt":
        assert prepared.split(".")[:2] == issued.split(".")[:2]
    else:
        assert prepared == issued
    assert tokens.parse(prepared, now=START) == tokens.parse(issued, now=START)


def test_opaque_token_shows_nothing(tokens):
    """T18: secret scanners find it; nobody reads it."""
    token = tokens.issue(spec(format="opaque"))

    assert token.startswith("idp_at_")
    assert b"acc_1" not in b64url_decode(token.removeprefix("idp_at_"))


def test_opaque_tokens_of_two_issues_differ(tokens):
    first, second = (tokens.issue(spec(format="opaque", jti=jti)) for jti in ("a", "b"))

    assert first[7:40] != second[7:40]


@FORMATS
def test_expired_token_is_refused(tokens, form):
    """T6."""
    token = tokens.issue(spec(format=form))

    assert tokens.parse(token, now=START + timedelta(minutes=5, microseconds=-1))
    with pytest.raises(InvalidToken):
        tokens.parse(token, now=START + timedelta(minutes=5))


@FORMATS
def test_token_from_the_future_is_refused(tokens, form):
    """T6: at most 60 s of clock difference."""
    token = tokens.issue(spec(format=form))

    assert tokens.parse(token, now=START - timedelta(seconds=60))
    with pytest.raises(InvalidToken):
        tokens.parse(token, now=START - timedelta(seconds=61))


@FORMATS
def test_token_of_another_issuer_is_refused(ring, tokens, form):
    other = AccessTokens(ring, KEY, "https://other.example")

    with pytest.raises(InvalidToken):
        tokens.parse(other.issue(spec(format=form)), now=START)


def test_token_of_another_key_is_refused(ring, tokens):
    other = AccessTokens(ring, bytes(ACCESS_TOKEN_KEY_BYTES), ISSUER)

    with pytest.raises(InvalidToken):
        tokens.parse(other.issue(spec(format="opaque")), now=START)


@pytest.mark.parametrize("typ", ["JWT", None, "logout+jwt"])
def test_id_token_is_no_access_token(ring, tokens, typ):
    """T4."""
    claims = {
        "iss": ISSUER,
        "sub": "acc_1",
        "aud": "shop",
        "client_id": "shop",
        "jti": "1",
        "iat": 1,
        "exp": 9e9,
    }

    with pytest.raises(InvalidToken):
        tokens.parse(ring.sign(claims, typ=typ, alg="RS256"), now=START)


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["https://api.example", "https://other.example"]},
        {"sub": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": 10**18},
        {"jti": 5},
        {"scope": ["openid"]},
        {"amr": 5},
        {"amr": [5]},
        {"fam": 5},
        {"client_id": {}},
    ],
)
def test_wrongly_typed_claims_are_refused(ring, tokens, changes):
    claims = {
        "iss": ISSUER,
        "sub": "acc_1",
        "aud": "https://api.example",
        "client_id": "shop",
        "jti": "1",
        "iat": int(START.timestamp()),
        "exp": int(START.timestamp()) + 300,
    }
    assert tokens.parse(ring.sign(claims, typ="at+jwt", alg="ES256"), now=START)

    with pytest.raises(InvalidToken):
        tokens.parse(ring.sign({**claims, **changes}, typ="at+jwt", alg="ES256"), now=START)


def test_changed_opaque_token_is_refused(tokens):
    token = tokens.issue(spec(format="opaque"))
    raw = b64url_decode(token.removeprefix("idp_at_"))

    for position in range(len(raw)):
        changed = raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]
        with pytest.raises(InvalidToken):
            tokens.parse("idp_at_" + b64url_encode(changed), now=START)


JUNK = st.one_of(
    st.text(),
    st.text().map("idp_at_".__add__),
    st.binary().map(lambda raw: "idp_at_" + b64url_encode(raw)),
    st.lists(st.binary(max_size=60).map(b64url_encode), min_size=3, max_size=3).map(".".join),
)


@given(text=JUNK)
def test_junk_is_refused_in_one_way(tokens, text):
    with pytest.raises(InvalidToken):
        tokens.parse(text, now=START)


@pytest.mark.parametrize("prefix", ["", "idp_at_"])
def test_oversized_token_is_refused_before_decoding(tokens, prefix):
    """T3."""
    with pytest.raises(InvalidToken) as caught:
        tokens.parse(prefix + "A" * 9000, now=START)

    assert caught.value.detail == "too large"


def test_key_of_another_size_is_an_error(ring):
    with pytest.raises(ValueError, match="64 bytes"):
        AccessTokens(ring, bytes(32), ISSUER)


def test_published_key_is_enough_to_verify(ring, tokens):
    """A resource server needs the key set and nothing else."""
    keys = {key["kid"]: key for key in json.loads(ring.jwks().body)["keys"]}
    token = tokens.issue(spec())
    head, payload, signature = token.split(".")
    key = import_key(keys[json.loads(b64url_decode(head))["kid"]])

    numbers = b64url_decode(signature)

    assert len(numbers) == 64
    assert key.as_dict(private=False)["crv"] == "P-256"
    assert datetime.fromtimestamp(json.loads(b64url_decode(payload))["iat"], UTC) == START
