"""How a provider knows that it is us."""

import base64
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from joserfc import jwt

from idp.crypto import Secret, b64url_decode
from idp.federation import Provider, RelyingParty, UpstreamUnavailable, UpstreamWish
from tests.unit.federation.conftest import Journey
from tests.unit.federation.stub import CLIENT_ID, Stub, key


def _pem(alg: str, name: str = "ours") -> Secret[str]:
    return Secret(key(alg, name).as_pem(private=True).decode())


def test_basic_is_form_encoded(journey: Journey, provider: Provider, stub: Stub) -> None:
    """RFC 6749 §2.3.1: both parts are form-encoded before they are joined by a colon."""
    journey(replace(provider, client_id="our-client", secret=Secret("s:e/c r+e%t~ü")))

    (asked,) = stub.requests_to("/token")
    pair = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == "our-client:s%3Ae%2Fc+r%2Be%25t~%C3%BC"
    assert "client_secret" not in asked.form


def test_post(journey: Journey, provider: Provider, stub: Stub) -> None:
    journey(replace(provider, auth_method="client_secret_post", secret=Secret("a&b=c+d")))

    (asked,) = stub.requests_to("/token")
    assert (asked.form["client_id"], asked.form["client_secret"]) == (CLIENT_ID, "a&b=c+d")
    assert asked.form["code"] == "a-code"
    assert "authorization" not in asked.headers


def test_none(journey: Journey, provider: Provider, stub: Stub) -> None:
    journey(replace(provider, auth_method="none", secret=None))

    (asked,) = stub.requests_to("/token")
    assert asked.form["client_id"] == CLIENT_ID
    assert "authorization" not in asked.headers


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
def test_private_key_jwt(journey: Journey, provider: Provider, stub: Stub, now: datetime, alg: str) -> None:
    """OpenID Connect Core §9, RFC 7523 §3: about us, for this issuer, short, never the same twice."""
    configured = replace(provider, auth_method="private_key_jwt", secret=_pem(alg), key_id="k-1")

    journey(configured)
    journey(configured)

    first, second = stub.requests_to("/token")
    assert first.form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    header, claims = _verified(first.form["client_assertion"], alg)
    assert (header["alg"], header["kid"]) == (alg, "k-1")
    assert claims["iss"] == claims["sub"] == CLIENT_ID
    assert claims["aud"] == stub.issuer
    assert claims["iat"] == int(now.timestamp())
    assert claims["exp"] - claims["iat"] == 300
    assert claims["jti"] != _verified(second.form["client_assertion"], alg)[1]["jti"]
    assert "client_secret" not in first.form


def test_apples_client_secret(journey: Journey, provider: Provider, stub: Stub, now: datetime) -> None:
    """Apple, "Creating a client secret"."""
    journey(
        replace(
            provider, auth_method="apple", secret=_pem("ES256"), key_id="ABC123DEFG", team_id="DEF123GHIJ"
        )
    )

    (asked,) = stub.requests_to("/token")
    header, claims = _verified(asked.form["client_secret"], "ES256")
    assert header == {"alg": "ES256", "kid": "ABC123DEFG"}
    assert claims == {
        "iss": "DEF123GHIJ",
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + 300,
        "aud": "https://appleid.apple.com",
        "sub": CLIENT_ID,
    }
    assert asked.form["client_id"] == CLIENT_ID


def _verified(token: str, alg: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if alg == "EdDSA":  # its name makes the library warn
        head, claims, _ = token.split(".")
        return json.loads(b64url_decode(head)), json.loads(b64url_decode(claims))
    read = jwt.decode(token, key(alg, "ours"), algorithms=[alg])
    return dict(read.header), dict(read.claims)


UNUSABLE = {
    "no secret": ({"secret": None}, "client_secret_missing"),
    "not a key": ({"auth_method": "private_key_jwt"}, "private_key_unusable"),
    "empty": ({"auth_method": "private_key_jwt", "secret": Secret("")}, "private_key_unusable"),
    "Apple with RSA": (
        {"auth_method": "apple", "secret": _pem("RS256"), "key_id": "k", "team_id": "t"},
        "private_key_unusable",
    ),
    "Apple without a team": (
        {"auth_method": "apple", "secret": _pem("ES256"), "key_id": "k"},
        "private_key_unusable",
    ),
    "public key": (
        {
            "auth_method": "private_key_jwt",
            "secret": Secret(key("ES256", "ours").as_pem(private=False).decode()),
        },
        "private_key_unusable",
    ),
    "unknown": ({"auth_method": "tls_client_auth"}, "auth_method_unknown"),
}


@pytest.mark.parametrize(("members", "reason"), UNUSABLE.values(), ids=UNUSABLE)
def test_credentials_of_no_use(
    relying_party: RelyingParty, provider: Provider, now: datetime, members: dict[str, Any], reason: str
) -> None:
    """It is noticed before anybody is sent away."""
    with pytest.raises(UpstreamUnavailable) as caught:
        relying_party.begin(replace(provider, **members), UpstreamWish(), now)

    assert caught.value.detail == reason
