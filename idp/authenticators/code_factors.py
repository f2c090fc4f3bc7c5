"""Addresses that one-time codes are sent to as a second step."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from idp.storage import CodeFactorRow, Repositories


class Channel(StrEnum):
    """How a code travels."""

    EMAIL = "email"
    """Proves no possession of anything (row M4): it is a second step, and never a second factor."""
    SMS = "sms"
    """Restricted: whoever takes over the number takes over the codes (NIST SP 800-63B-4 §3.1.3.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFactor:
    """An address whose owner has shown that codes arrive there."""

    channel: Channel
    address: str
    created_at: datetime
    last_used_at: datetime | None


class CodeFactors:
    """At most one address for each channel of an account; the caller holds the transaction.

    Making and checking the codes is ``OneTimeCodes``', sending them delivery's.

    Args:
        repos: repositories on the caller's session.
    """

    def __init__(self, repos: Repositories) -> None:
        self._rows = repos.code_factors

    def list_(self, account_id: str) -> list[CodeFactor]:
        """Those of an account."""
        return [
            CodeFactor(
                channel=Channel(row.channel),
                address=row.address,
                created_at=row.created_at,
                last_used_at=row.last_used_at,
            )
            for row in self._rows.list_(account_id)
        ]

    def find(self, account_id: str, channel: Channel) -> CodeFactor | None:
        """The one of a channel, or None."""
        return next((one for one in self.list_(account_id) if one.channel == channel), None)

    def enrol(self, account_id: str, channel: Channel, address: str, now: datetime) -> None:
        """Make it the account's only one of its channel. A code has come back from there."""
        self._rows.set(
            CodeFactorRow(account_id=account_id, channel=channel.value, address=address, created_at=now)
        )

    def follow(self, account_id: str, channel: Channel, *, former: str | None, address: str) -> None:
        """Send codes to the new address of a person who has given up this one, if they went there.

        The new address has been proved, as the change of it asks for: who loses a mailbox or a number
        would otherwise lose the second step with it.
        """
        if former is not None:
            self._rows.move(account_id, channel.value, former=former, address=address)

    def note_use(self, account_id: str, channel: Channel, now: datetime) -> None:
        """Note that a code sent there was right."""
        self._rows.note_use(account_id, channel.value, now)

    def remove(self, account_id: str, channel: Channel) -> bool:
        """Forget it; False if there was none."""
        return self._rows.delete(account_id, channel.value)
