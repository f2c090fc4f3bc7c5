"""What Redis does for us where it is configured: short-lived records and news of changes.

Owns the connection. Nothing here is needed to be right: every record has a second home in the
database, and changes are looked for anyway. Loaded by `idp.storage.shared` alone, and only
with an address in the settings: the library takes 6 MiB and a twentieth of the start.
Reading order: ephemeral, signals.
"""

from idp.storage.with_redis.ephemeral import RedisEphemeral, connect_redis
from idp.storage.with_redis.signals import RedisSignals

__all__ = ["RedisEphemeral", "RedisSignals", "connect_redis"]
