"""What a browser sends of a WebAuthn ceremony: taken apart and bounded before any of it is believed.

Light on purpose: options are made and junk is refused without loading the library that verifies.

Source: WebAuthn Level 3 §5.1 (``toJSON``), §5.8.1 (client data).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from idp.crypto import b64url_decode
from idp.errors import Invalid

LONGEST_ANSWER: Final = 32_768
"""Characters of a whole answer. An attestation with its certificates needs 10 000 at most (row X3)."""

LONGEST_CREDENTIAL_ID: Final = 1023
"""Octets. Source: WebAuthn Level 3 §7.1 step 25."""

_LONGEST_USER_HANDLE: Final = 64
_MOST_TRANSPORTS: Final = 8
_TRANSPORTS: Final = frozenset({"ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"})

REGISTRATION_PARTS: Final = ("clientDataJSON", "attestationObject")
ASSERTION_PARTS: Final = ("clientDataJSON", "authenticatorData", "signature")


@dataclass(frozen=True, slots=True, kw_only=True)
class CeremonyAnswer:
    """What came back from ``navigator.credentials``; nothing of it is proved."""

    credential_id: bytes
    challenge: str
    """As the client data have it: base64url."""
    is_embedded: bool
    """Whether the page says that it stood in a frame of another origin."""
    user_handle: bytes | None = None
    transports: tuple[str, ...] = ()
    parts: Mapping[str, Any] = field(repr=False)
    """For the library: what it reads, and nothing else."""


def read_answer(text: str, parts: tuple[str, ...]) -> CeremonyAnswer:
    """Take an answer apart.

    Args:
        text: JSON of a ``PublicKeyCredential``, as received.
        parts: which members of ``response`` must be there.

    Raises:
        Invalid: anything that no browser sends.
    """
    if not text or len(text) > LONGEST_ANSWER:
        raise _unreadable("empty or too long")
    credential = _object(text)
    response = credential.get("response")
    if not isinstance(response, dict) or credential.get("type") != "public-key":
        raise _unreadable("no public-key credential")
    credential_id = _octets(credential.get("id"))
    if not 0 < len(credential_id) <= LONGEST_CREDENTIAL_ID or credential.get("rawId") != credential["id"]:
        raise _unreadable("credential id")
    for part in parts:
        _octets(response.get(part))
    client_data = _client_data(_octets(response["clientDataJSON"]))
    return CeremonyAnswer(
        credential_id=credential_id,
        challenge=client_data["challenge"],
        # Security: a page of ours is never framed (row S10), so any hint of a frame is a fraud (row M10).
        is_embedded=client_data.get("crossOrigin", False) is not False or "topOrigin" in client_data,
        user_handle=_user_handle(response.get("userHandle")),
        transports=_transports(response.get("transports")),
        parts={
            "id": credential["id"],
            "rawId": credential["rawId"],
            "type": "public-key",
            "response": {part: response[part] for part in parts},
        },
    )


def _client_data(octets: bytes) -> dict[str, Any]:
    # Security: by the library's own parser, so that both read the same of a name that is there twice.
    try:
        client_data = _object(octets.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _unreadable("client data are not UTF-8") from error
    if not isinstance(client_data.get("challenge"), str) or not isinstance(client_data.get("origin"), str):
        raise _unreadable("client data without challenge or origin")
    return client_data


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable("not JSON") from error
    if not isinstance(found, dict):
        raise _unreadable("not a JSON object")
    return found


def _octets(value: object) -> bytes:
    if not isinstance(value, str):
        raise _unreadable("a part is missing")
    try:
        return b64url_decode(value)
    except ValueError as error:
        raise _unreadable("a part is not base64url") from error


def _user_handle(value: object) -> bytes | None:
    """The account that the authenticator names; browsers leave it out or send null or nothing."""
    if value is None or value == "":
        return None
    handle = _octets(value)
    if len(handle) > _LONGEST_USER_HANDLE:
        raise _unreadable("user handle too long")
    return handle


def _transports(value: object) -> tuple[str, ...]:
    """The known ones; a new way to reach authenticators must not make one useless."""
    if not isinstance(value, list):
        return ()
    known = (name for name in value[:_MOST_TRANSPORTS] if isinstance(name, str) and name in _TRANSPORTS)
    return tuple(dict.fromkeys(known))


def _unreadable(detail: str) -> Invalid:
    return Invalid(
        "The answer of your device could not be read. Please try again.", field="credential", detail=detail
    )
