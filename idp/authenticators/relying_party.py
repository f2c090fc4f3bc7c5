"""Who we are to authenticators, from the settings."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from idp.authenticators.webauthn_values import RelyingParty
from idp.settings import PasskeySettings, SettingsError

_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----", re.ASCII
)


def relying_party(settings: PasskeySettings, *, issuer: str, name: str) -> RelyingParty:
    """The relying party of this installation.

    Args:
        settings: of passkeys, already checked against the issuer.
        issuer: our address; its origin is where ceremonies take place.
        name: what authenticators show.

    Raises:
        SettingsError: the roots of attestation cannot be read.
    """
    parts = urlsplit(issuer)
    return RelyingParty(
        rp_id=settings.rp_id or parts.hostname or "",
        name=name,
        origins=(f"{parts.scheme}://{parts.netloc}", *settings.related_origins),
        attestation_required=settings.attestation == "required",
        attestation_roots=() if settings.attestation_roots is None else _roots(settings.attestation_roots),
        allowed_aaguids=frozenset(settings.allowed_aaguids),
    )


def can_have_passkeys(party: RelyingParty) -> bool:
    """Whether browsers do WebAuthn at this address at all: an IP address is no domain.

    Source: WebAuthn Level 3 §5.1.3 step 8 (the effective domain).
    """
    try:
        ip_address(party.rp_id.strip("[]"))
    except ValueError:
        return bool(party.rp_id)
    return False


def _roots(path: Path) -> tuple[bytes, ...]:
    try:
        found = tuple(_CERTIFICATE.findall(path.read_bytes()))
    except OSError as error:
        raise SettingsError(
            [f"passkeys.attestation_roots: {path} cannot be read: {error.strerror}"]
        ) from error
    if not found:
        raise SettingsError([f"passkeys.attestation_roots: {path} holds no certificate in PEM"])
    return found
