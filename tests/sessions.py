"""Browser sessions without a sign-in: as the store would write them."""

from datetime import datetime
from typing import Any

from idp.crypto import Secret
from idp.sessions import ACR_SINGLE_FACTOR, BrowserSession, Sessions
from idp.storage import BrowserSessionRow, Repositories

PROOF: dict[str, Any] = {
    "acr": ACR_SINGLE_FACTOR,
    "amr": ("pwd",),
    "user_agent": "Browser/1",
    "address": "192.0.2.1",
}

_COLUMNS = (
    "id", "account_id", "logins", "auth_time", "acr", "amr", "created_at", "last_seen_at", "expires_at",
    "idle_expires_at", "user_agent", "address",
)  # fmt: skip


def begin_session(
    sessions: Sessions, repos: Repositories, account_id: str, now: datetime, **proof: Any
) -> tuple[BrowserSession, Secret[str]]:
    """A session that begins now. The caller holds the transaction."""
    draft, cookie = sessions.draft(**{**PROOF, **proof}, now=now)
    session = sessions.begun(draft, account_id, now)
    repos.sessions.add(
        BrowserSessionRow(
            token_digest=draft.token_digest, **{name: _value(session, name) for name in _COLUMNS}
        )
    )
    return session, cookie


def renew_session(
    sessions: Sessions, repos: Repositories, session: BrowserSession, now: datetime, **proof: Any
) -> tuple[BrowserSession, Secret[str]]:
    """The same person proves again who they are. The caller holds the transaction."""
    draft, cookie = sessions.draft(**{**PROOF, **proof}, now=now)
    renewed = sessions.renewed(draft, session, now)
    row = repos.sessions.get(session.id)
    assert row is not None
    row.token_digest = draft.token_digest
    for name in _COLUMNS:
        setattr(row, name, _value(renewed, name))
    return renewed, cookie


def _value(session: BrowserSession, name: str) -> Any:
    return list(session.amr) if name == "amr" else getattr(session, name)
