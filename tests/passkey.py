"""An authenticator in software: makes passkeys and uses them, and lies in every way that a test asks for.

Source: WebAuthn Level 3 §6.1 (authenticator data), §6.5 (attestation), §5.8.1 (client data).
"""

import hashlib
import json
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from idp.crypto import b64url_decode, b64url_encode
from tests.browser import Browser, Page

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40
"""Flags of authenticator data."""

ES256, EDDSA, RS256 = -7, -8, -257

ICLOUD = "fbfc3007-154e-4ecc-8c0b-6e020557d7bd"


@dataclass
class Credential:
    """One passkey, with its private half."""

    key: Any
    algorithm: int
    user_handle: bytes
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    counter: int = 0


@dataclass
class Authenticator:
    """A device or password manager. The fields are what it says of itself, true or not."""

    origin: str
    rp_id: str
    aaguid: str = ICLOUD
    synced: bool = True
    verifies: bool = True
    counts: bool = False
    algorithm: int = ES256
    credentials: list[Credential] = field(default_factory=list)

    def create(
        self,
        options: dict[str, Any],
        *,
        credential_id: bytes | None = None,
        flags: int | None = None,
        mask: int = 0,
        statement: Callable[[bytes, bytes, Credential], tuple[str, dict[str, Any]]] | None = None,
        cose: dict[int, Any] | None = None,
        **client_data: Any,
    ) -> dict[str, Any]:
        """What ``navigator.credentials.create`` gives.

        Args:
            options: from the server.
            credential_id: instead of a fresh one.
            flags: instead of the true ones.
            mask: flags to leave out.
            statement: makes ``fmt`` and ``attStmt`` from authenticator data and client data hash.
            cose: instead of the true public key.
            client_data: fields of the client data to replace; ``None`` leaves one out.
        """
        handle = b64url_decode(options["user"]["id"])
        credential = Credential(_key(self.algorithm), self.algorithm, handle)
        if credential_id is not None:
            credential.id = credential_id
        self.credentials.append(credential)
        attested = (
            bytes.fromhex(self.aaguid.replace("-", ""))
            + struct.pack(">H", len(credential.id))
            + credential.id
            + cbor2.dumps(_cose(credential) if cose is None else cose)
        )
        data = self._data(credential, (self._flags if flags is None else flags) & ~mask | AT) + attested
        sent = self._client_data("webauthn.create", options["challenge"], client_data)
        fmt, made = ("none", {}) if statement is None else statement(data, _sha256(sent), credential)
        return _credential(
            credential,
            {
                "clientDataJSON": b64url_encode(sent),
                "attestationObject": b64url_encode(
                    cbor2.dumps({"fmt": fmt, "attStmt": made, "authData": data})
                ),
                "transports": ["internal", "hybrid"],
            },
        )

    def get(
        self,
        options: dict[str, Any],
        *,
        credential: Credential | None = None,
        flags: int | None = None,
        mask: int = 0,
        counter: int | None = None,
        user_handle: bytes | None = b"",
        signature: bytes | None = None,
        **client_data: Any,
    ) -> dict[str, Any]:
        """What ``navigator.credentials.get`` gives; an empty ``user_handle`` stands for the true one."""
        used = credential or self.credentials[-1]
        used.counter = used.counter + self.counts if counter is None else counter
        data = self._data(used, (self._flags if flags is None else flags) & ~mask)
        sent = self._client_data("webauthn.get", options["challenge"], client_data)
        handle = used.user_handle if user_handle == b"" else user_handle
        return _credential(
            used,
            {
                "clientDataJSON": b64url_encode(sent),
                "authenticatorData": b64url_encode(data),
                "signature": b64url_encode(signature or sign(used, data + _sha256(sent))),
                "userHandle": None if handle is None else b64url_encode(handle),
            },
        )

    @property
    def _flags(self) -> int:
        return UP | (UV if self.verifies else 0) | (BE | BS if self.synced else 0)

    def _data(self, credential: Credential, flags: int) -> bytes:
        return _sha256(self.rp_id.encode()) + bytes([flags]) + struct.pack(">I", credential.counter)

    def _client_data(self, kind: str, challenge: str, changed: dict[str, Any]) -> bytes:
        told = {
            "type": kind,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": False,
            **changed,
        }
        return json.dumps({name: value for name, value in told.items() if value is not None}).encode()


@dataclass
class PasskeyDoor:
    """What ``passkey.js`` does with the addresses of passkeys, from one browser."""

    browser: Browser

    def ask(self, path: str, page: Page, **fields: str) -> Page:
        """Post what the script would; the token is the page's."""
        tokens = [form.fields["csrf_token"] for form in page.forms if "csrf_token" in form.fields]
        form = list({"csrf_token": tokens[0], **fields}.items())
        return self.browser.open("POST", path, form=form, headers=[("Accept", "application/json")])

    def options(self, page: Page, **fields: str) -> dict[str, Any]:
        answer = self.ask("/passkey/options", page, **fields)
        assert answer.status == 200, answer.answer.text
        options: dict[str, Any] = answer.answer.json()
        return options

    def sign_in(self, page: Page, credential: object, **fields: str) -> Page:
        return self.ask("/passkey/sign-in", page, credential=as_text(credential), **fields)

    def creation_options(self, page: Page, **fields: str) -> dict[str, Any]:
        answer = self.ask("/passkey/registration-options", page, **fields)
        assert answer.status == 200, answer.answer.text
        options: dict[str, Any] = answer.answer.json()
        return options

    def register(self, page: Page, credential: object) -> Page:
        return self.ask("/passkey/register", page, credential=as_text(credential))


def as_text(credential: object) -> str:
    return credential if isinstance(credential, str) else json.dumps(credential)


def sign(credential: Credential, message: bytes) -> bytes:
    """The signature that the credential's algorithm makes."""
    if credential.algorithm == EDDSA:
        signed = credential.key.sign(message)
    elif credential.algorithm == RS256:
        signed = credential.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    else:
        signed = credential.key.sign(message, ec.ECDSA(hashes.SHA256()))
    return bytes(signed)


def self_attestation(
    data: bytes, client_data_hash: bytes, credential: Credential
) -> tuple[str, dict[str, Any]]:
    """A "packed" statement signed with the new key itself: proves no make (WebAuthn Level 3 §8.2)."""
    return "packed", {"alg": credential.algorithm, "sig": sign(credential, data + client_data_hash)}


def _credential(credential: Credential, response: dict[str, Any]) -> dict[str, Any]:
    name = b64url_encode(credential.id)
    return {"id": name, "rawId": name, "type": "public-key", "response": response}


def _key(algorithm: int) -> Any:
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == RS256:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _cose(credential: Credential) -> dict[int, Any]:
    """Source: RFC 9053 §7."""
    public = credential.key.public_key()
    if credential.algorithm == EDDSA:
        return {1: 1, 3: EDDSA, -1: 6, -2: public.public_bytes_raw()}
    numbers = public.public_numbers()
    if credential.algorithm == RS256:
        return {1: 3, 3: RS256, -1: _octets(numbers.n), -2: _octets(numbers.e)}
    return {1: 2, 3: ES256, -1: 1, -2: _octets(numbers.x, 32), -3: _octets(numbers.y, 32)}


def _octets(number: int, size: int | None = None) -> bytes:
    return number.to_bytes(size or (number.bit_length() + 7) // 8, "big")


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
