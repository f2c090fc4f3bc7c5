"""K11: logout tokens of providers must pass OpenID Connect Back-Channel Logout 1.0 §2.6 in full.

| §2.6 | test |
|---|---|
| (1), (2) signature and algorithm | `test_signatures` |
| (3) iss, aud, iat, exp as of ID tokens | `test_a_wrong_token` |
| (4) sub, sid, or both | `test_what_it_names`, `test_a_wrong_token` |
| (5) events | `test_a_wrong_token` |
| (6) no nonce | `test_a_wrong_token` |
| (7) jti once | the caller; `test_what_it_names` shows what it gets |
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from idp.federation import (
    Provider,
    ProviderKind,
    RelyingParty,
    UpstreamLogout,
    UpstreamRefused,
    UpstreamUnavailable,
)
from tests.unit.federation.stub import CLIENT_ID, Stub, sign

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def claims(stub: Stub, now: datetime) -> dict[str, Any]:
    second = int(now.timestamp())
    return {
        "iss": stub.issuer,
        "aud": CLIENT_ID,
        "iat": second,
        "exp": second + 120,
        "jti": "j-1",
        "events": {EVENT: {}},
        "sub": "ada",
        "sid": "s-1",
    }


@pytest.mark.parametrize("typ", ["logout+jwt", "JWT", "application/logout+jwt", None])
@pytest.mark.parametrize(
    ("left_out", "subject", "sid"), [((), "ada", "s-1"), (("sid",), "ada", None), (("sub",), None, "s-1")]
)
def test_what_it_names(
    relying_party: RelyingParty,
    provider: Provider,
    claims: dict[str, Any],
    now: datetime,
    typ: str | None,
    left_out: tuple[str, ...],
    subject: str | None,
    sid: str | None,
) -> None:
    """§2.6 (4): a person, a session, or both; the type is recommended, not required."""
    said = {name: value for name, value in claims.items() if name not in left_out}

    logout = relying_party.verify_logout_token(provider, sign(said, typ=typ), now)

    expires_at = now.replace(microsecond=0) + timedelta(seconds=120)
    assert logout == UpstreamLogout(
        issuer=claims["iss"], subject=subject, sid=sid, jti="j-1", expires_at=expires_at
    )


WRONG = {
    "nonce": ({"nonce": "n"}, "logout_token_with_nonce"),
    "nonce null": ({"nonce": None}, "logout_token_with_nonce"),
    "no events": ({"events": ...}, "logout_event_missing"),
    "events list": ({"events": [EVENT]}, "logout_event_missing"),
    "event true": ({"events": {EVENT: True}}, "logout_event_missing"),
    "another event": ({"events": {"http://x.example": {}}}, "logout_event_missing"),
    "no jti": ({"jti": ...}, "logout_token_id_missing"),
    "jti number": ({"jti": 7}, "logout_token_id_missing"),
    "jti long": ({"jti": "j" * 256}, "logout_token_id_missing"),
    "nothing": ({"sub": ..., "sid": ...}, "logout_token_names_nothing"),
    "sub number": ({"sub": 7}, "subject_invalid"),
    "sub empty": ({"sub": ""}, "subject_invalid"),
    "sid null": ({"sid": None}, "subject_invalid"),
    "sid list": ({"sid": ["s-1"]}, "subject_invalid"),
    "aud": ({"aud": "another"}, "audience_mismatch"),
    "iss": ({"iss": "https://other.example"}, "issuer_mismatch"),
    "no exp": ({"exp": ...}, "token_times_missing"),
    "no iat": ({"iat": ...}, "token_times_missing"),
    "expired": ({"exp": -61}, "token_expired"),
    "ahead": ({"iat": 62}, "token_from_the_future"),
    "forever": ({"exp": 90_000}, "logout_token_lives_too_long"),
}


@pytest.mark.parametrize(("changed", "reason"), WRONG.values(), ids=WRONG)
def test_a_wrong_token(
    relying_party: RelyingParty,
    provider: Provider,
    claims: dict[str, Any],
    now: datetime,
    changed: dict[str, Any],
    reason: str,
) -> None:
    """K11: an ID token, for one, is none; nor is one that names a person by a number."""
    moved = {
        name: int(now.timestamp()) + value if name in {"iat", "exp"} and isinstance(value, int) else value
        for name, value in changed.items()
    }
    said = {name: value for name, value in {**claims, **moved}.items() if value is not ...}

    with pytest.raises(UpstreamRefused) as caught:
        relying_party.verify_logout_token(provider, sign(said), now)

    assert caught.value.detail == reason


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"alg": "none", "kid": None}, "algorithm_not_allowed"),
        ({"name": "two", "kid": "RS256-one"}, "signature_invalid"),
        ({"name": "two"}, "key_unknown"),
        ({"typ": "at+jwt"}, "token_type_mismatch"),
        ({"typ": "secevent+jwt"}, "token_type_mismatch"),
    ],
)
def test_signatures(
    relying_party: RelyingParty,
    provider: Provider,
    claims: dict[str, Any],
    now: datetime,
    header: dict[str, Any],
    reason: str,
) -> None:
    """K11, §2.6 (1), (2)."""
    with pytest.raises(UpstreamRefused) as caught:
        relying_party.verify_logout_token(provider, sign(claims, **header), now)

    assert caught.value.detail == reason


def test_who_cannot_send_one(
    relying_party: RelyingParty, provider: Provider, claims: dict[str, Any], now: datetime, stub: Stub
) -> None:
    """K11: a provider without ID tokens; and one whose keys cannot be had is not believed."""
    plain = replace(provider, kind=ProviderKind.OAUTH2)
    with pytest.raises(UpstreamRefused) as caught:
        relying_party.verify_logout_token(plain, sign(claims), now)
    assert caught.value.detail == "logout_not_supported"

    stub.says("/jwks", b"", 503)
    with pytest.raises(UpstreamUnavailable):
        relying_party.verify_logout_token(provider, sign(claims), now)
