"""A person's way to another provider and back: what is remembered of it, found by ``state`` alone.

Kept in the database and not in a cookie or a shared cache, so that it can be claimed once, by one
statement, and by the browser that left.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from idp.crypto import Sealer, Secret, b64url_decode, b64url_encode, token_digest
from idp.errors import Refused
from idp.federation import DepartureRecord
from idp.storage import OneTimeRow, Repositories

_KIND: Final = "federation"


class Purpose(StrEnum):
    """What somebody goes to another provider for."""

    SIGN_IN = "sign-in"
    AGAIN = "again"
    """Somebody who is signed in proves again who they are."""
    LINK = "link"
    """Somebody who is signed in links an account that they have there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What somebody goes to another provider for, and where they go on afterwards."""

    purpose: Purpose = Purpose.SIGN_IN
    place: str = ""
    """The interaction it belongs to; empty for none."""
    return_to: str | None = None
    """Where to go afterwards, outside of interactions: a path of ours."""
    park_present: bool = False
    """Whether another person's session goes on beside the new one."""
    session_id: str | None = None
    """The session of who wants to link; what comes back is of no use to another one."""

    def to_json(self) -> dict[str, Any]:
        """For what is stored."""
        return {
            "purpose": self.purpose.value,
            "place": self.place,
            "return_to": self.return_to,
            "park_present": self.park_present,
            "session_id": self.session_id,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Errand":
        """The inverse of :meth:`to_json`."""
        return cls(**{**stored, "purpose": Purpose(stored["purpose"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A way to another provider that was claimed on the way back."""

    provider_id: str
    record: DepartureRecord
    errand: Errand
    posted: Mapping[str, str] = field(default_factory=dict)
    """What came in a form and does not fit into an address (Apple's ``user``)."""


class StrayAnswer(Refused):
    """An answer that nobody in this browser is waiting for: replayed, another browser's, late, or made up."""

    def __init__(self, *, errand: Errand | None, detail: str) -> None:
        super().__init__(
            "This answer of the other provider was used already, or came too late.", detail=detail
        )
        self.errand = errand
        """What this browser had left for, if it was this browser: there is a way back."""


class Trips:
    """Keeps ways to providers; the caller holds the transaction.

    Args:
        repos: repositories on the caller's session.
        sealer: nonce and verifier would let the reader of a database finish another person's sign-in.
        lifetime: how long somebody may stay there.
    """

    def __init__(self, repos: Repositories, sealer: Sealer, *, lifetime: timedelta) -> None:
        self._rows = repos.one_time
        self._sealer = sealer
        self._lifetime = lifetime

    def keep(self, trip: Trip, state: Secret[str], *, browser: str, now: datetime) -> None:
        """Remember it until the browser comes back.

        Args:
            trip: what to remember.
            state: names it in the answer; only its digest is kept.
            browser: value of the browser cookie: nobody else can claim it.
            now: aware UTC time.
        """
        digest = _digest(state.reveal())
        plain = {
            "provider": trip.provider_id,
            "record": trip.record.payload(),
            "errand": trip.errand.to_json(),
        }
        self._rows.issue(
            OneTimeRow(
                digest=digest,
                kind=_KIND,
                binding=_binding(browser),
                payload={"sealed": self._seal(plain, digest)},
                created_at=now,
                expires_at=now + self._lifetime,
            )
        )

    def note_posted(self, state: str, fields: Mapping[str, str]) -> None:
        """Keep what a provider posted until the browser comes; nothing for an unknown ``state``."""
        digest = _digest(state)
        self._rows.set_outcome(_KIND, digest, self._seal(dict(fields), digest))

    def claim(self, state: str, *, browser: str, now: datetime) -> Trip:
        """Use it up; at most one caller ever succeeds.

        Raises:
            StrayAnswer: there is none for this browser, or not any more. Nothing has changed then.
        """
        digest = _digest(state)
        row = self._rows.claim(
            kind=_KIND, digest=digest, binding=_binding(browser), proof=None, target=None, now=now
        )
        if row is not None:
            return self._trip(row)
        row = self._rows.find(_KIND, digest)
        if row is None or row.binding != _binding(browser):
            raise StrayAnswer(errand=None, detail="state_unknown")
        reason = "state_expired" if row.consumed_at is None else "state_replayed"
        raise StrayAnswer(errand=self._trip(row).errand, detail=reason)

    def _trip(self, row: OneTimeRow) -> Trip:
        plain = self._open(row.payload["sealed"], row.digest)
        return Trip(
            provider_id=plain["provider"],
            record=DepartureRecord.from_payload(plain["record"]),
            errand=Errand.from_json(plain["errand"]),
            posted={} if row.outcome is None else self._open(row.outcome, row.digest),
        )

    def _seal(self, plain: Mapping[str, Any], digest: bytes) -> str:
        return b64url_encode(self._sealer.seal(json.dumps(plain).encode(), context=digest))

    def _open(self, sealed: str, digest: bytes) -> dict[str, Any]:
        opened: dict[str, Any] = json.loads(self._sealer.open(b64url_decode(sealed), context=digest))
        return opened


def _digest(state: str) -> bytes:
    return token_digest("federation-state", state)


def _binding(browser: str) -> str:
    return b64url_encode(token_digest("federation-browser", browser))
