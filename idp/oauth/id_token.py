"""ID token content. Source: OpenID Connect Core §2, §3.1.3.6, §12.2."""

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from idp.clients import RegisteredClient
from idp.crypto import b64url_encode
from idp.keys import KeyRing
from idp.oauth.claims import id_token_claims
from idp.settings import Settings
from idp.storage.hot import AccountState
from idp.tokens import AuthorizedGrant

_HASHES = {"ES256": hashlib.sha256, "RS256": hashlib.sha256, "EdDSA": hashlib.sha512}


class IdTokenContent(NamedTuple):
    """What one ID token is about."""

    client: RegisteredClient
    account: AccountState
    grant: AuthorizedGrant
    session_id: str | None
    access_token: str
    nonce: str | None
    """``None`` on refresh (Core §12.2), and when the request had none."""
    now: datetime


def at_hash(access_token: str, alg: str) -> str:
    """The left half of the access token's digest, by the algorithm the ID token is signed with.

    EdDSA with Ed25519 hashes with SHA-512, as the signature itself does.

    Source: OpenID Connect Core §3.1.3.6.
    """
    digest = _HASHES[alg](access_token.encode("ascii")).digest()
    return b64url_encode(digest[: len(digest) // 2])


def sign_id_token(content: IdTokenContent, *, keyring: KeyRing, settings: Settings) -> str:
    """A signed ID token for the client.

    ``auth_time`` is always the moment the person proved who they are, also on refresh. There
    is no ``azp``: the audience is one client, and the token was issued to it.
    """
    alg = content.client.id_token_signed_response_alg
    grant = content.grant
    issued_at = int(content.now.timestamp())
    claims: dict[str, Any] = {
        # First, so that no claim about the person can replace one of the protocol.
        **(id_token_claims(content.account, grant.claims_request) if grant.claims_request else {}),
        "iss": settings.issuer,
        "sub": content.account.id,
        "aud": content.client.client_id,
        "exp": issued_at + int(settings.tokens.id_token_lifetime.total_seconds()),
        "iat": issued_at,
        "auth_time": int(grant.auth_time.timestamp()),
        "acr": grant.acr,
        "amr": list(grant.amr),
        "at_hash": at_hash(content.access_token, alg),
    }
    if content.nonce is not None:
        claims["nonce"] = content.nonce
    if content.session_id is not None:
        claims["sid"] = content.session_id
    return keyring.sign(claims, typ="JWT", alg=alg)
