"""A registration on its way: what was typed, kept on the server until it is finished."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from idp.crypto import Sealer, b64url_decode, b64url_encode, token_digest
from idp.delivery import Channel
from idp.onetime import Claimed, OneTimeDrafts

_KIND: Final = "signup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A registration on its way, as a browser has begun it."""

    account_id: str
    """Of the account that will be made."""
    identifier: str
    """The address or number, as it will be stored."""
    channel: Channel
    name: str
    """What the person wants to be called; may be empty."""
    wants_passkey: bool
    """Which way in they chose on the first page."""
    proved: bool = False
    """Whether the address or number was shown to be theirs."""
    sealed_invitation: str | None = None
    """The link they came by."""

    @property
    def context(self) -> tuple[str, ...]:
        """What a password must not be made of."""
        return (self.identifier, self.name)


class Registrations:
    """Keeps one registration for each browser; the caller holds the transaction.

    Found by the browser's cookie, which is not stored: drafts, codes and challenges are bound to its digest.

    Args:
        drafts: where it waits.
        sealer: for the secrets of invitations, which have to be shown again at the end.
    """

    def __init__(self, drafts: OneTimeDrafts, sealer: Sealer) -> None:
        self._drafts = drafts
        self._sealer = sealer

    @staticmethod
    def binding(browser: str) -> str:
        """What belongs to this browser's registration, and to nobody else's (row M3)."""
        return b64url_encode(token_digest("signup-browser", browser))

    def find(self, browser: str, now: datetime) -> Registration | None:
        """What this browser has begun; None if nothing, or too long ago."""
        draft = self._drafts.find(_KIND, binding=self.binding(browser), now=now)
        return None if draft is None else _read(draft)

    def keep(
        self,
        registration: Registration,
        browser: str,
        *,
        invitation: str | None = None,
        lifetime: timedelta,
        now: datetime,
    ) -> None:
        """Keep it, in the place of the one before."""
        if invitation is not None:
            sealed = self._sealer.seal(invitation.encode(), context=self.binding(browser).encode())
            registration = replace(registration, sealed_invitation=b64url_encode(sealed))
        self._drafts.keep(
            _KIND,
            binding=self.binding(browser),
            account_id=None,
            payload=_stored(registration),
            lifetime=lifetime,
            now=now,
        )

    def claim(self, browser: str, now: datetime) -> Registration | None:
        """Use it up, in the transaction that makes the account; at most one caller ever succeeds."""
        draft = self._drafts.claim(_KIND, binding=self.binding(browser), now=now)
        return None if draft is None else _read(draft)

    def invitation_of(self, registration: Registration, browser: str) -> str | None:
        """The secret of the link it began with."""
        if registration.sealed_invitation is None:
            return None
        sealed = b64url_decode(registration.sealed_invitation)
        return self._sealer.open(sealed, context=self.binding(browser).encode()).decode()


def _stored(registration: Registration) -> dict[str, Any]:
    return {
        "account": registration.account_id,
        "identifier": registration.identifier,
        "channel": registration.channel.value,
        "name": registration.name,
        "wants_passkey": registration.wants_passkey,
        "proved": registration.proved,
        "invitation": registration.sealed_invitation,
    }


def _read(draft: Claimed) -> Registration:
    stored = draft.payload
    return Registration(
        account_id=stored["account"],
        identifier=stored["identifier"],
        channel=Channel(stored["channel"]),
        name=stored["name"],
        wants_passkey=stored["wants_passkey"],
        proved=stored["proved"],
        sealed_invitation=stored["invitation"],
    )
