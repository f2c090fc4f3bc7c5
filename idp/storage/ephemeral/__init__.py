"""Short-lived records with an expiry: counters of limits, marks, little caches.

Owns one interface and three back-ends: SQL (durable), Redis (shared, fast, may be emptied at
any moment) and the fallback from Redis to SQL. Nothing whose loss would let a secret be used
twice belongs here; that is what the one-time table is for. Called by floor 2 and above.
Redis' lies in `idp.storage.with_redis`. Reading order: interface, sql, fallback.
"""

from idp.storage.ephemeral.fallback import FallbackEphemeral
from idp.storage.ephemeral.interface import EphemeralStore
from idp.storage.ephemeral.sql import SqlEphemeral

__all__ = ["EphemeralStore", "FallbackEphemeral", "SqlEphemeral"]
