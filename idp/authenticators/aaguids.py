"""Makes of authenticators by AAGUID: what a new passkey is called, and the icon of its kind.

Only names that their makers have published. Their logos belong to them, so the icons are ours, one for each
kind. An AAGUID that is not here costs nothing but a nicer name. Without attestation it is the authenticator's
own claim.

Source: WebAuthn Level 3 §6.5.1 (attested credential data).
"""

from enum import StrEnum
from typing import Final, NamedTuple

UNKNOWN_AAGUID: Final = "00000000-0000-0000-0000-000000000000"
"""What authenticators send that do not say what they are."""


class Kind(StrEnum):
    """What sort of thing keeps a passkey. The value names its icon in ``passkey/parts.html``."""

    MANAGER = "manager"
    """A password manager, on all devices of its owner."""
    DEVICE = "device"
    """A computer or telephone."""
    KEY = "key"
    """A security key to plug in or hold near."""
    UNKNOWN = "unknown"


class Make(NamedTuple):
    """A make of authenticator."""

    name: str
    kind: Kind


_NAMED: Final[dict[Kind, dict[str, tuple[str, ...]]]] = {
    Kind.MANAGER: {
        "iCloud Keychain": (
            "fbfc3007-154e-4ecc-8c0b-6e020557d7bd",
            "dd4ec289-e01d-41c9-bb89-70fa845d4bf2",
        ),
        "Google Password Manager": ("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4",),
        "Microsoft Password Manager": ("d3452668-01fd-4c12-926c-83a4204853aa",),
        "1Password": ("bada5566-a7aa-401f-bd96-45619a55120d",),
        "Bitwarden": ("d548826e-79b4-db40-a3d8-11116f7e8349",),
        "Dashlane": ("531126d6-e717-415c-9320-3d9aa6981239",),
        "Enpass": ("f3809540-7f14-49c1-a8b3-8f813b225541",),
        "KeePassXC": ("fdb141b2-5d84-443e-8a35-4698c205a502",),
        "Keeper": ("0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6",),
        "NordPass": ("b84e4048-15dc-4dd0-8640-f4f60813c8af",),
        "Proton Pass": ("50726f74-6f6e-5061-7373-50726f746f6e",),
        "Samsung Pass": ("53414d53-554e-4700-0000-000000000000",),
    },
    Kind.DEVICE: {
        "Chrome on Mac": ("adce0002-35bc-c60a-648b-0b25f1f05503",),
        "Edge on Mac": ("771b48fd-d3d4-4f74-9232-fc157ab0507a",),
        "Chromium": ("b5397666-4885-aa6b-cebf-e52262a439a2",),
        "Windows Hello": (
            "08987058-cadc-4b81-b6e1-30de50dcbe96",
            "9ddd1817-af5a-4672-a2b9-3e3dd95000a9",
            "6028b017-b1d4-4c02-b4b3-afcdafc96bb2",
        ),
    },
    Kind.KEY: {
        "YubiKey 5": (
            "cb69481e-8ff7-4039-93ec-0a2729a154a8",
            "ee882879-721c-4913-9775-3dfcce97072a",
        ),
        "YubiKey 5 NFC": (
            "fa2b99dc-9e39-4257-8f92-4a30d23c4118",
            "2fc0579f-8113-47ea-b116-bb5a8db9202a",
            "a25342c0-3cdc-4414-8e46-f4807fca511c",
        ),
        "YubiKey 5Ci": ("c5ef55ff-ad9a-4b9f-b580-adebafe026d0",),
        "YubiKey Bio": ("d8522d9f-575b-4866-88a9-ba99fa02f35b",),
    },
}

_MAKES: Final = {
    aaguid: Make(name, kind)
    for kind, makes in _NAMED.items()
    for name, aaguids in makes.items()
    for aaguid in aaguids
}


def make_of(aaguid: str) -> Make | None:
    """The make with this AAGUID, if it is one of those we know."""
    return _MAKES.get(aaguid)
