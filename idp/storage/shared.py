"""What all nodes share beside the database, if anything is configured."""

from dataclasses import dataclass
from importlib import import_module

from idp.settings import RedisSettings
from idp.storage.changes import ChangeSignals
from idp.storage.ephemeral import EphemeralStore

_WITH_REDIS = "idp.storage.with_redis"
"""By name, because a deployment without Redis needs nothing of it in its memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Fast, and gone at any moment."""

    ephemeral: EphemeralStore
    signals: ChangeSignals


def connect_shared(settings: RedisSettings) -> Shared | None:
    """What Redis does for us; None if none is configured. Connects when first used."""
    if settings.url is None:
        return None
    library = import_module(_WITH_REDIS)
    redis = library.connect_redis(settings)
    return Shared(ephemeral=library.RedisEphemeral(redis), signals=library.RedisSignals(redis))
