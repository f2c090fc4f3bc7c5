"""A provider as it is stored, and as it is used."""

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, Final

from idp.crypto import Unsealable
from idp.federation.configuration import FIELDS
from idp.federation.provider import Provider, ProviderKind
from idp.federation.provider_secrets import ProviderSecrets
from idp.observability import get_logger
from idp.storage import IdentityProviderRow

_log = get_logger(__name__)

_KNOWN: Final = frozenset(field.name for field in fields(Provider))


def stored_provider(row: IdentityProviderRow, secrets: ProviderSecrets) -> Provider:
    """The frozen provider of a row.

    A provider whose secret does not open (the root key is another one) counts as disabled: it could not be
    spoken to, and the others must go on.
    """
    try:
        secret, opens = secrets.open(row.id, row.sealed_secret), True
    except Unsealable:
        _log.error("federation.secret_unsealable", extra={"fields": {"provider": row.id}})
        secret, opens = None, False
    return Provider(
        id=row.id,
        enabled=opens and row.disabled_at is None,
        secret=secret,
        created_at=row.created_at,
        updated_at=row.updated_at,
        **_members(row.config),
    )


def _members(config: Mapping[str, Any]) -> dict[str, Any]:
    """The members in their frozen form; those that an older release did not know take their defaults."""
    members = {name: config.get(name, default) for name, (_, default) in FIELDS.items() if name in _KNOWN}
    frozen = {name: _frozen(value) for name, value in members.items()}
    return {**frozen, "kind": ProviderKind(members["kind"])}


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return MappingProxyType(value.copy()) if isinstance(value, dict) else value
