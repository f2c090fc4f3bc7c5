"""ID token content. Source: OpenID Connect Core §2, §3.1.3.6, §12.2."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from idp.clients import RegisteredClient
from idp.crypto import b64url_encode
from idp.oauth.claims import Vocabulary, id_token_claims, vocabulary
from idp.settings import Settings
from idp.storage.hot import AccountState

_HASHES = {"ES256": hashlib.sha256, "RS256": hashlib.sha256, "EdDSA": hashlib.sha512}


class PreparedIdToken(NamedTuple):
    """ID tokens that differ in person, times, access token, nonce and session alone."""

    issuer: str
    client_id: str
    acr: str | None
    amr: Sequence[str]
    lifetime: int
    """Seconds."""
    alg: str
    known: Vocabulary
    """Claims that may be asked for."""


def at_hash(access_token: bytes, alg: str) -> str:
    """The left half of the access token's digest, by the algorithm the ID token is signed with. Base64url.

    EdDSA with Ed25519 hashes with SHA-512, as the signature itself does.

    Source: OpenID Connect Core §3.1.3.6.
    """
    hashed = _HASHES[alg](access_token)
    return b64url_encode(hashed.digest()[: hashed.digest_size // 2])


def prepare_id_token(
    client: RegisteredClient, *, acr: str | None, amr: Sequence[str], settings: Settings
) -> PreparedIdToken:
    """What all ID tokens of these have in common.

    There is no ``azp``: the audience is one client, and the token was issued to it.
    """
    return PreparedIdToken(
        issuer=settings.issuer,
        client_id=client.client_id,
        acr=acr,
        amr=[*amr],
        lifetime=int(settings.tokens.id_token_lifetime.total_seconds()),
        alg=client.id_token_signed_response_alg,
        known=vocabulary(settings.claims.scopes),
    )


def id_token_payload(
    prepared: PreparedIdToken,
    account: AccountState,
    asked: Mapping[str, Any] | None,
    access_token: bytes,
    *,
    nonce: str | None,
    session_id: str | None,
    auth_time: int,
    issued_at: int,
) -> dict[str, Any]:
    """The claims of one ID token.

    Args:
        prepared: what it has in common with others.
        account: whom it is about.
        asked: the ``claims`` parameter of the authorization request.
        access_token: issued with it. ASCII.
        nonce: ``None`` on refresh (Core §12.2), and when the request had none.
        session_id: the browser session, as OIDC logout knows it.
        auth_time: always the moment the person proved who they are, also on refresh. Seconds since 1970.
        issued_at: seconds since 1970.
    """
    # Their names are those of the vocabulary, and none of those below is among them.
    claims = id_token_claims(account, asked, prepared.known) if asked else {}
    claims["iss"] = prepared.issuer
    claims["sub"] = account.id
    claims["aud"] = prepared.client_id
    claims["exp"] = issued_at + prepared.lifetime
    claims["iat"] = issued_at
    claims["auth_time"] = auth_time
    claims["acr"] = prepared.acr
    claims["amr"] = prepared.amr
    claims["at_hash"] = at_hash(access_token, prepared.alg)
    if nonce is not None:
        claims["nonce"] = nonce
    if session_id is not None:
        claims["sid"] = session_id
    return claims
