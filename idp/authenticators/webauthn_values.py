"""What goes into the verification of a WebAuthn ceremony, and what comes out of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """Who we are to authenticators, and which of them we accept."""

    rp_id: str
    """Domain that the passkeys belong to."""
    name: str
    origins: tuple[str, ...]
    """Where a ceremony may have taken place; the issuer's own first."""
    attestation_required: bool = False
    attestation_roots: tuple[bytes, ...] = ()
    """Certificates as PEM."""
    allowed_aaguids: frozenset[str] = frozenset()
    """Empty allows all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """A new credential, verified."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    attestation: str
    backup_eligible: bool
    backed_up: bool
    user_verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asserted:
    """A use of a credential, verified."""

    sign_count: int
    backup_eligible: bool
    backed_up: bool
    user_verified: bool
