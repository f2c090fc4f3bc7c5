"""Tokens: their text form, their content, and whether they still count.

Owns access tokens (JWT or opaque), refresh tokens, authorization codes, the grant they all
stand for, and the one comparison that says a token is dead. Decides nothing about who gets
what (oauth/), stores nothing (storage/), keeps no key (keys/, crypto/).
Called by oauth.
Reading order: grant, codes, families, refresh, access, authentic, revocation.
"""

from idp.keys import InvalidToken
from idp.tokens.access import (
    ACCESS_TOKEN_KEY_BYTES,
    AccessTokenClaims,
    AccessTokens,
    PreparedPersonToken,
    PreparedToken,
    TokenFormat,
    TokenSpec,
)
from idp.tokens.codes import AUTHORIZATION_CODE_KIND, AuthorizationCodes
from idp.tokens.families import new_family_id
from idp.tokens.grant import AuthorizedGrant
from idp.tokens.refresh import RefreshTokenParts, RefreshTokens
from idp.tokens.revocation import is_dead

__all__ = [
    "ACCESS_TOKEN_KEY_BYTES",
    "AUTHORIZATION_CODE_KIND",
    "AccessTokenClaims",
    "AccessTokens",
    "AuthorizationCodes",
    "AuthorizedGrant",
    "InvalidToken",
    "PreparedPersonToken",
    "PreparedToken",
    "RefreshTokenParts",
    "RefreshTokens",
    "TokenFormat",
    "TokenSpec",
    "is_dead",
    "new_family_id",
]
