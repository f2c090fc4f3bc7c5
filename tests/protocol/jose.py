"""Reading, checking and forging compact JWS for tests."""

import base64
import hashlib
import hmac
import json
import warnings
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key
from joserfc import jwk, jws
from joserfc.errors import SecurityWarning

from tests.provider import Protocol, Provider

Json = dict[str, Any]


def encode(content: Json | bytes) -> str:
    """base64url without padding, of bytes or of an object as JSON."""
    data = content if isinstance(content, bytes) else json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def header(token: str) -> Json:
    found: Json = json.loads(decode(token.split(".", maxsplit=1)[0]))
    return found


def claims(token: str) -> Json:
    """The claims as they stand there, unchecked."""
    found: Json = json.loads(decode(token.split(".")[1]))
    return found


def assemble(head: Json, content: Json, signature: bytes = b"") -> str:
    return f"{encode(head)}.{encode(content)}.{encode(signature)}"


def published_keys(provider: Protocol) -> list[Json]:
    found: list[Json] = provider.http.get("/jwks").json()["keys"]
    return found


def published_key(provider: Protocol, kid: str) -> Json:
    return next(key for key in published_keys(provider) if key["kid"] == kid)


def verified(provider: Protocol, token: str, *, alg: str) -> Json:
    """The claims, after checking the signature with the published key as a relying party would."""
    head = header(token)
    assert head["alg"] == alg
    key = jwk.import_key(published_key(provider, head["kid"]))
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # RFC 9864 retires the name EdDSA, not the algorithm
        found: Json = json.loads(jws.deserialize_compact(token, key, registry=registry).payload)
    return found


def at_hash(access_token: str, alg: str) -> str:
    """OpenID Connect Core §3.1.3.6."""
    name = "sha512" if alg == "EdDSA" else "sha256"
    digest = hashlib.new(name, access_token.encode()).digest()
    return encode(digest[: len(digest) // 2])


def hs256(head: Json, content: Json, key: bytes) -> str:
    """A token authenticated with a key of the attacker's choice."""
    signed = f"{encode({**head, 'alg': 'HS256'})}.{encode(content)}"
    return f"{signed}.{encode(hmac.digest(key, signed.encode(), 'sha256'))}"


def signed_by_us(provider: Provider, content: Json, *, typ: str | None, alg: str = "ES256") -> str:
    """A token with any content and type that the provider's own active key signed."""
    return provider.container.keyring.sign(content, typ=typ, alg=alg)


def our_private_key(provider: Provider, kid: str) -> EllipticCurvePrivateKey:
    """The provider's own ES256 key: the strongest forger there can be."""
    container = provider.container
    with container.database.transaction(write=False):
        sealed = {record.kid: private for record, private in container.keystore.sealed_keys()}
    key = load_der_private_key(container.keystore.unseal(kid, sealed[kid]), password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    return key


def signed(head: Json, content: Json | bytes, key: EllipticCurvePrivateKey) -> str:
    """Any header over any content, signed with ES256."""
    text = f"{encode(head)}.{encode(content)}"
    r, s = decode_dss_signature(key.sign(text.encode(), ECDSA(SHA256())))
    return f"{text}.{encode(r.to_bytes(32) + s.to_bytes(32))}"


def with_header(token: str, key: EllipticCurvePrivateKey, **changes: Any) -> str:
    """The token's claims under a changed header, signed by `key`; None takes a member away."""
    head = {name: value for name, value in {**header(token), **changes}.items() if value is not None}
    return signed(head, decode(token.split(".")[1]), key)
