"""The one place where answers of WebAuthn ceremonies are verified.

py_webauthn checks type, challenge, origin, RP ID hash, flags, algorithm, attestation statement and
signature. What it leaves to its caller is set or checked here, for every ceremony (row M10):

=========================  ==========================================================================
frames                     ``crossOrigin`` and ``topOrigin`` are refused; the library reads one of them
user verification          asked for by name; the library's default is not to look
key                        its kind fits its algorithm; RSA from 2048 to 4096 bits
attestation, if required   a certificate that leads to the operator's roots, and names the same make;
                           without roots the library accepts any chain
sign counter               judged by ``Passkeys``, which knows whether the key may be in two places
exceptions                 whatever junk makes the library raise becomes a refusal
=========================  ==========================================================================

Loaded by name when it is first needed (``Passkeys``), or by ``idp serve`` before its workers are forked,
who share it then: with the library it takes 6 MB.

Source: WebAuthn Level 3 §7.1 and §7.2.
"""

from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_attestation_object,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import InvalidAuthenticationResponse, InvalidRegistrationResponse
from webauthn.helpers.structs import AttestationFormat
from webauthn.registration.verify_registration_response import VerifiedRegistration

from idp.authenticators.aaguids import UNKNOWN_AAGUID
from idp.authenticators.webauthn_json import CeremonyAnswer
from idp.authenticators.webauthn_values import Asserted, Attested, RelyingParty
from idp.crypto import b64url_decode
from idp.errors import Invalid, Refused

_ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
_RSA_BITS: Final = range(2048, 4097)

_CERTIFIED: Final = (
    AttestationFormat.PACKED,
    AttestationFormat.TPM,
    AttestationFormat.APPLE,
    AttestationFormat.ANDROID_KEY,
)
"""Attestation formats that prove the make of an authenticator with a certificate."""

_KNOWN: Final = (AttestationFormat.NONE, AttestationFormat.FIDO_U2F, *_CERTIFIED)

_MAKE_EXTENSION: Final = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
"""``id-fido-gen-ce-aaguid``: the make that a certificate speaks of."""

_OCTET_STRING_HEADER: Final = b"\x04\x10"


def verify_registration(
    answer: CeremonyAnswer, party: RelyingParty, *, challenge: str, automatic: bool
) -> Attested:
    """What an authenticator has proved of a new credential.

    Args:
        answer: as read.
        party: who we are to authenticators, and what we accept.
        challenge: the one that was issued, base64url.
        automatic: the browser made it by itself after a sign-in with a password; then it may not have asked
            the person (WebAuthn Level 3 §7.1 step 15).

    Raises:
        Refused: it does not prove what it has to, or policy says no.
        Invalid: malformed.
    """
    _assert_own_page(answer)
    try:
        verified = verify_registration_response(
            credential=dict(answer.parts),
            expected_challenge=b64url_decode(challenge),
            expected_rp_id=party.rp_id,
            expected_origin=list(party.origins),
            require_user_presence=not automatic,
            require_user_verification=not automatic,
            supported_pub_key_algs=_ALGORITHMS,
            pem_root_certs_bytes_by_fmt={name: list(party.attestation_roots) for name in _CERTIFIED},
        )
        _assert_sound_key(verified.credential_public_key)
        _assert_attested(verified, party)
    except (Refused, Invalid):
        raise
    except InvalidRegistrationResponse as error:
        raise _refused(_reason(error)) from error
    # Security: the library lets what its parsers meet in junk pass through: KeyError, struct.error, …
    except Exception as error:
        raise _malformed(error) from error
    if verified.credential_id != answer.credential_id:
        raise _refused("credential id of the attested data differs")
    return Attested(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        aaguid=verified.aaguid,
        attestation=str(verified.fmt),
        backup_eligible=verified.credential_device_type.value == "multi_device",
        backed_up=verified.credential_backed_up,
        user_verified=verified.user_verified,
    )


def verify_assertion(
    answer: CeremonyAnswer, party: RelyingParty, *, challenge: str, public_key: bytes, require_uv: bool
) -> Asserted:
    """What an authenticator has proved with a credential.

    Args:
        answer: as read.
        party: who we are to authenticators.
        challenge: the one that was issued, base64url.
        public_key: COSE key of the credential, as stored.
        require_uv: whether the person, not their presence alone, must have been verified.

    Raises:
        Refused: it does not prove what it has to.
        Invalid: malformed.
    """
    _assert_own_page(answer)
    try:
        verified = verify_authentication_response(
            credential=dict(answer.parts),
            expected_challenge=b64url_decode(challenge),
            expected_rp_id=party.rp_id,
            expected_origin=list(party.origins),
            credential_public_key=public_key,
            credential_current_sign_count=0,  # the library would lock out; Passkeys judges it
            require_user_verification=require_uv,
        )
    except InvalidAuthenticationResponse as error:
        raise _refused(_reason(error)) from error
    except Exception as error:
        raise _malformed(error) from error
    return Asserted(
        sign_count=verified.new_sign_count,
        backup_eligible=verified.credential_device_type.value == "multi_device",
        backed_up=verified.credential_backed_up,
        user_verified=verified.user_verified,
    )


def _assert_own_page(answer: CeremonyAnswer) -> None:
    if answer.is_embedded:
        raise _refused("made in a frame of another origin")


def _assert_sound_key(public_key: bytes) -> None:
    """The kind of key fits its algorithm. Source: WebAuthn Level 3 §5.8.5."""
    decoded = decode_credential_public_key(public_key)
    key: Any = decoded_public_key_to_cryptography(decoded)
    fits = {
        COSEAlgorithmIdentifier.EDDSA: isinstance(key, ed25519.Ed25519PublicKey),
        COSEAlgorithmIdentifier.ECDSA_SHA_256: isinstance(key, ec.EllipticCurvePublicKey)
        and isinstance(key.curve, ec.SECP256R1),
        COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256: isinstance(key, rsa.RSAPublicKey)
        and key.key_size in _RSA_BITS,
    }
    if not fits.get(decoded.alg, False):
        raise _refused("key does not fit its algorithm")


def _assert_attested(verified: VerifiedRegistration, party: RelyingParty) -> None:
    if verified.fmt not in _KNOWN:
        raise _refused("attestation format")
    if party.attestation_required:
        _assert_certified(verified)
    if party.allowed_aaguids and verified.aaguid not in party.allowed_aaguids:
        raise Refused(
            "This kind of passkey is not allowed here. Please use one that your organisation has given you.",
            detail=f"AAGUID {verified.aaguid} is not allowed",
        )


def _assert_certified(verified: VerifiedRegistration) -> None:
    """A certificate stands for the make.

    The library has verified its chain and signature; an authenticator that signs its attestation with the
    new key itself ("self attestation") has shown none.
    """
    statement = parse_attestation_object(verified.attestation_object).att_stmt
    if verified.fmt not in _CERTIFIED or not statement.x5c or verified.aaguid == UNKNOWN_AAGUID:
        raise Refused(
            "This passkey does not prove what kind it is, which is required here. "
            "Please use a security key of your organisation.",
            detail=f"attestation {verified.fmt} proves no make",
        )
    try:
        named = x509.load_der_x509_certificate(statement.x5c[0]).extensions.get_extension_for_oid(
            _MAKE_EXTENSION
        )
    except x509.ExtensionNotFound:
        return
    raw = getattr(named.value, "value", b"")
    if raw != _OCTET_STRING_HEADER + bytes.fromhex(verified.aaguid.replace("-", "")):
        raise _refused("the certificate speaks of another make")


_REASONS: Final = (  # part of the library's message, ours
    ("client data type", "type"),
    ("challenge", "challenge"),
    ("client data origin", "origin"),
    ("RP ID", "rp id"),
    ("User verification", "user verification"),
    ("User presence", "user presence"),
    ("User was not present", "user presence"),
    ("authentication signature", "signature"),
    ("public key alg", "algorithm"),
    ("ttestation", "attestation"),
)


def _reason(error: Exception) -> str:
    """Why the library refuses, in our words.

    Security: its messages repeat what was sent, and that belongs into no log and no audit event (row X11).
    """
    said = str(error)
    return next((ours for part, ours in _REASONS if part in said), "malformed")


def _refused(detail: str) -> Refused:
    return Refused("Your passkey was not accepted. Please try again, or use another way.", detail=detail)


def _malformed(error: Exception) -> Invalid:
    return Invalid(
        "The answer of your device could not be read. Please try again.",
        field="credential",
        detail=type(error).__name__,
    )
