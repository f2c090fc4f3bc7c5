"""The part of the security page about passkeys: what ``passkey/list.html`` shows."""

from dataclasses import asdict, dataclass
from datetime import datetime

import orjson

from idp.authenticators import LONGEST_NAME, Passkey
from idp.web.context import container
from idp.web.pages.locale import gettext


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPasskey:
    """A passkey as the list shows it."""

    id: str
    name: str
    kind: str
    """Names the icon."""
    is_synced: bool
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPasskeysView:
    """What ``passkey/list.html`` shows."""

    available: bool
    passkeys: tuple[ShownPasskey, ...]
    signals: str
    """For the script: JSON of what password managers should know."""
    longest_name: int = LONGEST_NAME


def own_passkeys_view(account_id: str) -> OwnPasskeysView:
    """The part of the security page about passkeys."""
    own = container().own_passkeys
    return OwnPasskeysView(
        available=own.available,
        passkeys=tuple(_shown(passkey) for passkey in own.list_(account_id)),
        signals=orjson.dumps(asdict(own.signals(account_id))).decode() if own.available else "",
    )


def _shown(passkey: Passkey) -> ShownPasskey:
    return ShownPasskey(
        id=passkey.id,
        name=passkey.name or gettext("Passkey"),
        kind=passkey.kind.value,
        is_synced=passkey.is_synced,
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
    )
