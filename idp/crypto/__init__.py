"""Random values, digests, key derivation, sealing and password hashing.

Owns every cryptographic primitive except token signatures (keys/). Keeps no state beyond
the root key and touches no storage. Called by every floor above.
Reading order: values, digests, root_key, sealing, passwords.
"""

from idp.crypto.digests import constant_time_equal, hmac_sha256, keyed_digest, token_digest
from idp.crypto.passwords import Argon2Parameters, PasswordHasher
from idp.crypto.root_key import RootKey, RootKeyError, load_root_key
from idp.crypto.sealing import Sealer, Unsealable
from idp.crypto.values import Secret, b64url_bytes, b64url_decode, b64url_encode, random_token

__all__ = [
    "Argon2Parameters",
    "PasswordHasher",
    "RootKey",
    "RootKeyError",
    "Sealer",
    "Secret",
    "Unsealable",
    "b64url_bytes",
    "b64url_decode",
    "b64url_encode",
    "constant_time_equal",
    "hmac_sha256",
    "keyed_digest",
    "load_root_key",
    "random_token",
    "token_digest",
]
