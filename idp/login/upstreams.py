"""What another provider said of a person: sealed until it is needed, and noted with the session it made."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from idp.crypto import Sealer, Secret, b64url_decode, b64url_encode
from idp.federation import Identities, UpstreamIdentity, UpstreamTokens

KEPT: Final = "upstream"
"""Where an attempt keeps it."""

_ATTEMPT: Final = "attempt"


class Upstreams:
    """Seals what providers said, and notes which browser sessions came of it. Callers hold the transaction.

    Args:
        identities: where sessions are noted.
        sealer: an ID token opens nothing here, but its holder can end the session there.
    """

    def __init__(self, identities: Identities, sealer: Sealer) -> None:
        self._identities = identities
        self._sealer = sealer

    def seal(self, identity: UpstreamIdentity, *, context: str) -> str:
        """As text for a JSON column; opened again with the same context only."""
        plain = json.dumps(_to_json(identity)).encode()
        return b64url_encode(self._sealer.seal(plain, context=context.encode()))

    def open(self, sealed: str, *, context: str) -> UpstreamIdentity:
        """The inverse of :meth:`seal`."""
        plain = self._sealer.open(b64url_decode(sealed), context=context.encode())
        return _from_json(json.loads(plain))

    def kept_by_attempt(self, identity: UpstreamIdentity) -> dict[str, str]:
        """What an attempt remembers of it, until its last step is taken."""
        return {KEPT: self.seal(replace(identity, tokens=None), context=_ATTEMPT)}

    def note(self, session_id: str, identity: UpstreamIdentity, now: datetime) -> None:
        """Write down where a session came from, for logout there and here."""
        self._identities.bind_session(session_id, identity, now)

    def note_kept(self, session_id: str, detail: Mapping[str, Any], now: datetime) -> None:
        """The same from what an attempt has kept; nothing for one that began without another provider."""
        sealed = detail.get(KEPT)
        if isinstance(sealed, str):
            self.note(session_id, self.open(sealed, context=_ATTEMPT), now)


def _to_json(identity: UpstreamIdentity) -> dict[str, Any]:
    tokens = identity.tokens
    return {
        "provider_id": identity.provider_id,
        "issuer": identity.issuer,
        "subject": identity.subject,
        "claims": dict(identity.claims),
        "email": identity.email,
        "email_verified": identity.email_verified,
        "groups": list(identity.groups),
        "auth_time": _moment(identity.auth_time),
        "acr": identity.acr,
        "amr": list(identity.amr),
        "upstream_sid": identity.upstream_sid,
        "id_token": None if identity.id_token is None else identity.id_token.reveal(),
        "tokens": None
        if tokens is None
        else {
            "access_token": tokens.access_token.reveal(),
            "refresh_token": None if tokens.refresh_token is None else tokens.refresh_token.reveal(),
            "expires_at": _moment(tokens.expires_at),
            "scope": tokens.scope,
        },
    }


def _from_json(stored: Mapping[str, Any]) -> UpstreamIdentity:
    tokens = stored["tokens"]
    return UpstreamIdentity(
        provider_id=stored["provider_id"],
        issuer=stored["issuer"],
        subject=stored["subject"],
        claims=stored["claims"],
        email=stored["email"],
        email_verified=stored["email_verified"] is True,
        groups=tuple(stored["groups"]),
        auth_time=_read(stored["auth_time"]),
        acr=stored["acr"],
        amr=tuple(stored["amr"]),
        upstream_sid=stored["upstream_sid"],
        id_token=_secret(stored["id_token"]),
        tokens=None
        if tokens is None
        else UpstreamTokens(
            access_token=Secret(tokens["access_token"]),
            refresh_token=_secret(tokens["refresh_token"]),
            expires_at=_read(tokens["expires_at"]),
            scope=tokens["scope"],
        ),
    )


def _secret(text: str | None) -> Secret[str] | None:
    return None if text is None else Secret(text)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
