"""Samples of answers, looked at in full: signatures, claims, and that nothing is missing."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

from bench.subjects import API_SCOPE, CALLBACK, NONCE, RESOURCE, SHOP, Subject
from bench.wire import Answer, get

_FIVE_MINUTES = 300


def discovery(subject: Subject, _: bytes, answer: Answer) -> None:
    """The metadata names its issuer and every endpoint that is measured."""
    found = answer.json()
    assert found["issuer"] == subject.issuer
    for name in ("authorization", "token", "introspection", "userinfo"):
        assert f"{name}_endpoint" in found


def jwks(subject: Subject, _: bytes, answer: Answer) -> None:
    """There is a key for ES256, and nothing private."""
    del subject
    keys: Any = answer.json()["keys"]
    assert any(key["kty"] == "EC" and key["crv"] == "P-256" for key in keys)
    assert not any("d" in key for key in keys)


def client_credentials(subject: Subject, _: bytes, answer: Answer) -> None:
    """An access token for the API, signed with ES256."""
    body = answer.json()
    assert body["token_type"] == "Bearer"
    claims = verified(subject, str(body["access_token"]), "at+jwt")
    assert (claims["aud"], claims["scope"], claims["client_id"]) == (RESOURCE, API_SCOPE, "machine")
    assert claims["exp"] - claims["iat"] == _FIVE_MINUTES


def introspection(subject: Subject, _: bytes, answer: Answer) -> None:
    """The token is alive, and whose it is."""
    del subject
    body = answer.json()
    assert body["active"] is True
    assert body["sub"]
    assert "email" in str(body["scope"])


def userinfo(subject: Subject, _: bytes, answer: Answer) -> None:
    """The claims of the scopes profile and email; the same on both sides."""
    del subject
    body = answer.json()
    assert body["name"] == "Ada King"
    assert body["email_verified"] is True
    assert {"sub", "given_name", "family_name", "zoneinfo", "email", "updated_at"} <= body.keys()


def code_exchange(subject: Subject, _: bytes, answer: Answer) -> None:
    """Three tokens: the access token for the API, the ID token with the request's nonce."""
    _tokens(subject, answer)
    claims = verified(subject, str(answer.json()["id_token"]), None)
    assert claims["nonce"] == NONCE
    assert claims["auth_time"]


def refresh(subject: Subject, request: bytes, answer: Answer) -> None:
    """Three tokens again, and the refresh token is a new one."""
    _tokens(subject, answer)
    assert str(answer.json()["refresh_token"]).encode() not in request


def authorize(subject: Subject, _: bytes, answer: Answer) -> None:
    """A code, for the client, by this issuer."""
    location = answer.header("location")
    assert location.startswith(CALLBACK + "?")
    query = parse_qs(urlsplit(location).query)
    assert query["code"]
    assert query["iss"] == [subject.issuer]
    assert query["state"] == ["af0ifjsldkj"]


def login_page(subject: Subject, _: bytes, answer: Answer) -> None:
    """A form that asks for the password."""
    del subject
    assert b'name="password"' in answer.body
    assert b'name="csrf_token"' in answer.body


def login(subject: Subject, _: bytes, answer: Answer) -> None:
    """Signed in: a session cookie, and on to the request that waits."""
    del subject
    assert "idp_session" in answer.cookies()
    assert "/login" not in answer.header("location")


def passkey_login(subject: Subject, _: bytes, answer: Answer) -> None:
    """Signed in: a session cookie, and where to go on."""
    del subject
    assert "idp_session" in answer.cookies()
    assert answer.json()["location"] == "/"


def verified(subject: Subject, token: str, typ: str | None) -> dict[str, Any]:
    """The claims of a JWT signed with ES256 by one of the subject's published keys."""
    keys: Any = subject.ask(get(subject.port, subject.addresses.jwks)).json()
    decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["ES256"])
    assert typ is None or decoded.header["typ"] == typ
    assert decoded.claims["iss"] == subject.issuer
    return decoded.claims


def _tokens(subject: Subject, answer: Answer) -> None:
    body = answer.json()
    access = verified(subject, str(body["access_token"]), "at+jwt")
    assert (access["aud"], access["scope"]) == (RESOURCE, API_SCOPE)
    identity = verified(subject, str(body["id_token"]), None)
    assert identity["aud"] in (SHOP, [SHOP])
    assert identity["sub"] == access["sub"]
    assert body["refresh_token"]
