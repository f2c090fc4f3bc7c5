"""V9: an ID token counts if it passes every check of OpenID Connect Core §3.1.3.7; its subject is text."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from idp.crypto import b64url_encode
from idp.federation import Provider, UpstreamRefused, UpstreamWish
from tests.unit.federation.conftest import Journey
from tests.unit.federation.stub import ACCESS_TOKEN, KINDS, Stub, key, public, sign


def _reason(journey: Journey, provider: Provider, **given: Any) -> str:
    with pytest.raises(UpstreamRefused) as caught:
        journey(provider, **given)
    assert str(caught.value) == caught.value.description
    return caught.value.detail


def test_a_fine_token(journey: Journey, provider: Provider, stub: Stub) -> None:
    identity = journey(
        provider, claims={"sid": "s-1", "acr": "2", "amr": ["pwd", "otp"], "auth_time": 1767323045}
    )

    assert (identity.provider_id, identity.issuer, identity.subject) == ("upstream", stub.issuer, "ada")
    assert (identity.email, identity.email_verified) == ("ada@upstream.example", True)
    assert identity.claims == {"name": "Ada King"}
    assert (identity.acr, identity.amr, identity.upstream_sid) == ("2", ("pwd", "otp"), "s-1")
    assert identity.auth_time is not None
    assert identity.auth_time.timestamp() == 1767323045
    assert identity.tokens is None
    assert identity.id_token is not None
    assert not stub.requests_to("/userinfo")


WRONG_CLAIMS = {
    "nonce missing": ({"nonce": None}, "nonce_missing"),
    "nonce null": ({"nonce": ...}, "nonce_missing"),
    "nonce wrong": ({"nonce": "another"}, "nonce_mismatch"),
    "nonce number": ({"nonce": 7}, "nonce_mismatch"),
    "aud of another": ({"aud": "another-client"}, "audience_mismatch"),
    "aud missing": ({"aud": None}, "audience_mismatch"),
    "aud empty": ({"aud": []}, "audience_mismatch"),
    "aud nested": ({"aud": [["our-client"]]}, "audience_mismatch"),
    "aud with a number": ({"aud": ["our-client", 7], "azp": "our-client"}, "audience_mismatch"),
    "two aud without azp": ({"aud": ["our-client", "another"]}, "authorized_party_mismatch"),
    "azp of another": ({"azp": "another-client"}, "authorized_party_mismatch"),
    "iss of another": ({"iss": "https://accounts.example"}, "issuer_mismatch"),
    "iss with a slash": ({"iss": "{issuer}/"}, "issuer_mismatch"),
    "iss missing": ({"iss": None}, "issuer_mismatch"),
    "iss list": ({"iss": ["{issuer}"]}, "issuer_mismatch"),
    "expired": ({"exp": -61}, "token_expired"),
    "exp missing": ({"exp": None}, "token_times_missing"),
    "exp text": ({"exp": "4102444800"}, "token_times_missing"),
    "exp true": ({"exp": True}, "token_times_missing"),
    "exp beyond time": ({"exp": 10**18}, "token_times_missing"),
    "iat missing": ({"iat": None}, "token_times_missing"),
    "iat ahead": ({"iat": 62}, "token_from_the_future"),
    "nbf ahead": ({"nbf": 62}, "token_from_the_future"),
    "nbf text": ({"nbf": "now"}, "token_from_the_future"),
    "sub missing": ({"sub": None}, "subject_invalid"),
    "sub null": ({"sub": ...}, "subject_invalid"),
    "sub empty": ({"sub": ""}, "subject_invalid"),
    "sub blank": ({"sub": "  "}, "subject_invalid"),
    "sub number": ({"sub": 12345}, "subject_invalid"),
    "sub zero": ({"sub": 0}, "subject_invalid"),
    "sub true": ({"sub": True}, "subject_invalid"),
    "sub list": ({"sub": ["ada"]}, "subject_invalid"),
    "sub with NUL": ({"sub": "ada\x00"}, "subject_invalid"),
    "sub too long": ({"sub": "a" * 256}, "subject_invalid"),
    "at_hash wrong": ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "access_token_hash_mismatch"),
    "at_hash number": ({"at_hash": 1}, "access_token_hash_mismatch"),
}
_TIMES = frozenset({"exp", "iat", "nbf"})


@pytest.mark.parametrize(("changed", "reason"), WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_token_with_a_wrong_claim(
    journey: Journey, provider: Provider, stub: Stub, now: datetime, changed: dict[str, Any], reason: str
) -> None:
    """V9: and what is wrong is said in the audit log, not on the page."""

    def value(name: str, given: Any) -> Any:
        if name in _TIMES and isinstance(given, int) and not isinstance(given, bool) and abs(given) < 1000:
            return int((now + timedelta(seconds=given)).timestamp())
        if isinstance(given, list):
            return [part.format(issuer=stub.issuer) if isinstance(part, str) else part for part in given]
        return given.format(issuer=stub.issuer) if isinstance(given, str) else given

    claims = {name: value(name, given) for name, given in changed.items()}

    assert _reason(journey, provider, claims=claims) == reason


@pytest.mark.parametrize("ahead", [0, 10, 59])
def test_a_clock_that_is_a_little_ahead(
    journey: Journey, provider: Provider, now: datetime, ahead: int
) -> None:
    """FAPI 2.0 §5.3.2.1: ten seconds ahead are accepted; more than sixty are not (above)."""
    journey(provider, claims={"iat": int(now.timestamp()) + ahead})


@pytest.mark.parametrize("sub", ["a", "a" * 255, "ada|with spaces and ü", "00123"])
def test_subjects_that_are_kept_as_they_are(journey: Journey, provider: Provider, sub: str) -> None:
    """V9: compared character by character, so nothing is trimmed or normalised."""
    assert journey(provider, claims={"sub": sub}).subject == sub


def test_no_signature(journey: Journey, provider: Provider) -> None:
    """V9: `alg` none, with and without a signature part."""

    def unsigned(claims: dict[str, Any]) -> str:
        return sign(claims, alg="none", kid=None)

    assert _reason(journey, provider, make=unsigned) == "algorithm_not_allowed"
    assert _reason(journey, provider, make=lambda claims: unsigned(claims) + "AA") == "algorithm_not_allowed"


def test_none_cannot_be_allowed(journey: Journey, provider: Provider) -> None:
    """V9: not even by a configuration that got past its own checks."""
    allowing = replace(provider, id_token_algs=("none", "HS256"))

    assert _reason(journey, allowing, make=lambda claims: sign(claims, alg="none")) == "algorithm_not_allowed"


@pytest.mark.parametrize("algs", [("RS256",), ("RS256", "HS256")])
def test_a_shared_secret_made_of_the_public_key(
    journey: Journey, provider: Provider, algs: tuple[str, ...]
) -> None:
    """V9: HS256 with the public key as its secret; also with the client secret."""
    public_jwk = b64url_encode(str(key().as_dict(private=False)).encode())

    for secret in (public_jwk, b64url_encode(b"our secret is long enough")):
        forged = OctKey.import_key({"kty": "oct", "k": secret})
        reason = _reason(
            journey,
            replace(provider, id_token_algs=algs),
            make=lambda claims, forged=forged: sign(claims, alg="HS256", kid="RS256-one", by=forged),
        )
        assert reason == "algorithm_not_allowed"


FORGED = {
    "another key": ({"name": "two", "kid": "RS256-one"}, "signature_invalid"),
    "unknown kid": ({"kid": "nobody"}, "key_unknown"),
    "kid number": ({"kid": 7}, "key_unknown"),
    "kid of a key for another algorithm": ({"alg": "PS256", "kid": "RS256-one"}, "key_unknown"),
    "algorithm not allowed": ({"alg": "RS384", "by": "RS256"}, "algorithm_not_allowed"),
    "critical": ({"crit": ["b64"], "b64": True}, "token_critical_extension"),
    "access token": ({"typ": "at+jwt"}, "token_type_mismatch"),
    "logout token": ({"typ": "logout+jwt"}, "token_type_mismatch"),
    "typ number": ({"typ": 1}, "token_type_mismatch"),
}


@pytest.mark.parametrize(("header", "reason"), FORGED.values(), ids=FORGED)
def test_a_token_with_a_wrong_header(
    journey: Journey, provider: Provider, stub: Stub, header: dict[str, Any], reason: str
) -> None:
    """V9: the header finds the key and chooses nothing."""
    stub.publish(public(alg="RS256"))
    given = {**header, **({"by": key(header["by"])} if "by" in header else {})}

    assert _reason(journey, provider, header=given) == reason


def test_a_key_in_the_header_is_not_used(journey: Journey, provider: Provider) -> None:
    """V9: `jwk`, `jku` and `x5u` are as if they were not there."""
    forged = key("RS256", "forged")

    for header in ({"jwk": forged.as_dict(private=False)}, {"jku": "http://localhost/jwks"}):
        assert _reason(journey, provider, header={"by": forged, **header}) == "signature_invalid"


@pytest.mark.parametrize(
    "token",
    ["", "a.b", "a.b.c", "a.b.c.d.e", "e30.e30.", "bnVsbA.e30.", "!.!.!", "e30=.e30=.", "." * 70_000],
)
def test_something_that_is_no_token(journey: Journey, provider: Provider, token: str) -> None:
    assert _reason(journey, provider, make=lambda _: token) in {
        "id_token_missing",
        "token_malformed",
        "algorithm_not_allowed",
    }


@pytest.mark.parametrize("claims", [[], "text", 7, None])
def test_claims_that_are_no_object(journey: Journey, provider: Provider, claims: Any) -> None:
    assert _reason(journey, provider, make=lambda _: sign(claims)) == "token_malformed"


def test_no_id_token(journey: Journey, provider: Provider) -> None:
    """V9: an access token alone says nothing about a person."""
    assert _reason(journey, provider, make=lambda _: None) == "id_token_missing"


@pytest.mark.parametrize("alg", sorted(KINDS))
def test_every_algorithm(journey: Journey, provider: Provider, stub: Stub, alg: str) -> None:
    """With `at_hash`, whose hash is the signature's; Ed25519 has SHA-512 inside."""
    stub.publish(public(alg), public("RS256", "two"))
    digest = (hashlib.sha512 if alg == "EdDSA" else hashlib.sha256)(ACCESS_TOKEN.encode()).digest()

    identity = journey(
        provider, header={"alg": alg}, claims={"at_hash": b64url_encode(digest[: len(digest) // 2])}
    )

    assert identity.subject == "ada"


def test_a_header_without_kid_needs_a_key_set_of_one(
    journey: Journey, provider: Provider, stub: Stub
) -> None:
    """OpenID Connect Core §10.1."""
    assert journey(provider, header={"kid": None}).subject == "ada"

    stub.publish(public(), public("RS256", "two"))

    other = replace(provider, id="other")
    assert _reason(journey, other, header={"kid": None}) == "key_unknown"


@pytest.mark.filterwarnings("ignore:Key size")
def test_a_small_key_is_not_used(journey: Journey, provider: Provider, stub: Stub) -> None:
    small = RSAKey.generate_key(1024)
    stub.publish({**small.as_dict(private=False), "kid": "RS256-one"})

    assert _reason(journey, provider, header={"by": small}) == "key_unknown"


@pytest.mark.parametrize(
    "members",
    [
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"alg": "PS256"},
        {"kty": "EC"},
        {"n": 7},
    ],
    ids=str,
)
def test_a_key_for_something_else_is_not_used(
    journey: Journey, provider: Provider, stub: Stub, members: dict[str, Any]
) -> None:
    stub.publish(public(**members))

    assert _reason(journey, provider) == "key_unknown"


def test_junk_beside_a_fine_key(journey: Journey, provider: Provider, stub: Stub) -> None:
    """RFC 7517 §5: what is not understood is passed over."""
    stub.says(
        "/jwks",
        {"keys": [None, 7, {}, {"kty": "AKP"}, {"kty": ["RSA"]}, {"kty": "oct", "k": "AA"}, public()]},
    )

    assert journey(provider).subject == "ada"


STALE = UpstreamWish(max_age=60)
FRESH = UpstreamWish(prompt="login")


@pytest.mark.parametrize(
    ("wish", "age", "reason"),
    [
        (FRESH, None, "auth_time_missing"),
        (STALE, None, "auth_time_missing"),
        (FRESH, "now", "auth_time_missing"),
        (FRESH, True, "auth_time_missing"),
        (FRESH, 12, "sign_in_too_old"),
        (STALE, 72, "sign_in_too_old"),
        (STALE, -62, "token_from_the_future"),
    ],
)
def test_a_fresh_sign_in_that_was_none(
    journey: Journey, provider: Provider, now: datetime, wish: UpstreamWish, age: Any, reason: str
) -> None:
    """OpenID Connect Core §3.1.2.1: `prompt=login` and `max_age` are verified on return."""
    said = int(now.timestamp()) - age if isinstance(age, int) and not isinstance(age, bool) else age

    assert _reason(journey, provider, wish=wish, claims={"auth_time": said}) == reason


@pytest.mark.parametrize(("wish", "age"), [(FRESH, 0), (FRESH, 9), (FRESH, -5), (STALE, 60), (STALE, 69)])
def test_a_fresh_sign_in(
    journey: Journey, provider: Provider, now: datetime, wish: UpstreamWish, age: int
) -> None:
    identity = journey(provider, wish=wish, claims={"auth_time": int(now.timestamp()) - age})

    assert identity.auth_time is not None


@pytest.mark.parametrize("nonce", [None, "right"])
def test_a_provider_that_sends_no_nonce_back(journey: Journey, provider: Provider, nonce: str | None) -> None:
    """LinkedIn: it may be missing, if the configuration says so, and still must not be wrong."""
    silent = replace(provider, echoes_nonce=False)

    assert journey(silent, claims={} if nonce else {"nonce": None}).subject == "ada"
    assert _reason(journey, silent, claims={"nonce": "wrong"}) == "nonce_mismatch"


@pytest.mark.parametrize(
    "said",
    [{"acr": 2}, {"acr": ""}, {"amr": "pwd"}, {"amr": ["pwd", 7]}, {"sid": 7}, {"auth_time": "now"}],
    ids=str,
)
def test_assurance_that_is_not_well_formed_is_not_said(
    journey: Journey, provider: Provider, said: dict[str, Any]
) -> None:
    identity = journey(provider, claims=said)

    assert (identity.acr, identity.amr, identity.upstream_sid, identity.auth_time) == (None, (), None, None)
