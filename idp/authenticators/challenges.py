"""Challenges of WebAuthn ceremonies: random, held here, used once (row M9)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from idp.crypto import random_token, token_digest
from idp.errors import Refused
from idp.storage import OneTimeRow, Repositories


class Ceremony(StrEnum):
    """What a challenge was made for; one of a kind is none of the other (row M9)."""

    REGISTRATION = "passkey-registration"
    SIGN_IN = "passkey-sign-in"


class Challenges:
    """Issues and claims challenges; the caller holds the transaction.

    Each is 256 random bits, of which the digest is kept, and bound to the ceremony and to who asked.

    Args:
        repos: repositories on the caller's session.
        lifetime: how long a challenge can be answered.
    """

    def __init__(self, repos: Repositories, *, lifetime: timedelta) -> None:
        self._rows = repos.one_time
        self._lifetime = lifetime

    def issue(
        self,
        ceremony: Ceremony,
        *,
        binding: str,
        account_id: str | None,
        payload: Mapping[str, Any] | None = None,
        now: datetime,
    ) -> str:
        """A new challenge; base64url.

        Args:
            ceremony: what it is for.
            binding: who alone may answer.
            account_id: whose answer is meant, if that is known.
            payload: JSON to be given back at the claim.
            now: aware UTC time.
        """
        challenge = random_token()
        self._rows.issue(
            OneTimeRow(
                digest=token_digest(ceremony.value, challenge),
                kind=ceremony.value,
                binding=binding,
                account_id=account_id,
                payload=dict(payload or {}),
                created_at=now,
                expires_at=now + self._lifetime,
            )
        )
        return challenge

    def claim(
        self, ceremony: Ceremony, challenge: str, *, binding: str, account_id: str | None, now: datetime
    ) -> Mapping[str, Any]:
        """Use a challenge up; what was kept with it. At most one caller ever succeeds.

        Args:
            ceremony: as it was issued.
            challenge: as the answer has it.
            binding: as it was issued.
            account_id: as it was issued.
            now: aware UTC time.

        Raises:
            Refused: unknown, used, expired, or another's.
        """
        claimed = self._rows.claim(
            kind=ceremony.value,
            digest=token_digest(ceremony.value, challenge),
            binding=binding,
            proof=None,
            target=None,
            now=now,
        )
        if claimed is None or claimed.account_id != account_id:
            raise Refused(
                "This took too long, or was used before. Please try again.",
                detail="challenge unknown, used, expired or another's",
            )
        return dict(claimed.payload)
