"""How we prove to a provider who we are, at its token and PAR endpoints.

Each method is a function as Authlib's ``OAuth2Client.register_client_auth_method`` takes it: it gets the
request and gives it back with the credentials in it.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key
from joserfc.jws import JWSRegistry, serialize_compact

from idp.crypto import random_token
from idp.federation.errors import UpstreamUnavailable
from idp.federation.provider import Provider

Request = tuple[str, dict[str, str], str]
"""Address, headers, body."""
Method = Callable[[Any, str, str, dict[str, str], str], Request]

_LIFETIME = timedelta(minutes=5)
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_APPLE = "https://appleid.apple.com"
_ALGORITHMS = {
    ("RSA", None): "RS256",
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("OKP", "Ed25519"): "EdDSA",
}


class _Signing(JWSRegistry):
    """One algorithm for one signature, without the warning about the name ``EdDSA``."""

    def get_alg(self, name: str) -> Any:
        """The algorithm of that name; the caller took it from the key."""
        return self.algorithms[name]


def client_authentication(provider: Provider, audience: str, now: datetime) -> Method:
    """The provider's way of telling that we are its client.

    Args:
        provider: its ``auth_method``, and the secret or key for it.
        audience: whom an assertion is for.
        now: aware UTC.

    Raises:
        UpstreamUnavailable: the secret or key is missing or of no use.
    """
    if provider.auth_method == "none":
        return _with_form({"client_id": provider.client_id})
    if provider.secret is None:
        raise UpstreamUnavailable("client_secret_missing")
    secret = provider.secret.reveal()
    match provider.auth_method:
        case "client_secret_post":
            return _with_form({"client_id": provider.client_id, "client_secret": secret})
        case "client_secret_basic":
            return _with_basic(provider.client_id, secret)
        case "private_key_jwt":
            assertion = _client_assertion(provider, secret, audience, now)
            return _with_form(
                {
                    "client_id": provider.client_id,
                    "client_assertion_type": _ASSERTION_TYPE,
                    "client_assertion": assertion,
                }
            )
        case "apple":
            made = _apple_secret(provider, secret, now)
            return _with_form({"client_id": provider.client_id, "client_secret": made})
    raise UpstreamUnavailable("auth_method_unknown")


def _with_form(fields: Mapping[str, str]) -> Method:
    def add(_client: Any, _method: str, uri: str, headers: dict[str, str], body: str) -> Request:
        # A pushed request names the client already, and no parameter may come twice (RFC 6749 §3.2).
        return uri, headers, urlencode({**dict(parse_qsl(body, keep_blank_values=True)), **fields})

    return add


def _with_basic(client_id: str, secret: str) -> Method:
    """Both parts form-encoded first, which Authlib's own method leaves out (RFC 6749 §2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    value = "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")

    def add(_client: Any, _method: str, uri: str, headers: dict[str, str], body: str) -> Request:
        return uri, {**headers, "Authorization": value}, body

    return add


def _client_assertion(provider: Provider, pem: str, audience: str, now: datetime) -> str:
    """Source: RFC 7523 §3; OpenID Connect Core §9, ``private_key_jwt``."""
    key, alg = _private_key(pem)
    claims = {
        "iss": provider.client_id,
        "sub": provider.client_id,
        "aud": audience,
        "jti": random_token(16),
        **_times(now),
    }
    return _sign({"alg": alg, "typ": "JWT", "kid": provider.key_id}, claims, key)


def _apple_secret(provider: Provider, pem: str, now: datetime) -> str:
    """Source: Apple, "Creating a client secret": ES256, the team as issuer, at most six months."""
    key, alg = _private_key(pem)
    if alg != "ES256" or not provider.team_id or not provider.key_id:
        raise UpstreamUnavailable("private_key_unusable")
    claims = {"iss": provider.team_id, "sub": provider.client_id, "aud": _APPLE, **_times(now)}
    return _sign({"alg": alg, "kid": provider.key_id}, claims, key)


def _times(now: datetime) -> dict[str, int]:
    return {"iat": int(now.timestamp()), "exp": int((now + _LIFETIME).timestamp())}


def _private_key(pem: str) -> tuple[Key, str]:
    for kty in ("EC", "RSA", "OKP"):
        try:
            key = import_key(pem, kty)
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
        # RSA keys have no curve.
        alg = _ALGORITHMS.get((kty, None if kty == "RSA" else str(key.get("crv"))))
        if alg is not None and key.is_private:
            return key, alg
    raise UpstreamUnavailable("private_key_unusable")


def _sign(header: dict[str, Any], claims: dict[str, Any], key: Key) -> str:
    named = {name: value for name, value in header.items() if value is not None}
    try:
        return serialize_compact(
            named, orjson.dumps(claims), key, registry=_Signing(algorithms=[header["alg"]])
        )
    except (JoseError, ValueError) as error:
        raise UpstreamUnavailable("private_key_unusable") from error
