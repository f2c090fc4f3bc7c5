"""A passkey as others see it, and what came of its use."""

from dataclasses import dataclass
from datetime import datetime

from idp.authenticators.aaguids import Kind
from idp.errors import Refused
from idp.languages import marked


class UnknownPasskey(Refused):
    """Nobody here has this credential; its holder's password manager may forget it.

    ``credential_id`` is base64url, as the Signal API takes it.
    """

    def __init__(self, credential_id: str) -> None:
        super().__init__(
            marked("This passkey does not work here any more. Please use another way to sign in."),
            detail="unknown credential",
        )
        self.credential_id = credential_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey as its owner sees it."""

    id: str
    account_id: str
    credential_id: str
    """Base64url; no secret."""
    name: str
    """What the person calls it; at first its make, empty if that is unknown."""
    kind: Kind
    """What keeps it, as far as its make is known; for the icon."""
    aaguid: str
    is_synced: bool
    """Whether its key can leave the device (backup eligible)."""
    is_backed_up: bool
    """Whether it has."""
    is_verifying: bool
    """Whether it is known to verify the person."""
    transports: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyUse:
    """A passkey that was just used."""

    passkey: Passkey
    user_verified: bool
    """Whether the authenticator verified the person."""
    is_first_verification: bool
    """Whether it does so for the first time: its registration noticed nobody. Whoever holds the device may
    have set up what it verifies them with, so this counts only beside another proof, or where none is asked
    for; then :meth:`Passkeys.trust_verification`. Source: WebAuthn Level 3 §7.2 step 25."""
    counter_behind: bool
    """Whether a synced key's counter did not grow: its copies count for themselves."""
