"""Signing keys: made, rotated, published, signed and verified with.

Owns the life of the keys that sign tokens (next → active → retired, or revoked), their
sealed storage, the published key set, and raw signatures. Knows no token's content
(tokens/, oauth/) and writes no audit event: its methods return what changed, and the flow
records it. The root key that seals private keys is crypto's.
Called by tokens, federation, oauth, admin, jobs and the container.
Reading order: algorithms, states, store, signing, verification, jwks, ring.
"""

from idp.keys.algorithms import SUPPORTED_ALGORITHMS
from idp.keys.errors import InvalidToken, SigningKeyUnreadable
from idp.keys.jwks import Jwks
from idp.keys.ring import KeyRing
from idp.keys.signing import SigningKey
from idp.keys.states import KeyChange, KeyRecord, KeyState
from idp.keys.store import KeyStore
from idp.keys.verification import MAX_TOKEN_SIZE, OneAlgorithm, VerificationKey

__all__ = [
    "MAX_TOKEN_SIZE",
    "SUPPORTED_ALGORITHMS",
    "InvalidToken",
    "Jwks",
    "KeyChange",
    "KeyRecord",
    "KeyRing",
    "KeyState",
    "KeyStore",
    "OneAlgorithm",
    "SigningKey",
    "SigningKeyUnreadable",
    "VerificationKey",
]
