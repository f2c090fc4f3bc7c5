"""The three signature algorithms: making keys, reading them, signing bytes.

Signs with ``cryptography`` directly, because a JOSE library serialises and validates the
protected header again for each token (20 µs against 36 µs per ES256 token).
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from idp.crypto import Secret, b64url_encode

SUPPORTED_ALGORITHMS = ("ES256", "RS256", "EdDSA")
"""ES256 for access tokens, RS256 for ID tokens (OIDC Core §15.1), EdDSA on request (decision D4)."""

_RSA_BITS = 2048
_RSA_EXPONENT = 65537
_P256_BYTES = 32
_R_START = 4  # in the DER: tag and length of the sequence, tag and length of r

PrivateKey = EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """A freshly made key pair, not stored yet."""

    kid: str
    """RFC 7638 thumbprint of the public key."""
    alg: str
    public_jwk: Mapping[str, str]
    """Public members only, with ``kid``, ``use`` and ``alg``."""
    private: Secret[bytes]
    """PKCS #8 in DER."""


def generate(alg: str) -> KeyMaterial:
    """Make a key pair for ``alg``. RSA takes a few tenths of a second.

    Raises:
        ValueError: an algorithm outside ``SUPPORTED_ALGORITHMS``.
    """
    while True:
        key = _generate_private(alg)
        public = _public_members(key)
        kid = thumbprint(public)
        # Operators type the kid on the command line, where a leading hyphen is an option.
        if not kid.startswith("-"):
            break
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return KeyMaterial(kid, alg, {**public, "kid": kid, "use": "sig", "alg": alg}, Secret(der))


def thumbprint(public: Mapping[str, str]) -> str:
    """SHA-256 over the required members in lexicographic order. Source: RFC 7638 §3."""
    return b64url_encode(hashlib.sha256(orjson.dumps(dict(public), option=orjson.OPT_SORT_KEYS)).digest())


def byte_signer(alg: str, der: bytes) -> Callable[[bytes], bytes]:
    """Read a private key once; the result signs bytes as RFC 7515 wants them.

    Args:
        alg: the algorithm the key was made for.
        der: PKCS #8.

    Raises:
        ValueError: damaged, or a key of another type than ``alg`` needs.

    Source: RFC 7518 §3.3 (RS256), §3.4 (ES256: r and s, 32 bytes each), RFC 8037 §3.1.
    """
    # The seal has proven that these are the bytes we made; checking the primes again would cost
    # each start 70 ms per RSA key.
    key = load_der_private_key(der, password=None, unsafe_skip_rsa_key_validation=True)
    if alg == "ES256" and isinstance(key, EllipticCurvePrivateKey):
        return _es256_signer(key)
    if alg == "RS256" and isinstance(key, RSAPrivateKey):
        return _rs256_signer(key)
    if alg == "EdDSA" and isinstance(key, Ed25519PrivateKey):
        return key.sign
    raise ValueError(f"the stored key does not fit {alg}")


def _es256_signer(key: EllipticCurvePrivateKey) -> Callable[[bytes], bytes]:
    # Hashed here: the library would ask for each signature, through two abstract classes, what SHA256 is.
    algorithm = ECDSA(Prehashed(SHA256()))

    def sign(data: bytes) -> bytes:
        return _joined(key.sign(hashlib.sha256(data).digest(), algorithm))

    return sign


def _joined(signature: bytes) -> bytes:
    """The numbers r and s of a signature we just made, 32 bytes each, out of its DER.

    Cut out by hand: reading both as numbers and writing them again costs 2 µs per token. The
    lengths of P-256 fit into one byte each, so r begins at the fourth; a sign byte in front and
    missing zeros are all that can differ.

    Source: RFC 3279 §2.2.3, RFC 7518 §3.4.
    """
    r_end = _R_START + signature[_R_START - 1]
    r, s = signature[_R_START:r_end], signature[r_end + 2 :]
    return r[-_P256_BYTES:].rjust(_P256_BYTES, b"\0") + s[-_P256_BYTES:].rjust(_P256_BYTES, b"\0")


def _rs256_signer(key: RSAPrivateKey) -> Callable[[bytes], bytes]:
    padding, algorithm = PKCS1v15(), SHA256()

    def sign(data: bytes) -> bytes:
        return key.sign(data, padding, algorithm)

    return sign


def _generate_private(alg: str) -> PrivateKey:
    if alg == "ES256":
        return generate_ec(SECP256R1())
    if alg == "RS256":
        return generate_rsa(_RSA_EXPONENT, _RSA_BITS)
    if alg == "EdDSA":
        return Ed25519PrivateKey.generate()
    raise ValueError(f"unsupported signature algorithm {alg}")


def _public_members(key: PrivateKey) -> dict[str, str]:
    """The required members of the public JWK, and nothing else (row X18)."""
    if isinstance(key, EllipticCurvePrivateKey):
        point = key.public_key().public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "x": _integer(point.x, _P256_BYTES),
            "y": _integer(point.y, _P256_BYTES),
        }
    if isinstance(key, RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        return {"kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "x": b64url_encode(raw)}


def _integer(number: int, size: int | None = None) -> str:
    """Base64urlUInt, or with a fixed size for curve points. Source: RFC 7518 §2, §6.2.1.2."""
    return b64url_encode(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))
