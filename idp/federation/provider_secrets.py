"""What we prove ourselves to a provider with: checked when it is entered, sealed while it is kept."""

from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from idp.crypto import Sealer, Secret
from idp.errors import Invalid
from idp.federation.configuration import KEY_METHODS

_LONGEST_SECRET: Final = 4096
_LONGEST_KEY: Final = 16384
_SMALLEST_RSA: Final = 2048
"""Bits; RFC 7518 §3.3."""


def accept_secret(secret: str | None, configuration: Mapping[str, Any]) -> Secret[str] | None:
    """The secret that goes with a configuration; ``None`` where none is needed.

    Args:
        secret: the client secret, or the private key as PEM.
        configuration: a result of ``validate_configuration``.

    Raises:
        Invalid: missing, not needed, or not what the way of authentication takes; ``field`` is ``secret`` or
            ``private_key``.
    """
    method = configuration["auth_method"]
    if method == "none":
        if secret is not None:
            raise Invalid("With auth_method none there is no secret.", field="secret")
        return None
    if method in KEY_METHODS:
        return _accept_key(secret, method)
    if secret is None:
        raise Invalid(f"A client secret is missing: auth_method is {method}.", field="secret")
    if not 1 <= len(secret) <= _LONGEST_SECRET or not secret.isascii() or not secret.isprintable():
        raise Invalid("The client secret must be 1 to 4096 printable ASCII characters.", field="secret")
    return Secret(secret)


def _accept_key(pem: str | None, method: str) -> Secret[str]:
    field = "private_key"
    if pem is None:
        raise Invalid(f"A private key is missing: auth_method is {method}.", field=field)
    if len(pem) > _LONGEST_KEY:
        raise Invalid("The private key is too long.", field=field)
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Security: without the cause, because what a parser says may quote the key (row X10).
        raise Invalid("The private key must be PEM, without a passphrase.", field=field) from None
    is_p256 = isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1)
    if method == "apple" and not is_p256:
        raise Invalid("Apple's private key is one on the curve P-256 (a file .p8).", field=field)
    is_rsa = isinstance(key, RSAPrivateKey) and key.key_size >= _SMALLEST_RSA
    if not (is_rsa or isinstance(key, EllipticCurvePrivateKey | Ed25519PrivateKey)):
        raise Invalid(
            "The private key must be RSA of at least 2048 bits, on an elliptic curve, or Ed25519.",
            field=field,
        )
    return Secret(pem)


class ProviderSecrets:
    """Seals secrets of providers, the provider's id authenticated with them.

    Args:
        sealer: under a key of its own.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def seal(self, provider_id: str, secret: Secret[str] | None) -> bytes | None:
        """What is stored."""
        if secret is None:
            return None
        return self._sealer.seal(secret.reveal().encode(), context=_context(provider_id))

    def open(self, provider_id: str, sealed: bytes | None) -> Secret[str] | None:
        """The secret again.

        Raises:
            Unsealable: of another provider, under another root key, or changed.
        """
        if sealed is None:
            return None
        return Secret(self._sealer.open(sealed, context=_context(provider_id)).decode())


def _context(provider_id: str) -> bytes:
    return b"provider:" + provider_id.encode()
