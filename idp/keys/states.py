"""The life of a signing key, decided by the clock alone.

``next`` is published but does not sign; ``active`` signs; ``retired`` is still published,
because tokens it signed are alive; ``revoked`` is gone at once. A rotation that waits for
relying parties' caches is written once, as ``activates_at``: from that moment every worker
derives the same states from the same rows, without a further write (decision D14).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class KeyState(StrEnum):
    """Where in its life a signing key is."""

    NEXT = "next"
    """Published, does not sign yet."""
    ACTIVE = "active"
    """Signs; one per algorithm."""
    RETIRED = "retired"
    """Signs no more; published until ``unpublish_at``."""
    REVOKED = "revoked"
    """Neither published nor accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """One stored signing key without its private part."""

    kid: str
    alg: str
    state: KeyState
    public_jwk: Mapping[str, str]
    created_at: datetime
    published_at: datetime
    """Since when the key set that relying parties fetch contains the key."""
    activates_at: datetime | None = None
    """When a scheduled rotation takes effect; ``None`` when none is planned."""
    activated_at: datetime | None = None
    retired_at: datetime | None = None
    unpublish_at: datetime | None = None
    """When nothing signed by the retired key can be alive any more."""
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """One step in a key's life, as the caller reports and audits it."""

    kid: str
    alg: str
    kind: str
    """``created``, ``scheduled``, ``activated``, ``retired`` or ``revoked``."""
    at: datetime
    """When the step takes effect; in the future for ``scheduled``."""


def settled(records: Iterable[KeyRecord], now: datetime, retention: timedelta) -> list[KeyRecord]:
    """The keys as they stand at ``now``: planned activations that are due have happened.

    Args:
        records: the stored rows.
        now: aware UTC time.
        retention: how long a retired key stays published.
    """
    result = {record.kid: record for record in records}
    due = [record for record in result.values() if is_due(record, now)]
    for key in sorted(due, key=_activation_order):
        promoted = promote(result.values(), key, key.activates_at or now, retention)
        result.update((record.kid, record) for record in promoted)
    return list(result.values())


def promote(
    records: Iterable[KeyRecord], key: KeyRecord, at: datetime, retention: timedelta
) -> list[KeyRecord]:
    """The changed records when ``key`` starts signing at ``at``: the old key first, then the new one."""
    retired = [
        replace(record, state=KeyState.RETIRED, retired_at=at, unpublish_at=at + retention)
        for record in records
        if record.alg == key.alg and record.state is KeyState.ACTIVE and record.kid != key.kid
    ]
    return [*retired, replace(key, state=KeyState.ACTIVE, activates_at=None, activated_at=at)]


def is_due(record: KeyRecord, now: datetime) -> bool:
    """Whether a planned activation has come."""
    return record.state is KeyState.NEXT and record.activates_at is not None and record.activates_at <= now


def is_published(record: KeyRecord, now: datetime) -> bool:
    """Whether the key set contains the key, and tokens signed by it are accepted."""
    if record.state is KeyState.RETIRED:
        return record.unpublish_at is None or record.unpublish_at > now
    return record.state in {KeyState.NEXT, KeyState.ACTIVE}


def next_change(records: Iterable[KeyRecord], now: datetime) -> datetime | None:
    """The first moment after ``now`` at which a state changes by itself; ``None`` if none is planned."""
    planned = (
        record.activates_at if record.state is KeyState.NEXT else record.unpublish_at
        for record in records
        if record.state in {KeyState.NEXT, KeyState.RETIRED}
    )
    return min((moment for moment in planned if moment is not None and moment > now), default=None)


def in_order(records: Iterable[KeyRecord], algorithms: Sequence[str]) -> list[KeyRecord]:
    """By algorithm, then oldest publication first; the same on every worker."""
    known = [record for record in records if record.alg in algorithms]
    return sorted(known, key=lambda record: (algorithms.index(record.alg), record.published_at, record.kid))


def _activation_order(record: KeyRecord) -> tuple[datetime, datetime, str]:
    return (record.activates_at or record.published_at, record.published_at, record.kid)
